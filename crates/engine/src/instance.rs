//! The id that ties a home, its database and its bucket together.

use std::fs;

use serde_json::json;

use crate::{
    Engine, Result,
    files::{apart, folders},
    now,
};

/// Name of the setting that ties a home to its database, and of the file and the object that hold the same word.
pub(crate) const INSTANCE: &str = "instance";

/// What fails where the file of the word can't be read or written to its end.
const READ: &str = "read the id of the home";

impl Engine {
    /// Whether this home belongs to this database: each keeps the same random word.
    pub(crate) async fn is_ours(&self) -> Result<bool> {
        let path = self.home.path().join("instance");
        let kept = path.clone();
        let read = move || Ok(fs::read_to_string(kept).ok().map(|word| word.trim().to_owned()));
        let here = apart(READ, read).await?;
        let there = self.store.setting(INSTANCE).await?.and_then(|word| Some(word.value.as_str()?.to_owned()));
        match (here, there) {
            (Some(here), Some(there)) => Ok(here == there),
            (None, Some(there)) => {
                // What lies in a home that is new to this database may be another's.
                let home = self.home.clone();
                let take = move || {
                    let is_empty =
                        |name: &&str| folders(&home.path().join(name)).is_ok_and(|folders| folders.is_empty());
                    let fresh = ["runs", "adapters"].iter().all(is_empty);
                    if fresh {
                        graft_formats::atomic::bytes(&path, there.as_bytes())?;
                    }
                    Ok(fresh)
                };
                apart(READ, take).await
            }
            (Some(_), None) => Ok(false),
            (None, None) => {
                let word = self.new_instance();
                self.store.set_setting(INSTANCE, &json!(word), &self.by, now()).await?;
                apart(READ, move || Ok(graft_formats::atomic::bytes(&path, word.as_bytes())?)).await?;
                Ok(true)
            }
        }
    }

    /// A word that no other database has.
    pub(crate) fn new_instance(&self) -> String {
        graft_core::Digest::of(format!("{} {}", self.me, now()).as_bytes()).short().to_owned()
    }
}
