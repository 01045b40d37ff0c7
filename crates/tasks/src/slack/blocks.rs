//! What messages show besides their `text`: blocks, rich text and attachments.
//!
//! Follows "Block Kit" and "Rich text" of Slack's API documentation.

use serde_json::Value;

use super::text::{Names, clean};

/// Deepest nesting that is read.
const MAX_DEPTH: usize = 12;

/// Slack's text of an attachment of which it knows nothing.
const NO_PREVIEW: &str = "[no preview available]";

/// What a message shows: its own text or else its blocks, and its attachments. Attachments that preview a link are the text
/// only if there is no other; otherwise they are counted.
pub(super) fn text(own: String, message: &Value, names: &Names) -> (String, usize) {
    let own = if own.trim().is_empty() { lines(message.get("blocks"), names, 0) } else { own };
    let attachments = message.get("attachments").and_then(Value::as_array).into_iter().flatten();
    let (previews, attached): (Vec<&Value>, Vec<&Value>) = attachments.partition(|one| is_preview(one));
    let read = |some: &[&Value]| {
        let texts = some.iter().map(|one| attachment(one, names)).filter(|text| text != NO_PREVIEW);
        // Some programs repeat the message in its attachment.
        joined(texts.filter(|text| !own.contains(text.trim())), "\n")
    };
    let shown = joined([own.clone(), read(&attached)], "\n");
    if shown.is_empty() { (read(&previews), 0) } else { (shown, previews.len()) }
}

/// Whether an attachment shows what a link of the message leads to.
fn is_preview(attachment: &Value) -> bool {
    ["from_url", "original_url"].iter().any(|name| attachment.get(name).is_some_and(Value::is_string))
}

fn joined(parts: impl IntoIterator<Item = String>, by: &str) -> String {
    parts.into_iter().filter(|part| !part.trim().is_empty()).collect::<Vec<_>>().join(by)
}

fn attachment(attachment: &Value, names: &Names) -> String {
    let field = |name: &str| clean(attachment.get(name).and_then(Value::as_str).unwrap_or_default(), names);
    let fields = attachment.get("fields").and_then(Value::as_array).into_iter().flatten().map(|field| {
        let part = |name: &str| clean(field.get(name).and_then(Value::as_str).unwrap_or_default(), names);
        joined([part("title"), part("value")], ": ")
    });
    let inner = attachment.get("message_blocks").and_then(Value::as_array).into_iter().flatten();
    let inner = inner.filter_map(|one| one.get("message")).map(|message| lines(message.get("blocks"), names, 0));
    let parts = [field("pretext"), field("title"), field("text")].into_iter();
    let shown = joined(parts.chain(fields).chain([lines(attachment.get("blocks"), names, 0)]), "\n");
    let shown = if shown.is_empty() { joined(inner, "\n") } else { shown };
    if shown.is_empty() { field("fallback") } else { shown }
}

/// Blocks, a line each.
fn lines(blocks: Option<&Value>, names: &Names, depth: usize) -> String {
    let blocks = blocks.and_then(Value::as_array).into_iter().flatten();
    joined(blocks.map(|block| element(block, names, depth)), "\n")
}

/// One block, or one part of it.
fn element(part: &Value, names: &Names, depth: usize) -> String {
    if depth > MAX_DEPTH {
        return String::new();
    }
    let word = |name: &str| part.get(name).and_then(Value::as_str).unwrap_or_default();
    let inner = |by: &str| {
        let elements = part.get("elements").and_then(Value::as_array).into_iter().flatten();
        elements.map(|inner| element(inner, names, depth + 1)).collect::<Vec<_>>().join(by)
    };
    match word("type") {
        "rich_text" | "rich_text_list" => inner("\n"),
        "rich_text_section" | "rich_text_quote" | "rich_text_preformatted" => inner(""),
        "context" => inner(" "),
        // Rich text holds characters as people wrote them.
        "text" => word("text").to_owned(),
        "link" => if word("text").is_empty() { word("url") } else { word("text") }.to_owned(),
        "user" => format!("@{}", names.get(word("user_id")).map_or(word("user_id"), String::as_str)),
        "usergroup" => format!("@{}", word("usergroup_id")),
        "broadcast" => format!("@{}", word("range")),
        "channel" => format!("#{}", names.get(word("channel_id")).map_or(word("channel_id"), String::as_str)),
        "emoji" => format!(":{}:", word("name")),
        "date" => word("fallback").to_owned(),
        "mrkdwn" | "plain_text" | "markdown" => clean(word("text"), names),
        "section" | "header" => {
            let fields = part.get("fields").and_then(Value::as_array).into_iter().flatten();
            let parts = part.get("text").into_iter().chain(fields);
            joined(parts.map(|text| element(text, names, depth + 1)), "\n")
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn visible_text_of_blocks_is_read() {
        let names = Names::from([("U1".to_owned(), "ana".to_owned()), ("C1".to_owned(), "food".to_owned())]);
        let shown = |message: &Value| text(String::new(), message, &names).0;
        let section = json!([{"type": "text", "text": "2 cases of "}, {"type": "text", "text": "milk & <eggs>", "style": {"bold": true}},
            {"type": "user", "user_id": "U1"}, {"type": "channel", "channel_id": "C1"}, {"type": "emoji", "name": "egg"},
            {"type": "link", "url": "https://x.org"}]);
        let rich = json!({"blocks": [{"type": "rich_text", "elements": [
            {"type": "rich_text_section", "elements": section},
            {"type": "rich_text_list", "elements": [
                {"type": "rich_text_section", "elements": [{"type": "text", "text": "bread"}]},
                {"type": "rich_text_section", "elements": [{"type": "text", "text": "kale"}]}]}]}]});
        assert_eq!(shown(&rich), "2 cases of milk & <eggs>@ana#food:egg:https://x.org\nbread\nkale");
        let section = json!({"blocks": [{"type": "header", "text": {"type": "plain_text", "text": "Pickup"}}, {"type": "divider"},
            {"type": "section", "text": {"type": "mrkdwn", "text": "milk &amp; eggs by <@U1>"},
             "fields": [{"type": "mrkdwn", "text": "3 cases"}]}]});
        assert_eq!(shown(&section), "Pickup\nmilk & eggs by @ana\n3 cases");
        let attached = json!({"blocks": [], "attachments": [
            {"fallback": "no", "pretext": "From the form", "fields": [{"title": "What", "value": "milk"}]}, {"fallback": "kale"}]});
        assert_eq!(shown(&attached), "From the form\nWhat: milk\nkale");
    }

    proptest::proptest! {
        #[test]
        fn any_blocks_are_parsed_without_panic(kind in "rich_text|section|text|context|x", depth in 0usize..40) {
            let mut block = json!({"type": "text", "text": "a"});
            for _ in 0..depth {
                block = json!({"type": kind, "text": block, "elements": [block], "fields": 3});
                if block.to_string().len() > 10_000 { break; }
            }
            let _ = text(String::new(), &json!({"blocks": [block], "attachments": 3}), &Names::new());
        }
    }
}
