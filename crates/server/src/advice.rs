//! Hints over HTTP. Hints name commands and their flags, also those that a trainer stored long ago; here each becomes the
//! request or the field that does the same.

use graft_core::{Event, EventKind};
use graft_engine::{Error, Preflight, RunView, records::Run};

/// Commands, and the request that does the same. A longer name comes before its beginning.
const REQUESTS: &[(&str, &str)] = &[
    ("graft agents list", "GET /api/v1/tasks/{task}/agents"),
    ("graft agents remove", "DELETE /api/v1/tasks/{task}/agents/{name}"),
    ("graft base add", "POST /api/v1/bases"),
    ("graft base list", "GET /api/v1/bases"),
    ("graft base pull", "POST /api/v1/bases"),
    ("graft base remove", "DELETE /api/v1/bases"),
    ("graft eval", "POST /api/v1/versions/{task}/{version}/evaluate"),
    ("graft examples edit", "POST /api/v1/examples/{task}/{id}/edit"),
    ("graft examples list", "GET /api/v1/examples"),
    ("graft examples show", "GET /api/v1/examples/{task}/{id}"),
    ("graft import", "POST /api/v1/imports"),
    ("graft live start", "POST /api/v1/tasks/{task}/live"),
    ("graft machines list", "GET /api/v1/machines"),
    ("graft machines add NAME DESTINATION", "POST /api/v1/machines"),
    ("graft models contestant", "POST /api/v1/tasks/{task}/contestants"),
    ("graft models list", "GET /api/v1/versions"),
    ("graft models set-active", "POST /api/v1/versions/{task}/{name}/activate"),
    ("graft prompts list", "GET /api/v1/prompts"),
    ("graft rollout status", "GET /api/v1/tasks/{task}/rollout"),
    ("graft runs cancel", "POST /api/v1/runs/{id}/cancel"),
    ("graft runs delete", "DELETE /api/v1/runs"),
    ("graft runs list", "GET /api/v1/runs"),
    ("graft runs logs", "GET /api/v1/runs/{id}/logs"),
    ("graft runs resume", "POST /api/v1/runs/{id}/resume"),
    ("graft runs retry", "POST /api/v1/runs/{id}/retry"),
    ("graft runs show", "GET /api/v1/runs/{id}"),
    ("graft runs stop", "POST /api/v1/runs/{id}/cancel"),
    ("graft schedules list", "GET /api/v1/schedules"),
    ("graft batch list", "GET /api/v1/batches"),
    ("graft batch show", "GET /api/v1/batches/{id}"),
    ("graft studies list", "GET /api/v1/studies"),
    ("graft studies show", "GET /api/v1/studies/{id}"),
    ("graft studies stop", "POST /api/v1/studies/{id}/stop"),
    ("graft suspects", "GET /api/v1/tasks/{task}/suspects"),
    ("graft examples helpful", "GET /api/v1/tasks/{task}/helpful"),
    ("graft tasks list", "GET /api/v1/tasks"),
    ("graft tasks show", "GET /api/v1/tasks/{task}/export"),
    ("graft tokens add", "POST /api/v1/tokens"),
    ("graft train", "POST /api/v1/runs"),
    ("graft users add", "POST /api/v1/users"),
];

/// Flags that no request has.
const LOCAL: &[&str] = &["bind", "bundle", "gguf", "outtype", "peft", "program", "slurm"];

/// What the user can do about an error over HTTP; nothing if only a command does it.
pub(crate) fn hint(error: &Error) -> Option<String> {
    over_http(&error.hint()?)
}

/// A hint with requests and fields in place of commands and flags; none if only a command does what it says.
pub(crate) fn over_http(hint: &str) -> Option<String> {
    let mut said = String::new();
    // Every second part is between backticks.
    for (place, part) in hint.split('`').enumerate() {
        let is_code = place % 2 == 1;
        said += &if is_code { format!("`{}`", equivalent(part)?) } else { part.to_owned() };
    }
    Some(said)
}

/// A text that ends with what to do, with requests and fields in place of commands and flags; without its end if only a
/// command does what it says.
pub(crate) fn in_text(text: &str) -> String {
    over_http(text).unwrap_or_else(|| {
        let before = text.split('`').next().unwrap_or_default();
        let end = [" (", "; ", ": "].iter().find_map(|mark| before.rfind(mark));
        before[..end.unwrap_or(before.len())].trim_end().to_owned()
    })
}

/// The text of a failure, in which the hint has a line.
pub(crate) fn in_report(text: &str) -> String {
    let lines = text.lines().filter_map(|line| match line.strip_prefix("hint: ") {
        Some(hint) => Some(format!("hint: {}", over_http(hint)?)),
        None => Some(line.to_owned()),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A run with its stored failure.
pub(crate) fn of_run(mut run: Run) -> Run {
    if let Some(failure) = &mut run.failure {
        failure.hint = failure.hint.as_deref().and_then(over_http);
    }
    run
}

/// A run with all that is stored of its troubles.
pub(crate) fn of_view(mut view: RunView) -> RunView {
    view.run = of_run(view.run);
    if let Some(failure) = &mut view.failure {
        failure.hint = failure.hint.as_deref().and_then(over_http);
    }
    if let Some(waiting) = &mut view.waiting {
        waiting.why = in_text(&waiting.why);
    }
    for error in view.tracking.iter_mut().filter_map(|tracked| tracked.error.as_mut()) {
        *error = in_text(error);
    }
    view
}

/// An event of a run.
pub(crate) fn of_event(mut event: Event) -> Event {
    if let EventKind::Failed(failure) = &mut event.kind {
        failure.hint = failure.hint.as_deref().and_then(over_http);
    }
    event
}

/// The same with all problems of a plan.
pub(crate) fn of_preflight(mut preflight: Preflight) -> Preflight {
    for problem in &mut preflight.problems {
        problem.hint = over_http(&problem.hint).unwrap_or_default();
    }
    preflight
}

/// What does the same as a command or as flags; other code is kept.
fn equivalent(code: &str) -> Option<String> {
    if code.starts_with("graft ") {
        request(code)
    } else if code.starts_with("--") {
        fields(code)
    } else {
        Some(code.to_owned())
    }
}

/// The request of a command, with the command's arguments in its path.
fn request(command: &str) -> Option<String> {
    let starts = |name: &str| command.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '));
    let (name, request) = REQUESTS.iter().find(|(name, _)| starts(name))?;
    let mut words = command[name.len()..].split_whitespace();
    let (mut request, mut plain) = ((*request).to_owned(), Vec::new());
    while let Some(word) = words.next() {
        match word.strip_prefix("--") {
            Some("task" | "version") => {
                request = request.replace(&format!("{{{}}}", &word[2..]), words.next()?);
            }
            Some(_) => {}
            None => plain.push(word),
        }
    }
    // Words in capitals stand for something.
    plain.retain(|word| word.chars().any(char::is_lowercase) || word.chars().any(|c| c.is_ascii_digit()));
    while let (Some(word), Some(from), Some(to)) = (plain.pop(), request.rfind('{'), request.rfind('}')) {
        request.replace_range(from..=to, word);
    }
    Some(request)
}

/// The fields that do the same as flags: `"heading": "yes"` for `--heading yes`.
fn fields(flags: &str) -> Option<String> {
    let mut fields: Vec<String> = Vec::new();
    for word in flags.split_whitespace() {
        match word.strip_prefix("--") {
            Some(flag) if LOCAL.contains(&flag) => return None,
            Some(flag) => fields.push(flag.replace('-', "_")),
            None if word.chars().any(char::is_lowercase) => {
                let last = fields.last_mut()?;
                *last = format!(
                    "\"{last}\": {}",
                    word.parse::<u64>().map_or_else(|_| format!("\"{word}\""), |n| n.to_string())
                );
            }
            None => {}
        }
    }
    Some(fields.join(", "))
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, path::Path};

    use serde_json::Value;

    use super::*;

    #[test]
    fn commands_and_flags_become_requests_and_fields() {
        for (hint, over) in [
            ("wait; `graft runs show r-1` prints it", Some("wait; `GET /api/v1/runs/r-1` prints it")),
            ("`graft eval --task chat --version v2`", Some("`POST /api/v1/versions/chat/v2/evaluate`")),
            ("`graft examples edit slack:7`", Some("`POST /api/v1/examples/{task}/slack:7/edit`")),
            ("`graft models contestant rules --task chat --activate`", Some("`POST /api/v1/tasks/chat/contestants`")),
            ("`graft users add NAME --role admin`", Some("`POST /api/v1/users`")),
            ("`--text COLUMN --label COLUMN`, or `--heading yes`", Some("`text, label`, or `\"heading\": \"yes\"`")),
            ("lower `--pass-tokens` to 256", Some("lower `pass_tokens` to 256")),
            ("`nvidia-smi` lists the GPUs", Some("`nvidia-smi` lists the GPUs")),
            ("run `graft sweep`", None),
            ("choose `--outtype f32`", None),
        ] {
            assert_eq!(over_http(hint).as_deref(), over, "{hint}");
        }
    }

    #[test]
    fn text_loses_what_only_a_command_does() {
        for (text, over) in [
            ("no worker is running: `graft worker` or `graft serve` starts one", "no worker is running"),
            ("it has stopped or is gone; start another one: `graft worker`", "it has stopped or is gone"),
            ("connect to mlflow (`graft config set mlflow URL` sets another)", "connect to mlflow"),
            ("run r-1 is first; `graft runs show r-1`", "run r-1 is first; `GET /api/v1/runs/r-1`"),
            ("every worker is busy", "every worker is busy"),
        ] {
            assert_eq!(in_text(text), over);
        }
    }

    /// The code in backticks and the rest of every text of the workspace's errors and of its preflight.
    fn texts() -> (BTreeSet<String>, Vec<String>) {
        let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let folders = std::fs::read_dir(crates).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<_> =
            folders.map(|folder| folder.join("src/error.rs")).filter(|file| file.exists()).collect();
        assert!(files.len() > 10, "{files:?}");
        files.push(crates.join("engine/src/runs/preflight.rs"));
        let (mut codes, mut rest) = (BTreeSet::new(), Vec::new());
        for file in files {
            let text = std::fs::read_to_string(&file).unwrap();
            for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
                let mut parts = line.split('`');
                rest.push(parts.next().unwrap_or_default().to_owned());
                while let (Some(code), Some(plain)) = (parts.next(), parts.next()) {
                    codes.insert(code.to_owned());
                    rest.push(plain.to_owned());
                }
            }
        }
        (codes, rest)
    }

    fn names(description: &Value, found: &mut BTreeSet<String>) {
        match description {
            Value::Object(members) => {
                if let Some(Value::Object(properties)) = members.get("properties") {
                    found.extend(properties.keys().cloned());
                }
                if let (Some(Value::String(name)), true) = (members.get("name"), members.contains_key("in")) {
                    found.insert(name.clone());
                }
                members.values().for_each(|inner| names(inner, found));
            }
            Value::Array(items) => items.iter().for_each(|inner| names(inner, found)),
            _ => {}
        }
    }

    /// Every hint of the workspace, as it is written.
    #[test]
    fn every_hint_names_a_request_that_exists_or_is_left_out() {
        const ONLY_COMMANDS: &[&str] = &[
            "graft adapter",
            "graft alerts",
            "graft backup",
            "graft machines add …",
            "graft models add",
            "graft restore",
            "graft sweep",
            "graft train-dir",
        ];
        let description: Value = serde_json::from_str(include_str!("../openapi.json")).unwrap();
        let mut known = BTreeSet::new();
        names(&description, &mut known);
        let (codes, rest) = texts();
        for code in codes {
            let said = equivalent(&code);
            if code.starts_with("graft ") {
                let local = ONLY_COMMANDS.iter().any(|name| code.starts_with(name));
                assert_eq!(said.is_none(), local, "{code}: {said:?}");
            }
            let Some(said) = said else { continue };
            assert!(!said.contains("--") && !said.starts_with("graft "), "{said}");
            assert!(!["GET /", "POST /", "PUT /", "DELETE /"].iter().any(|verb| code.starts_with(verb)), "{code}");
            if code.starts_with("--") {
                let fields = said.split(", ").map(|field| field.split(": ").next().unwrap().trim_matches('"'));
                fields.for_each(|field| assert!(known.contains(field), "no request has `{field}` of `{code}`"));
            }
        }
        for plain in rest {
            let flag = plain
                .split_whitespace()
                .find(|word| word.strip_prefix("--").is_some_and(|flag| flag.starts_with(char::is_alphabetic)));
            assert_eq!(flag, None, "a flag without backticks: {plain}");
            assert!(!plain.contains("POST /"), "{plain}");
        }
        for (command, request) in REQUESTS {
            let (verb, path) = request.split_once(' ').unwrap();
            let shape = |path: &str| -> Vec<String> {
                let part = |part: &str| if part.starts_with('{') { "{}".to_owned() } else { part.to_owned() };
                path.split('/').map(part).collect()
            };
            let methods =
                description["paths"].as_object().unwrap().iter().find(|(known, _)| shape(known) == shape(path));
            let is_there = methods.is_some_and(|(_, methods)| methods.get(verb.to_lowercase()).is_some());
            assert!(is_there, "{command}: no {request}");
        }
    }
}
