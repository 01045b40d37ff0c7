//! Reads credentials from AWS's shared file, which `object_store` does not support.

use std::{collections::BTreeMap, fs, path::PathBuf, sync::Arc};

use object_store::{CredentialProvider, aws::AwsCredential};

use crate::Error;

/// A profile with its own credentials. It is read again for every request, because other programs renew the credentials
/// in the file.
#[derive(Debug)]
pub(crate) struct Profile {
    name: String,
    path: PathBuf,
}

impl Profile {
    /// Finds the profile that `AWS_PROFILE` names, otherwise the one called `default`.
    pub(crate) fn find(known: &BTreeMap<String, String>, home: Option<PathBuf>) -> Result<Option<Self>, Error> {
        let asked = known.get("aws_profile").cloned();
        let file = known.get("aws_shared_credentials_file").map(PathBuf::from);
        let Some(path) = file.or_else(|| Some(home?.join(".aws/credentials"))) else { return Ok(None) };
        let profile = Self { name: asked.clone().unwrap_or_else(|| "default".into()), path };
        match profile.keys() {
            Some(_) => Ok(Some(profile)),
            None if asked.is_some() => Err(profile.missing()),
            None => Ok(None),
        }
    }

    fn keys(&self) -> Option<AwsCredential> {
        let text = fs::read_to_string(&self.path).ok()?;
        let name = |line: &str| Some(line.strip_prefix('[')?.strip_suffix(']')?.trim().to_owned());
        let mut lines = text.lines().map(str::trim).skip_while(|line| name(line).as_deref() != Some(&self.name));
        lines.next()?;
        let pairs = lines.take_while(|line| name(line).is_none()).filter(|line| !line.starts_with(['#', ';']));
        let pairs = pairs.filter_map(|line| line.split_once('='));
        let mut keys: BTreeMap<String, String> =
            pairs.map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned())).collect();
        let key_id = keys.remove("aws_access_key_id")?;
        let secret_key = keys.remove("aws_secret_access_key")?;
        Some(AwsCredential { key_id, secret_key, token: keys.remove("aws_session_token") })
    }

    fn missing(&self) -> Error {
        Error::Profile { profile: self.name.clone(), path: self.path.clone() }
    }
}

#[async_trait::async_trait]
impl CredentialProvider for Profile {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        let missing = || object_store::Error::Unauthenticated {
            path: self.path.display().to_string(),
            source: Box::new(self.missing()),
        };
        self.keys().map(Arc::new).ok_or_else(missing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profile_credentials_are_parsed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("credentials");
        let text = "[default]\naws_access_key_id = a\n\n# old\n[ team ]\nAWS_ACCESS_KEY_ID=b\n;x=1\n\
                    aws_secret_access_key = hush\naws_session_token=c=d\n";
        fs::write(&path, text).unwrap();
        let find = |profile: Option<&str>| {
            let file = ("aws_shared_credentials_file".to_owned(), path.to_str().unwrap().to_owned());
            let named = profile.map(|name| ("aws_profile".to_owned(), name.to_owned()));
            Profile::find(&std::iter::once(file).chain(named).collect(), None)
        };
        let team = find(Some("team")).unwrap().unwrap();
        let keys = team.keys().unwrap();
        assert_eq!((keys.key_id.as_str(), keys.token.as_deref()), ("b", Some("c=d")));
        assert!(!format!("{team:?} {keys:?}").contains("hush"));
        assert!(matches!(find(Some("nobody")), Err(Error::Profile { .. })));
        assert!(find(None).unwrap().is_none(), "half of a key pair is not enough");
    }
}
