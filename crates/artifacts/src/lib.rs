//! Publishes folders to a bucket (Amazon S3 or a compatible server, Google Cloud, Azure) or to a folder on disk.
//!
//! A published folder is its files and a list of them with sizes and digests. The list is written last and removed
//! first, so a folder without its list counts as absent. Fetched files are checked against the list.

mod address;
mod error;
mod list;
mod profile;

use std::{collections::BTreeMap, fmt, sync::Arc};

use futures_util::TryStreamExt as _;
use graft_core::{Digest, Timestamp};
use object_store::{Error as StoreError, ObjectStore, ObjectStoreExt as _, path::Path};

pub use error::{Error, ErrorText};
use list::{FileList, LIST};

/// The files of a folder: name and content.
pub type Files = Vec<(String, Vec<u8>)>;

/// A store of published folders.
#[derive(Clone)]
pub struct Artifacts {
    store: Arc<dyn ObjectStore>,
    name: Arc<str>,
}

/// Prints the name only, because the store's own `Debug` may print credentials.
impl fmt::Debug for Artifacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Artifacts").field(&self.name).finish()
    }
}

/// A folder as the bucket lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its path within the place.
    pub folder: String,
    /// When an object of the folder was last written, in milliseconds since 1970 by the bucket's clock.
    pub written_at: Timestamp,
    /// Whether the folder has its list. Without one it was written or removed only partly.
    pub is_whole: bool,
}

impl Artifacts {
    /// Opens the store that a URL names: `s3://bucket/prefix`, `gs://…`, `az://…` or `file:///folder`. Region, endpoint
    /// and keys come from `variables`, such as those of the environment, under the providers' own names.
    ///
    /// # Errors
    /// [`Error::Address`], [`Error::Open`], [`Error::Profile`]; [`Error::Plain`] for an endpoint elsewhere without TLS.
    pub fn open(url: &str, variables: impl IntoIterator<Item = (String, String)>) -> Result<Self, Error> {
        Ok(Self { store: address::open(url, variables)?, name: url.trim_end_matches('/').into() })
    }

    /// Its URL.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Publishes a folder: its files first, then the list. Publishing the same files again changes nothing.
    ///
    /// # Errors
    /// [`Error::Transfer`]; the folder is not visible then.
    pub async fn publish(&self, folder: &str, files: &[(String, Vec<u8>)]) -> Result<(), Error> {
        let list = FileList::of(files);
        if self.list_of(folder).await?.as_ref() == Some(&list) {
            return Ok(());
        }
        for (name, bytes) in files {
            self.put(&format!("{folder}/{name}"), bytes.clone()).await?;
        }
        self.put(&format!("{folder}/{LIST}"), list.to_bytes()).await
    }

    /// Whether a folder is published.
    ///
    /// # Errors
    /// [`Error::Transfer`]; [`Error::Damaged`].
    pub async fn contains(&self, folder: &str) -> Result<bool, Error> {
        Ok(self.list_of(folder).await?.is_some())
    }

    /// The files of a published folder, each checked against the size and digest in the list.
    ///
    /// # Errors
    /// [`Error::Missing`]; [`Error::Damaged`]; [`Error::Transfer`].
    pub async fn fetch(&self, folder: &str) -> Result<Files, Error> {
        let missing = || Error::Missing { place: self.name.to_string(), folder: folder.to_owned() };
        let list = self.list_of(folder).await?.ok_or_else(missing)?;
        let mut files = Vec::new();
        for (name, wanted) in &list.files {
            let object = format!("{folder}/{name}");
            let damaged = |what: String| Error::Damaged { object: self.url(&object), what };
            let bytes = self.get(&object).await?.ok_or_else(|| damaged("it is gone".into()))?;
            if bytes.len() as u64 != wanted.size {
                return Err(damaged(format!("it has {} bytes, but its list says {}", bytes.len(), wanted.size)));
            }
            if Digest::of(&bytes) != wanted.digest {
                return Err(damaged("its content differs from what was published".into()));
            }
            files.push((name.clone(), bytes));
        }
        Ok(files)
    }

    /// Removes a folder. The list goes first, so readers never see a folder that is partly removed.
    ///
    /// # Errors
    /// [`Error::Transfer`]; without its list, the rest counts as absent.
    pub async fn remove(&self, folder: &str) -> Result<(), Error> {
        self.delete(&format!("{folder}/{LIST}")).await?;
        for (object, _) in self.objects(folder).await? {
            self.delete(&object).await?;
        }
        Ok(())
    }

    /// Every folder two levels below one, such as `adapters/<task>/<run>`.
    ///
    /// # Errors
    /// [`Error::Transfer`].
    pub async fn folders(&self, below: &str) -> Result<Vec<Stored>, Error> {
        let mut found: BTreeMap<String, Stored> = BTreeMap::new();
        for (object, written_at) in self.objects(below).await? {
            let Some((folder, file)) = object.rsplit_once('/').filter(|(folder, _)| folder.matches('/').count() == 2)
            else {
                continue;
            };
            let fresh = Stored { folder: folder.to_owned(), written_at, is_whole: false };
            let stored = found.entry(folder.to_owned()).or_insert(fresh);
            stored.written_at = stored.written_at.max(written_at);
            stored.is_whole |= file == LIST;
        }
        Ok(found.into_values().collect())
    }

    /// The content of an object, or `None` if it does not exist.
    ///
    /// # Errors
    /// [`Error::Transfer`].
    pub async fn get(&self, object: &str) -> Result<Option<Vec<u8>>, Error> {
        let got = match self.store.get(&Path::from(object)).await {
            Ok(found) => found.bytes().await,
            Err(error) => Err(error),
        };
        match got {
            Ok(bytes) => Ok(Some(bytes.into())),
            // A missing bucket gives the same status as a missing object.
            Err(StoreError::NotFound { source, .. }) if !source.to_string().contains("NoSuchBucket") => Ok(None),
            Err(error) => Err(Error::transfer("fetch", self.url(object), &error)),
        }
    }

    /// Writes one object.
    ///
    /// # Errors
    /// [`Error::Transfer`].
    pub async fn put(&self, object: &str, bytes: Vec<u8>) -> Result<(), Error> {
        let put = self.store.put(&Path::from(object), bytes.into()).await;
        put.map(drop).map_err(|error| Error::transfer("store", self.url(object), &error))
    }

    /// Removes one object. Removing an absent object succeeds.
    async fn delete(&self, object: &str) -> Result<(), Error> {
        match self.store.delete(&Path::from(object)).await {
            Ok(()) | Err(StoreError::NotFound { .. }) => Ok(()),
            Err(error) => Err(Error::transfer("remove", self.url(object), &error)),
        }
    }

    /// The objects below a folder, recursively, each with the time it was written.
    async fn objects(&self, below: &str) -> Result<Vec<(String, Timestamp)>, Error> {
        let listed: Result<Vec<_>, _> = self.store.list(Some(&Path::from(below))).try_collect().await;
        let mut listed = listed.map_err(|error| Error::transfer("list", self.url(below), &error))?;
        listed.sort_by(|one, other| one.location.cmp(&other.location));
        Ok(listed.into_iter().map(|o| (o.location.into(), o.last_modified.timestamp_millis())).collect())
    }

    async fn list_of(&self, folder: &str) -> Result<Option<FileList>, Error> {
        let object = format!("{folder}/{LIST}");
        let Some(bytes) = self.get(&object).await? else { return Ok(None) };
        FileList::read(&bytes).map(Some).map_err(|what| Error::Damaged { object: self.url(&object), what })
    }

    fn url(&self, object: &str) -> String {
        format!("{}/{object}", self.name)
    }
}
