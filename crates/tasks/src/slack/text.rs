use std::collections::HashMap;

/// What ids of users and channels are shown as.
pub(crate) type Names = HashMap<String, String>;

/// A message's text as people saw it: escapes undone, mentions and links replaced by what they show.
///
/// Follows "Formatting text" in Slack's API documentation: `<@U1>`, `<#C1|name>`, `<!channel>`, `<url|text>`, and the
/// escapes `&amp; &lt; &gt;`.
#[must_use]
pub fn plain_text(text: &str) -> String {
    clean(text, &Names::new())
}

/// As [`plain_text`], with the names of users by id.
pub(crate) fn clean(text: &str, users: &Names) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['<', '&']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let (shown, used) = match rest.strip_prefix('<') {
            Some(inner) => match inner.find(['<', '>', '\n']).filter(|end| inner[*end..].starts_with('>')) {
                Some(end) => (reference(&inner[..end], users), end + 2),
                None => ("<".into(), 1),
            },
            None => entity(rest),
        };
        out.push_str(&shown);
        rest = &rest[used..];
    }
    out + rest
}

fn entity(text: &str) -> (String, usize) {
    let known = [("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">")];
    let found = known.iter().find(|(escape, _)| text.starts_with(escape));
    found.map_or(("&".into(), 1), |(escape, shown)| ((*shown).into(), escape.len()))
}

fn reference(inner: &str, users: &Names) -> String {
    let (target, label) = match inner.split_once('|') {
        Some((target, label)) => (target, Some(label).filter(|label| !label.is_empty())),
        None => (inner, None),
    };
    match target.chars().next() {
        Some('@') => {
            let id = &target[1..];
            format!("@{}", label.or(users.get(id).map(String::as_str)).unwrap_or(id))
        }
        Some('#') => {
            let id = &target[1..];
            format!("#{}", label.or(users.get(id).map(String::as_str)).unwrap_or(id))
        }
        Some('!') => label.map_or_else(|| format!("@{}", &target[1..]), str::to_owned),
        Some(_) if label.is_some() || target.contains(':') => {
            entities(label.unwrap_or(target.trim_start_matches("mailto:")))
        }
        _ => format!("<{}>", entities(inner)),
    }
}

fn entities(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_text_is_shown_as_people_saw_it() {
        let users = HashMap::from([("U1".to_owned(), "ana".to_owned())]);
        let cases = [
            ("Baker &amp; Daughters -&gt; Hope &lt;3", "Baker & Daughters -> Hope <3"),
            ("<@U1> and <@U2> in <#C1|food>", "@ana and @U2 in #food"),
            ("<!channel> <!subteam^S1|@drivers>", "@channel @drivers"),
            (
                "<https://x.org/?a=1&amp;b=2> <https://x.org|the list> <mailto:a@b.c|a@b.c>",
                "https://x.org/?a=1&b=2 the list a@b.c",
            ),
            ("&amp;lt; stays once", "&lt; stays once"),
            ("5 < 6 <\n> & x", "5 < 6 <\n> & x"),
        ];
        for (raw, shown) in cases {
            assert_eq!(clean(raw, &users), shown);
        }
    }
}
