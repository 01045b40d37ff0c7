//! Slack exports: a folder, its zip, one day's file, or a spreadsheet of messages; and labels that say what messages mean.

mod archive;
mod blocks;
mod labels;
mod sheet;
mod slackdump;
mod text;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::Path,
};

use graft_core::{Example, Review, Source, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use self::{archive::Conversations, text::Names};
use crate::{Approval, Error, FileForm, Import, cards::Task, encoding, import::without_nul, values};

pub(crate) use archive::may_be_export;
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

/// Which conversations are read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// Only these, by name or id; all channels otherwise.
    pub channels: Vec<String>,
    /// Direct messages, too. Those of a conversation that is named are always read.
    pub direct: bool,
}

impl Choice {
    fn names(&self, channel: &str, id: Option<&str>) -> bool {
        let inner = channel.rsplit('/').next();
        self.channels
            .iter()
            .map(|wanted| wanted.trim_start_matches('#'))
            .any(|wanted| wanted == channel || Some(wanted) == inner || id == Some(wanted))
    }
}

/// How an export becomes examples.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which conversations are read.
    pub choice: Choice,
    /// Read consecutive messages of one user, at most 30 minutes apart, as one. A labelled message stays alone.
    pub group: bool,
    /// Who vouches for the labels.
    pub approval: Approval,
}

/// The messages of an export's channels in order of time; what is left out is counted in the second value, which has no
/// examples. Slackdump's database is read by [`import`] only.
///
/// # Errors
/// [`Error::Missing`], [`Error::NotAnExport`], [`Error::Archive`], [`Error::UnsafeEntry`], [`Error::TooLarge`],
/// [`Error::Sheet`], [`Error::NoColumn`], [`Error::NoChannel`], [`Error::OtherForm`], [`Error::Read`].
pub fn read(path: &Path) -> Result<(Vec<Message>, Import), Error> {
    match archive::open(path, archive::LIMITS)? {
        archive::Export::Database(path) => Err(Error::OtherForm { path, found: FileForm::Sqlite }),
        export => read_files(path, export, &Choice::default()),
    }
}

fn read_files(path: &Path, export: archive::Export, choice: &Choice) -> Result<(Vec<Message>, Import), Error> {
    let mut collected = Collected::new(choice);
    match export {
        archive::Export::Sheet => {
            let messages = sheet::read(path, &mut collected.import)?;
            messages.into_iter().for_each(|message| collected.add_message(message, None, false));
        }
        archive::Export::Days(days) => collected.add_days(days)?,
        archive::Export::Database(path) => return Err(Error::OtherForm { path, found: FileForm::Sqlite }),
    }
    collected.finish(path)
}

/// Examples of a task, one a message. Those with a label are approved; labels without a message and
/// messages without a label are counted.
///
/// # Errors
/// As [`read`]; [`Error::NotADatabase`], [`Error::Query`]; [`Error::BadLabel`]; [`Error::Nothing`] where the export has no
/// message.
pub async fn import(path: &Path, task: &Task, labels: Option<&Path>, options: &Options) -> Result<Import, Error> {
    let truths = labels.map(|labels| labels::read(labels, task)).transpose()?.unwrap_or_default();
    let (messages, import) = match archive::open(path, archive::LIMITS)? {
        archive::Export::Database(database) => {
            let mut collected = Collected::new(&options.choice);
            collected.add_dump(slackdump::read(&database).await?);
            collected.finish(path)?
        }
        export => read_files(path, export, &options.choice)?,
    };
    examples(messages, import, truths, (&task.name, options)).or_nothing(&path.display().to_string())
}

fn examples(
    messages: Vec<Message>,
    mut import: Import,
    mut truths: HashMap<String, Value>,
    (task, options): (&str, &Options),
) -> Import {
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
            task: task.to_owned(),
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
    import
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

/// What is found in an export, file by file: of each message its last state, and which were deleted.
struct Collected<'c> {
    choice: &'c Choice,
    import: Import,
    /// By channel and `ts`, with the time of the last edit.
    messages: HashMap<(String, String), (Timestamp, Message)>,
    deleted: HashSet<(String, String)>,
    names: Names,
    ids: HashMap<String, String>,
    direct: HashSet<String>,
    /// Messages by channel, those that are not chosen included.
    seen: BTreeMap<String, usize>,
}

/// Where a message stands.
struct Place<'p> {
    channel: &'p str,
    /// Whether it is of a conversation that was not asked for, and of which kind.
    left_out: Option<&'static str>,
    at: &'p dyn Fn() -> String,
}

impl<'c> Collected<'c> {
    fn new(choice: &'c Choice) -> Self {
        Self {
            choice,
            import: Import::default(),
            messages: HashMap::new(),
            deleted: HashSet::new(),
            names: Names::new(),
            ids: HashMap::new(),
            direct: HashSet::new(),
            seen: BTreeMap::new(),
        }
    }

    fn add_days(&mut self, mut days: archive::Days) -> Result<(), Error> {
        let users = days.users()?;
        if users.is_empty() {
            self.import.notes.push("There is no users.json: mentioned people appear as their ids.".into());
        }
        for bytes in users {
            self.names.extend(listed(bytes, &["name", "real_name"]));
        }
        for archive::List { bytes, kind, workspace } in days.lists()? {
            let conversations = listed(bytes, &["name", "id"]);
            if kind == Conversations::Direct {
                self.direct.extend(conversations.iter().flat_map(|(id, name)| [id.clone(), name.clone()]));
            }
            let called = |name: &String| match &workspace {
                Some(workspace) => format!("{workspace}/{name}"),
                None => name.clone(),
            };
            self.ids.extend(conversations.iter().map(|(id, name)| (called(name), id.clone())));
            self.names.extend(conversations);
        }
        days.others.drain(..).for_each(|file| self.import.skip("file that is not read", file));
        days.skipped_links.drain(..).for_each(|link| self.import.skip("symbolic link", link));
        days.each(|day| self.add_day(day))
    }

    fn add_day(&mut self, day: archive::Day) {
        let place = &day.place;
        let text = match encoding::decode(day.bytes) {
            Ok(text) => text,
            Err(reason) => return self.import.problem("unreadable file", place, reason),
        };
        if let Some(note) = text.note {
            self.import.notes.push(format!("{place}: {note}"));
        }
        let (mut number, mut good, mut bad) = (0, 0, Vec::new());
        values::each(&text.text, |line, value| match value {
            Ok(value) => {
                good += 1;
                match value.get("messages").and_then(Value::as_array) {
                    // As Slack's API and Slackdump write a conversation.
                    Some(messages) => {
                        let word = |name: &str| value.get(name).and_then(Value::as_str).filter(|name| !name.is_empty());
                        let channel = word("name").or(word("channel_id")).unwrap_or(&day.channel);
                        for message in messages {
                            number += 1;
                            self.add(message, channel, word("channel_id"), day.is_named, place, number);
                        }
                    }
                    None => {
                        number += 1;
                        self.add(&value, &day.channel, None, day.is_named, place, number);
                    }
                }
            }
            Err(reason) => bad.push((line, reason)),
        });
        let kind = if good == 0 { "unreadable file" } else { "malformed" };
        bad.into_iter().for_each(|(line, reason)| self.import.problem(kind, format!("{place}, line {line}"), reason));
    }

    fn add_dump(&mut self, dump: slackdump::Dump) {
        self.names = dump.names;
        for channel in dump.channels {
            if channel.direct {
                self.direct.insert(channel.name.clone());
            }
            for (i, message) in channel.messages.iter().enumerate() {
                self.add(message, &channel.name, Some(&channel.id), false, &channel.name, i + 1);
            }
        }
    }

    /// The id of a conversation, in its own workspace or in the organisation.
    fn id_of(&self, channel: &str) -> Option<&str> {
        let inner = channel.rsplit('/').next().unwrap_or(channel);
        self.ids.get(channel).or_else(|| self.ids.get(inner)).map(String::as_str)
    }

    /// Why a conversation is not read, if it isn't.
    fn left_out(&self, channel: &str, id: Option<&str>, is_named: bool) -> Option<&'static str> {
        let id = id.or_else(|| self.id_of(channel));
        let inner = channel.rsplit('/').next().unwrap_or(channel);
        let is_direct =
            [Some(inner), id].into_iter().flatten().any(|name| self.direct.contains(name) || looks_direct(name));
        match self.choice.channels.is_empty() {
            _ if self.choice.names(channel, id) => None,
            false => Some("message of another channel"),
            true if is_direct && !self.choice.direct && !is_named => Some("direct message"),
            true => None,
        }
    }

    fn add(&mut self, value: &Value, channel: &str, id: Option<&str>, is_named: bool, file: &str, number: usize) {
        let left_out = self.left_out(channel, id, is_named);
        let at = || format!("{file}, message {number}");
        self.add_value(value, &Place { channel, left_out, at: &at });
        for reply in value.get("slackdump_thread_replies").and_then(Value::as_array).into_iter().flatten() {
            self.add_value(reply, &Place { channel, left_out, at: &at });
        }
    }

    /// A message, or what became of one: Slack's exports tell edits and deletions as messages of their own.
    fn add_value(&mut self, value: &Value, place: &Place<'_>) {
        let word = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let before = ["previous_message", "original"].into_iter().find_map(|name| value.get(name));
        let key = |ts: String| (place.channel.to_owned(), ts);
        match word(value, "subtype").as_str() {
            "message_changed" => {
                if let Some(message @ Value::Object(_)) = value.get("message") {
                    let edited = message.get("edited").map_or(String::new(), |edited| word(edited, "ts"));
                    let edited = if edited.is_empty() { word(value, "ts") } else { edited };
                    return match word(message, "subtype").as_str() {
                        "tombstone" => drop(self.deleted.insert(key(word(message, "ts")))),
                        _ => self.take(message, &edited, place),
                    };
                }
                self.import.skip("message_changed", (place.at)());
            }
            "message_deleted" => {
                let ts = [word(value, "deleted_ts"), before.map_or(String::new(), |before| word(before, "ts"))];
                match ts.into_iter().find(|ts| !ts.is_empty()) {
                    Some(ts) => drop(self.deleted.insert(key(ts))),
                    None => self.import.skip("message_deleted", (place.at)()),
                }
            }
            "tombstone" => {
                self.deleted.insert(key(word(value, "ts")));
                self.import.skip("tombstone", (place.at)());
            }
            _ => {
                let edited = value.get("edited").map_or(String::new(), |edited| word(edited, "ts"));
                let edited = if edited.is_empty() { word(value, "ts") } else { edited };
                self.take(value, &edited, place);
            }
        }
    }

    fn take(&mut self, value: &Value, edited: &str, place: &Place<'_>) {
        match message(value, place.channel, &self.names) {
            Ok((message, previews)) => {
                let edited = crate::time::parse(edited).or(message.at()).unwrap_or_default();
                self.add_message(message, Some(edited), place.left_out.is_some());
                match place.left_out {
                    Some(kind) => self.import.skip(kind, (place.at)()),
                    None => (0..previews).for_each(|_| self.import.skip("preview of a link", (place.at)())),
                }
            }
            Err(Left::Kind(kind)) => self.import.skip(&kind, (place.at)()),
            Err(Left::Bad(reason)) => self.import.problem("malformed", (place.at)(), reason),
        }
    }

    /// Keeps a message unless a later state of it is known.
    fn add_message(&mut self, message: Message, edited: Option<Timestamp>, left_out: bool) {
        if left_out {
            *self.seen.entry(message.channel.clone()).or_default() += 1;
            return;
        }
        let edited = edited.or(message.at()).unwrap_or_default();
        let at = format!("ts {}", message.ts);
        match self.messages.entry((message.channel.clone(), message.ts.clone())) {
            std::collections::hash_map::Entry::Vacant(free) => drop(free.insert((edited, message))),
            std::collections::hash_map::Entry::Occupied(mut known) => {
                let kind = if known.get().1.text == message.text { "duplicate" } else { "older text of a message" };
                if known.get().0 <= edited && kind != "duplicate" {
                    known.insert((edited, message));
                }
                self.import.skip(kind, at);
            }
        }
    }

    fn finish(mut self, path: &Path) -> Result<(Vec<Message>, Import), Error> {
        let mut gone: Vec<_> = self.messages.keys().filter(|key| self.deleted.contains(*key)).cloned().collect();
        gone.sort();
        for key in gone {
            self.messages.remove(&key);
            self.import.skip("deleted message", format!("ts {}", key.1));
        }
        let mut messages: Vec<Message> =
            std::mem::take(&mut self.messages).into_values().map(|(_, message)| message).collect();
        messages.sort_by(|a, b| (a.at(), &a.ts, &a.channel).cmp(&(b.at(), &b.ts, &b.channel)));
        let mut read: BTreeMap<&str, usize> = BTreeMap::new();
        messages.iter().for_each(|message| *read.entry(&message.channel).or_default() += 1);
        let listed = |counts: Vec<(&str, usize)>| {
            let shown: Vec<String> = counts.iter().take(20).map(|(name, count)| format!("{name} ({count})")).collect();
            let more = counts.len().saturating_sub(20);
            shown.join(", ") + &if more > 0 { format!(" and {more} more") } else { String::new() }
        };
        for wanted in &self.choice.channels {
            let choice = Choice { channels: vec![wanted.clone()], direct: false };
            let is = |name: &str| choice.names(name, self.id_of(name));
            if !read.keys().any(|name| is(name)) && !self.names.values().any(|name| is(name)) {
                let all: Vec<(&str, usize)> = self.seen.iter().map(|(name, count)| (name.as_str(), *count)).collect();
                let all: Vec<(&str, usize)> = read.into_iter().chain(all).collect();
                return Err(Error::NoChannel { channel: wanted.clone(), path: path.into(), has: listed(all) });
            }
        }
        if read.len() > 1 || !self.seen.is_empty() {
            self.import.notes.push(format!("Messages by channel: {}.", listed(read.into_iter().collect())));
        }
        if !self.seen.is_empty() {
            let left = self.seen.iter().map(|(name, count)| (name.as_str(), *count)).collect();
            self.import.notes.push(format!("Not read, because not asked for: {}.", listed(left)));
        }
        Ok((messages, self.import))
    }
}

/// Whether a conversation's name is one that Slack gives to direct messages.
fn looks_direct(name: &str) -> bool {
    let is_id = name.len() >= 9 && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    name.starts_with("mpdm-") || is_id && name.starts_with('D')
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

/// Slack's text of messages whose content is in blocks only.
const UNDISPLAYED: &str = "This content can't be displayed.";

/// A message, and how many previews of links are left out of its text.
fn message(value: &Value, channel: &str, names: &Names) -> Result<(Message, usize), Left> {
    let raw = Raw::deserialize(value).map_err(|e| Left::Bad(e.to_string()))?;
    let subtype = raw.subtype.unwrap_or_default();
    kept(raw.kind.as_deref().unwrap_or("message"), &subtype, raw.bot_id.is_some())?;
    let user = raw.user.or(raw.username).unwrap_or_default();
    let own = text::clean(&raw.text.unwrap_or_default(), names);
    let own = if own.trim() == UNDISPLAYED { String::new() } else { own };
    let (text, previews) = blocks::text(own, value, names);
    Ok((checked(raw.ts.unwrap_or_default(), user, channel, &text, raw.thread_ts)?, previews))
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
    without_nul("the text", text).map_err(Left::Bad)?;
    without_nul("the ts", &ts).map_err(Left::Bad)?;
    Ok(Message { ts, user, channel: channel.to_owned(), text: text.to_owned(), thread_ts })
}

/// What ids are shown as, by the first of these fields; anything else in the file is ignored.
fn listed(bytes: Vec<u8>, fields: &[&str]) -> Names {
    let mut names = Names::new();
    let text = encoding::decode(bytes).map(|text| text.text).unwrap_or_default();
    values::each(&text, |_, value| {
        let Ok(value) = value else { return };
        let word = |field: &str| value.get(field).and_then(Value::as_str).filter(|word| !word.is_empty());
        if let (Some(id), Some(name)) = (word("id"), fields.iter().find_map(|field| word(field))) {
            names.insert(id.to_owned(), name.to_owned());
        }
    });
    names
}

#[cfg(test)]
mod tests;
