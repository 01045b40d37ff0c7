//! Chat templates: the Jinja dialect of transformers' `apply_chat_template`, with the same helpers.

use graft_core::Timestamp;
use jiff::{
    fmt::strtime::{BrokenDownTime, Config},
    tz::TimeZone,
};
use minijinja::{Environment, ErrorKind, Value, context, syntax::SyntaxConfig, value::Kwargs};
use serde::Serialize as _;

use crate::Error;

/// Most Jinja instructions for one rendering; a long chat needs a few thousand.
const FUEL: u64 = 5_000_000;
const NAME: &str = "chat";

/// One turn of a chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// `system`, `user` or `assistant`.
    pub role: String,
    /// Text of the message.
    pub content: String,
}

impl Message {
    /// A message.
    pub fn new(role: impl Into<String>, content: impl Into<String>) -> Self {
        Self { role: role.into(), content: content.into() }
    }
}

/// A model's chat template.
pub struct ChatTemplate {
    environment: Environment<'static>,
    source: String,
    bos: String,
    eos: String,
}

impl ChatTemplate {
    /// Parses a template; `bos` and `eos` are its variables `bos_token` and `eos_token`.
    ///
    /// # Errors
    /// If it is not valid Jinja.
    pub fn new(source: String, bos: Option<&str>, eos: Option<&str>) -> Result<Self, Error> {
        let mut environment = Environment::new();
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
        environment.set_syntax(syntax.map_err(|e| Error::TemplateSyntax(Box::new(e)))?);
        environment.set_fuel(Some(FUEL));
        environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
        environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        environment.add_function("raise_exception", raise_exception);
        environment.add_filter("tojson", tojson);
        let parsed = environment.add_template_owned(NAME, without_generation_tags(&source));
        parsed.map_err(|e| Error::TemplateSyntax(Box::new(e)))?;
        let text = |token: Option<&str>| token.unwrap_or_default().to_owned();
        Ok(Self { environment, source, bos: text(bos), eos: text(eos) })
    }

    /// The template's source.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Renders messages in the model's format; with `add_generation_prompt` the assistant's turn is started.
    ///
    /// `now` is the date for templates that print it (seconds since 1970, UTC). Training and inference must use the
    /// same, otherwise prompts differ.
    ///
    /// # Errors
    /// If the template refuses the messages or runs too long.
    pub fn render(&self, messages: &[Message], add_generation_prompt: bool, now: Timestamp) -> Result<String, Error> {
        let turn = |m: &Message| context! { role => m.role.as_str(), content => m.content.as_str() };
        let context = context! {
            messages => messages.iter().map(turn).collect::<Value>(),
            add_generation_prompt,
            bos_token => self.bos.as_str(),
            eos_token => self.eos.as_str(),
            tools => (),
            documents => (),
            strftime_now => Value::from_function(move |format: &str| strftime(now, format)),
        };
        let template = self.environment.get_template(NAME);
        template.and_then(|t| t.render(context)).map_err(|e| Error::Template(Box::new(e)))
    }
}

/// C's `strftime` in English and UTC; unknown conversions are left unchanged.
fn strftime(second: i64, format: &str) -> String {
    let at = jiff::Timestamp::from_second(second).unwrap_or_default().to_zoned(TimeZone::UTC);
    BrokenDownTime::from(&at).to_string_with_config(&Config::new().lenient(true), format).unwrap_or_default()
}

fn raise_exception(message: String) -> Result<String, minijinja::Error> {
    Err(minijinja::Error::new(ErrorKind::InvalidOperation, message))
}

/// Like Python's `json.dumps(value, ensure_ascii=False)`, without HTML escapes.
fn tojson(value: &Value, options: Kwargs) -> Result<String, minijinja::Error> {
    let indent: Option<usize> = options.get("indent")?;
    options.get::<Option<bool>>("ensure_ascii")?;
    options.assert_all_used()?;
    let failed = |e| minijinja::Error::new(ErrorKind::InvalidOperation, "can't be JSON").with_source(e);
    let mut out = Vec::new();
    match indent {
        None => value.serialize(&mut serde_json::Serializer::with_formatter(&mut out, PythonJson)).map_err(failed)?,
        Some(width) => {
            let indent = b" ".repeat(width.min(16));
            let formatter = serde_json::ser::PrettyFormatter::with_indent(&indent);
            value.serialize(&mut serde_json::Serializer::with_formatter(&mut out, formatter)).map_err(failed)?;
        }
    }
    Ok(String::from_utf8_lossy(&out).into_owned())
}

/// Python's separators: `, ` and `: `.
struct PythonJson;

impl serde_json::ser::Formatter for PythonJson {
    fn begin_array_value<W: ?Sized + std::io::Write>(&mut self, writer: &mut W, first: bool) -> std::io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + std::io::Write>(&mut self, writer: &mut W, first: bool) -> std::io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + std::io::Write>(&mut self, writer: &mut W) -> std::io::Result<()> {
        writer.write_all(b": ")
    }
}

/// Replaces transformers' `{% generation %}` blocks, which mark the assistant's text, by blocks that do nothing.
fn without_generation_tags(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(start) = rest.find("{%") {
        let (before, tag) = rest.split_at(start);
        out.push_str(before);
        let end = tag.find("%}").map_or(tag.len(), |end| end + 2);
        let (tag, after) = tag.split_at(end);
        let replacement = match tag.trim_matches(['{', '%', '-', '}', ' ', '\n']) {
            "generation" => tag.replacen("generation", "if true", 1),
            "endgeneration" => tag.replacen("endgeneration", "endif", 1),
            _ => tag.to_owned(),
        };
        out.push_str(&replacement);
        rest = after;
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(source: &str, messages: &[Message]) -> Result<String, Error> {
        ChatTemplate::new(source.into(), Some("<s>"), Some("</s>"))?.render(messages, true, 0)
    }

    #[test]
    fn blocks_are_trimmed_as_in_transformers() {
        let source = "{% for m in messages %}\n    {%- if m.role == 'user' %}\n[{{ m['content'].strip() }}]\n    \
                      {% endif %}\n{% endfor %}\n{{ bos_token }}{{ messages[1:]|tojson }}\n";
        let messages = [Message::new("user", " a<b "), Message::new("assistant", "ü")];
        let expected = "[a<b]\n<s>[{\"role\": \"assistant\", \"content\": \"ü\"}]";
        assert_eq!(render(source, &messages).unwrap(), expected);
    }

    #[test]
    fn generation_blocks_have_no_effect() {
        let source = "a {%- generation -%} b {%- endgeneration %} c";
        assert_eq!(render(source, &[]).unwrap(), "ab c");
    }

    #[test]
    fn known_dates() {
        assert_eq!(strftime(0, "%A %a %d.%m.%Y %T"), "Thursday Thu 01.01.1970 00:00:00");
        assert_eq!(strftime(1_709_210_096, "%e %B %y, %H:%M:%S %%%J"), "29 February 24, 12:34:56 %%J");
        assert_eq!(strftime(-1, "%F %T"), "1969-12-31 23:59:59");
    }

    #[test]
    fn template_dates_come_from_the_argument() {
        let template = ChatTemplate::new("{{ strftime_now('%d %b %Y') }}".into(), None, None).unwrap();
        assert_eq!(template.render(&[], false, 1_722_000_000).unwrap(), "26 Jul 2024");
    }

    #[test]
    fn template_refusals_and_endless_loops_are_errors() {
        let refused = render("{{ raise_exception('roles must alternate') }}", &[]).unwrap_err();
        assert!(format!("{:?}", refused).contains("roles must alternate"));
        let endless = "{% for a in range(9999) %}{% for b in range(9999) %}{{ a }}{% endfor %}{% endfor %}";
        assert!(matches!(render(endless, &[]), Err(Error::Template(_))));
        assert!(matches!(render("{% if %}", &[]), Err(Error::TemplateSyntax(_))));
    }
}
