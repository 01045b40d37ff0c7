//! The text of messages whose `text` is empty: blocks, rich text and attachments.
//!
//! Follows "Block Kit" and "Rich text" of Slack's API documentation.

use serde_json::Value;

use super::text::{Names, clean};

/// Deepest nesting that is read.
const MAX_DEPTH: usize = 12;

/// What a message's blocks show, or else its attachments.
pub(super) fn text(message: &Value, names: &Names) -> String {
    let blocks = lines(message.get("blocks"), names, 0);
    if !blocks.trim().is_empty() {
        return blocks;
    }
    let attachments = message.get("attachments").and_then(Value::as_array);
    let shown: Vec<String> = attachments.into_iter().flatten().map(|one| attachment(one, names)).collect();
    joined(shown, "\n")
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
        let section = json!([{"type": "text", "text": "2 cases of "}, {"type": "text", "text": "milk & <eggs>", "style": {"bold": true}},
            {"type": "user", "user_id": "U1"}, {"type": "channel", "channel_id": "C1"}, {"type": "emoji", "name": "egg"},
            {"type": "link", "url": "https://x.org"}]);
        let rich = json!({"blocks": [{"type": "rich_text", "elements": [
            {"type": "rich_text_section", "elements": section},
            {"type": "rich_text_list", "elements": [
                {"type": "rich_text_section", "elements": [{"type": "text", "text": "bread"}]},
                {"type": "rich_text_section", "elements": [{"type": "text", "text": "kale"}]}]}]}]});
        assert_eq!(text(&rich, &names), "2 cases of milk & <eggs>@ana#food:egg:https://x.org\nbread\nkale");
        let section = json!({"blocks": [{"type": "header", "text": {"type": "plain_text", "text": "Pickup"}}, {"type": "divider"},
            {"type": "section", "text": {"type": "mrkdwn", "text": "milk &amp; eggs by <@U1>"},
             "fields": [{"type": "mrkdwn", "text": "3 cases"}]}]});
        assert_eq!(text(&section, &names), "Pickup\nmilk & eggs by @ana\n3 cases");
        let attached = json!({"blocks": [], "attachments": [
            {"fallback": "no", "pretext": "From the form", "fields": [{"title": "What", "value": "milk"}]}, {"fallback": "kale"}]});
        assert_eq!(text(&attached, &names), "From the form\nWhat: milk\nkale");
    }

    proptest::proptest! {
        #[test]
        fn any_blocks_are_parsed_without_panic(kind in "rich_text|section|text|context|x", depth in 0usize..40) {
            let mut block = json!({"type": "text", "text": "a"});
            for _ in 0..depth {
                block = json!({"type": kind, "text": block, "elements": [block], "fields": 3});
                if block.to_string().len() > 10_000 { break; }
            }
            let _ = text(&json!({"blocks": [block], "attachments": 3}), &Names::new());
        }
    }
}
