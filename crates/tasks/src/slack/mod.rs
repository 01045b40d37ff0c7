//! Slack exports: a folder, its zip, one day's file, or a spreadsheet of messages; and labels that say what messages mean.

mod archive;
mod labels;
mod sheet;
mod text;

use std::{collections::HashMap, fmt, path::Path};

use graft_core::{Example, Review, Source, Timestamp};
use serde::{
    Deserialize, Deserializer as _,
    de::{SeqAccess, Visitor},
};
use serde_json::Value;

use crate::{Approval, Error, Import, cards};

pub use text::plain_text;

/// Messages of one user that are no further apart may be read as one.
const GROUP_MS: Timestamp = 30 * 60 * 1000;

/// A message that a person wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Slack's key of a message within a channel: seconds since the epoch with six decimals.
    pub ts: String,
    /// Who wrote it: a user id, or a name in spreadsheets.
    pub user: String,
    /// The channel's name.
    pub channel: String,
    /// Without Slack's escapes.
    pub text: String,
    /// The `ts` of the thread's first message.
    pub thread_ts: Option<String>,
}

impl Message {
    /// Milliseconds since the epoch.
    #[must_use]
    pub fn at(&self) -> Option<Timestamp> {
        crate::time::parse(&self.ts)
    }
}

/// How an export becomes examples.
#[derive(Clone, Debug)]
pub struct Options {
    /// Read consecutive messages of one user, at most 30 minutes apart, as one. A labelled message stays alone.
    pub group: bool,
    /// Who vouches for the labels.
    pub approval: Approval,
}

/// The messages of an export in order of time; what is left out is counted in the second value, which has no examples.
///
/// # Errors
/// [`Error::Missing`], [`Error::NotAnExport`], [`Error::Archive`], [`Error::UnsafeEntry`], [`Error::TooLarge`],
/// [`Error::Sheet`], [`Error::NoColumn`], [`Error::Read`].
pub fn read(path: &Path) -> Result<(Vec<Message>, Import), Error> {
    let mut import = Import::default();
    let mut messages = match archive::open(path, archive::LIMITS)? {
        archive::Export::Sheet => sheet::read(path, &mut import)?,
        archive::Export::Days(days) => read_days(days, &mut import)?,
    };
    messages.sort_by(|a, b| (a.at(), &a.ts, &a.channel).cmp(&(b.at(), &b.ts, &b.channel)));
    messages.dedup_by(|b, a| {
        let twice = a.ts == b.ts && a.channel == b.channel;
        if twice {
            import.skip("duplicate", format!("ts {}", b.ts));
        }
        twice
    });
    Ok((messages, import))
}

/// Examples of the `slack-rescue` task, one a message. Those with a label are approved; labels without a message and
/// messages without a label are counted.
///
/// # Errors
/// As [`read`]; [`Error::BadLabel`]; [`Error::Nothing`] where the export has no message.
pub fn import(path: &Path, labels: Option<&Path>, options: &Options) -> Result<Import, Error> {
    let mut truths = labels.map(labels::read).transpose()?.unwrap_or_default();
    let (messages, mut import) = read(path)?;
    let messages = if options.group { group(messages, &truths) } else { messages };
    let mut channel_of: HashMap<String, String> = HashMap::new();
    for message in messages {
        let first = channel_of.entry(message.ts.clone()).or_insert_with(|| message.channel.clone());
        let id = match *first == message.channel {
            true => format!("slack:{}", message.ts),
            // A `ts` is unique within its channel only.
            false => format!("slack:{}:{}", message.ts, message.channel),
        };
        let output = truths.remove(&message.ts);
        import.examples.push(Example {
            id,
            task: cards::slack_rescue::TASK.name.into(),
            source: Source { kind: "slack".into(), reference: message.ts.clone(), at: message.at() },
            input: message.text,
            review: if output.is_some() { options.approval.review() } else { Review::Pending },
            output,
            revision: 1,
        });
    }
    let mut lost: Vec<String> = truths.into_keys().collect();
    lost.sort_unstable();
    lost.into_iter().for_each(|ts| import.skip("label without a message", format!("ts {ts}")));
    import.or_nothing(&path.display().to_string())
}

/// Joins consecutive messages of one user in one channel and thread.
fn group(messages: Vec<Message>, truths: &HashMap<String, Value>) -> Vec<Message> {
    let mut grouped: Vec<Message> = Vec::new();
    let mut last: HashMap<String, (usize, Timestamp)> = HashMap::new();
    for message in messages {
        let labelled = truths.contains_key(&message.ts);
        let at = message.at().unwrap_or(0);
        if let Some((i, before)) = last.get_mut(&message.channel)
            && !labelled
            && grouped[*i].user == message.user
            && grouped[*i].thread_ts == message.thread_ts
            && !truths.contains_key(&grouped[*i].ts)
            && at - *before <= GROUP_MS
        {
            *before = at;
            grouped[*i].text.push('\n');
            grouped[*i].text.push_str(&message.text);
            continue;
        }
        last.insert(message.channel.clone(), (grouped.len(), at));
        grouped.push(message);
    }
    grouped
}

fn read_days(mut days: archive::Days, import: &mut Import) -> Result<Vec<Message>, Error> {
    let users = match days.users()? {
        Some(bytes) => names(&bytes),
        None => HashMap::new(),
    };
    let mut messages = Vec::new();
    days.each(|place, channel, bytes| {
        let mut number = 0;
        let whole = each_value(bytes, |value| {
            number += 1;
            let at = || format!("{place}, message {number}");
            match message(value, channel, &users) {
                Ok(message) => messages.push(message),
                Err(Left::Kind(kind)) => import.skip(&kind, at()),
                Err(Left::Bad(reason)) => import.problem("malformed", at(), reason),
            }
        });
        if let Err(error) = whole {
            import.problem("unreadable file", place, error.to_string());
        }
    })?;
    days.skipped_links.into_iter().for_each(|link| import.skip("symbolic link", link));
    Ok(messages)
}

/// Hands over a JSON list's values one at a time, so that a hostile file can't make a far larger list in memory.
fn each_value(json: &[u8], take: impl FnMut(Value)) -> serde_json::Result<()> {
    struct Each<F>(F);

    impl<'de, F: FnMut(Value)> Visitor<'de> for Each<F> {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list of messages")
        }

        fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
            while let Some(value) = list.next_element()? {
                (self.0)(value);
            }
            Ok(())
        }
    }

    let mut json = serde_json::Deserializer::from_slice(json);
    json.deserialize_seq(Each(take))?;
    json.end()
}

/// Why a message is left out.
pub(crate) enum Left {
    /// By its kind.
    Kind(String),
    /// It is damaged.
    Bad(String),
}

#[derive(Deserialize)]
struct Raw {
    #[serde(rename = "type")]
    kind: Option<String>,
    subtype: Option<String>,
    user: Option<String>,
    username: Option<String>,
    bot_id: Option<String>,
    text: Option<String>,
    ts: Option<String>,
    thread_ts: Option<String>,
}

fn message(value: Value, channel: &str, users: &HashMap<String, String>) -> Result<Message, Left> {
    let raw: Raw = serde_json::from_value(value).map_err(|e| Left::Bad(e.to_string()))?;
    let subtype = raw.subtype.unwrap_or_default();
    kept(raw.kind.as_deref().unwrap_or("message"), &subtype, raw.bot_id.is_some())?;
    let user = raw.user.or(raw.username).unwrap_or_default();
    checked(
        raw.ts.unwrap_or_default(),
        user,
        channel,
        &text::clean(&raw.text.unwrap_or_default(), users),
        raw.thread_ts,
    )
}

/// Says whether people write messages of this kind.
pub(crate) fn kept(kind: &str, subtype: &str, bot: bool) -> Result<(), Left> {
    match (kind, subtype) {
        ("message" | "", _) if bot => Err(Left::Kind("bot_message".into())),
        ("message" | "", "" | "file_share" | "me_message" | "thread_broadcast") => Ok(()),
        ("message" | "", subtype) => Err(Left::Kind(subtype.to_owned())),
        (kind, _) => Err(Left::Kind(kind.to_owned())),
    }
}

/// A message whose key and text are usable.
pub(crate) fn checked(
    ts: String,
    user: String,
    channel: &str,
    text: &str,
    thread_ts: Option<String>,
) -> Result<Message, Left> {
    if ts.is_empty() || ts.len() > 32 || crate::time::parse(&ts).is_none() {
        return Err(Left::Bad(format!("its ts is `{}`", ts.chars().take(40).collect::<String>())));
    }
    let text = text.trim();
    if text.is_empty() {
        return Err(Left::Kind("empty".into()));
    }
    Ok(Message { ts, user, channel: channel.to_owned(), text: text.to_owned(), thread_ts })
}

/// Display names by user id; anything else in the file is ignored.
fn names(users: &[u8]) -> HashMap<String, String> {
    let users: Vec<Value> = serde_json::from_slice(users).unwrap_or_default();
    let text = |user: &Value, field: &str| user.get(field).and_then(Value::as_str).map(str::to_owned);
    users.iter().filter_map(|user| Some((text(user, "id")?, text(user, "name").or(text(user, "real_name"))?))).collect()
}

#[cfg(test)]
mod tests;
