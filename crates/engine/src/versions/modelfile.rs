//! Modelfiles for Ollama: <https://docs.ollama.com/modelfile>.

use graft_formats::{ModelConfig, ModelFiles};

/// Name of the file.
pub(super) const NAME: &str = "Modelfile";
/// Largest context, in tokens: Ollama reserves memory for all of it.
const CONTEXT: usize = 4096;

/// The Modelfile of a merged model. `from` is its path beside the file; `before` and `after` are the texts around every
/// input, as in training, without a start token that the tokenizer adds.
///
/// The instruction is part of the template, so that neither a system message nor its absence changes the prompt.
pub(super) fn text(from: &str, files: &ModelFiles, (before, after): (&str, &str)) -> String {
    let stops: Vec<String> = files.tokens.eos.iter().filter_map(|id| files.tokenizer.id_to_token(*id)).collect();
    // Between the turns of a conversation.
    let end = stops.first().map(String::as_str).unwrap_or_default();
    let context = match &files.config {
        ModelConfig::Decoder(config) => config.max_positions.min(CONTEXT),
        ModelConfig::T5(_) => CONTEXT,
    };
    let (before, after, end) = (literal(before), literal(after), literal(end));
    let mut text = format!(
        "FROM {from}\n\nTEMPLATE \"\"\"{before}{{{{ .Prompt }}}}{after}{{{{ .Response }}}}{end}\"\"\"\n\n\
         PARAMETER temperature 0\nPARAMETER repeat_penalty 1\nPARAMETER num_ctx {context}\n"
    );
    for stop in stops.iter().filter(|stop| stop.chars().all(|c| is_plain(c) && !matches!(c, '"' | '\n'))) {
        text.push_str(&format!("PARAMETER stop \"{stop}\"\n"));
    }
    text
}

/// A text that a Go template inside three quotation marks gives back unchanged. Ollama drops characters that Go doesn't
/// print, so they are written as string constants, as is what would begin an action or end the text.
fn literal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut quotes, mut rest) = (0, text.chars().peekable());
    while let Some(c) = rest.next() {
        let stays = match c {
            '{' => rest.peek().is_some_and(|next| *next != '{' && is_plain(*next)),
            '"' => quotes < 2,
            _ => is_plain(c),
        };
        quotes = if c == '"' && stays { quotes + 1 } else { 0 };
        match stays {
            true => out.push(c),
            false => out.push_str(&format!("{{{{ \"\\U{:08x}\" }}}}", u32::from(c))),
        }
    }
    out
}

fn is_plain(c: char) -> bool {
    // Letters and symbols of any script, but no controls, formats and special spaces.
    matches!(c, '\n' | '\t') || c.is_ascii_graphic() || c == ' ' || !c.is_ascii() && c.escape_debug().len() == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Ollama's parser and Go's templates make of a literal.
    fn rendered(literal: &str) -> String {
        assert!(!literal.contains("\"\"\""), "{literal}");
        let mut parts = literal.split("{{ \"\\U");
        let mut out = parts.next().unwrap().to_owned();
        for part in parts {
            let (code, rest) = part.split_once("\" }}").unwrap();
            out.push(char::from_u32(u32::from_str_radix(code, 16).unwrap()).unwrap());
            assert!(!rest.contains("{{"), "an action in {literal}");
            out.push_str(rest);
        }
        assert!(!out.is_empty() || literal.is_empty());
        out
    }

    #[test]
    fn literals_give_back_the_text() {
        let texts = [
            "<|im_start|>system\nExtract {\"a\": 1}.<|im_end|>\n",
            "{{ .Prompt }} and {{{ or } {\u{a0}{",
            "quotes \"\"\" and \"\"\"\" and \"",
            "\u{a0}\u{200d}\u{feff}\r\n\tü 日本 ▁ 🍌 e\u{301} \u{7f}",
            "",
        ];
        for text in texts {
            let literal = literal(text);
            assert_eq!(rendered(&literal), text);
            // Nothing is left that begins an action, also at the border to the next one.
            let bare = literal.replace("{{ \"\\U", "").replace("\" }}", "");
            assert!(!bare.contains("{{") && !bare.ends_with('{'), "{literal}");
        }
        assert_eq!(literal("{\"a\": \"b\"}"), "{\"a\": \"b\"}", "JSON stays readable");
    }
}
