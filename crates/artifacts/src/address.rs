//! Opens the object store that a URL names, with settings from the environment.

use std::{collections::BTreeMap, fmt::Display, fs, path::PathBuf, sync::Arc, time::Duration};

use graft_core::is_this_machine;
use object_store::{
    ClientOptions, ObjectStore, ObjectStoreScheme, RetryConfig,
    aws::{AmazonS3Builder, AmazonS3ConfigKey},
    azure::MicrosoftAzureBuilder,
    gcp::GoogleCloudStorageBuilder,
    local::LocalFileSystem,
    prefix::PrefixStore,
};
use url::Url;

use crate::{Error, profile::Profile};

/// Timeout while the server sends nothing. A whole request has no timeout, because adapters may be large.
const READ_TIMEOUT: Duration = Duration::from_secs(60);
const CONNECT: Duration = Duration::from_secs(10);
/// How often a failed request is sent again.
const RETRIES: usize = 3;

/// The provider's environment variables, with lowercase names as `object_store` expects them.
type Variables = BTreeMap<String, String>;

/// Opens the store that a URL names. Only `variables` with the prefixes of the URL's provider are used.
pub(crate) fn open(
    place: &str,
    variables: impl IntoIterator<Item = (String, String)>,
) -> Result<Arc<dyn ObjectStore>, Error> {
    let refuse = || Error::Address(place.to_owned());
    let url = Url::parse(place).map_err(|_| refuse())?;
    // `Url` would resolve these parts without an error.
    if place.split('/').any(|part| part == "." || part == "..") {
        return Err(refuse());
    }
    let (scheme, prefix) = ObjectStoreScheme::parse(&url).map_err(|_| refuse())?;
    let owner = match scheme {
        ObjectStoreScheme::AmazonS3 => "AWS_",
        ObjectStoreScheme::GoogleCloudStorage => "GOOGLE_",
        ObjectStoreScheme::MicrosoftAzure => "AZURE_",
        ObjectStoreScheme::Local => return folder(place, &url),
        _ => return Err(refuse()),
    };
    let (mut known, mut home) = (Variables::new(), None);
    for (name, value) in variables.into_iter().filter(|(_, value)| !value.is_empty()) {
        match name.as_str() {
            "HOME" => home = Some(PathBuf::from(value)),
            name if name.starts_with(owner) => drop(known.insert(name.to_ascii_lowercase(), value)),
            _ => {}
        }
    }
    // The TLS provider is installed once per process; an `Err` means that one is installed already, which is fine.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let failed = |error: object_store::Error| Error::open(place, &error);
    macro_rules! build {
        ($builder:expr) => {{
            let options = ClientOptions::new().with_timeout_disabled();
            let options = options.with_read_timeout(READ_TIMEOUT).with_connect_timeout(CONNECT);
            let retry = RetryConfig { max_retries: RETRIES, ..RetryConfig::default() };
            let builder = $builder.with_url(place).with_retry(retry).with_client_options(options);
            let builder = known.into_iter().fold(builder, |builder, (name, value)| match name.parse() {
                Ok(setting) => builder.with_config(setting, value),
                Err(_) => builder,
            });
            Arc::new(PrefixStore::new(builder.build().map_err(failed)?, prefix))
        }};
    }
    Ok(match scheme {
        ObjectStoreScheme::AmazonS3 => {
            let builder = amazon(&mut known, home)?;
            build!(builder)
        }
        ObjectStoreScheme::GoogleCloudStorage => build!(GoogleCloudStorageBuilder::new()),
        _ => build!(MicrosoftAzureBuilder::new()),
    })
}

/// Adds what `object_store` does not do for AWS: the endpoint for a machine's role, profiles in the shared file, and
/// plain HTTP for a server on this machine.
fn amazon(known: &mut Variables, home: Option<PathBuf>) -> Result<AmazonS3Builder, Error> {
    // Servers other than Amazon's often lack the bulk-delete request.
    let mut builder = AmazonS3Builder::new().with_disable_bulk_delete(true);
    if let Some(endpoint) = known.remove("aws_ec2_metadata_service_endpoint") {
        known.insert("aws_metadata_endpoint".into(), endpoint.trim_end_matches('/').into());
    }
    if let Some(endpoint) = known.get("aws_endpoint_url_s3").or_else(|| known.get("aws_endpoint_url")) {
        let url = Url::parse(endpoint).map_err(|error| Error::open(endpoint, &error))?;
        match url.scheme() {
            "http" if is_this_machine(url.as_str()) => drop(known.insert("aws_allow_http".into(), "true".into())),
            "http" if known.get("aws_allow_http").is_none_or(|value| value != "true") => {
                return Err(Error::Plain(endpoint.clone()));
            }
            "http" | "https" => {}
            scheme => return Err(Error::open(endpoint, &format!("`{scheme}` is not a supported URL scheme"))),
        }
    }
    if !known.contains_key(AmazonS3ConfigKey::AccessKeyId.as_ref())
        && let Some(profile) = Profile::find(known, home)?
    {
        builder = builder.with_credentials(Arc::new(profile));
    }
    Ok(builder)
}

/// A folder on disk, for example a network mount that several machines share.
fn folder(place: &str, url: &Url) -> Result<Arc<dyn ObjectStore>, Error> {
    let failed = |why: &dyn Display| Error::open(place, why);
    let path = url.to_file_path().map_err(|()| failed(&"it is not an absolute path on this machine"))?;
    fs::create_dir_all(&path).map_err(|error| failed(&error))?;
    let store = LocalFileSystem::new_with_prefix(path).map_err(|error| failed(&error))?;
    Ok(Arc::new(store.with_automatic_cleanup(true).with_fsync(true)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(url: &str, more: &[(&str, &str)]) -> Result<String, Error> {
        let keys = [("AWS_REGION", "eu-1"), ("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "hush")];
        let variables = keys.iter().chain(more).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        open(url, variables).map(|store| format!("{store} {store:?}"))
    }

    #[test]
    fn url_opens_bucket_or_folder() {
        let azure = [("AZURE_STORAGE_ACCOUNT_NAME", "me"), ("AZURE_STORAGE_ACCOUNT_KEY", "aGVsbG8=")];
        for (url, more) in [("s3://b/p/q/", &azure[..0]), ("s3://b.c", &[]), ("az://b/p", &azure)] {
            let store = opened(url, more).unwrap();
            assert!(store.starts_with("PrefixObjectStore"), "{store}");
        }
        let google = [("GOOGLE_BEARER_TOKEN", "token")];
        assert!(opened("gs://b/p", &google).is_ok_and(|store| store.contains("PrefixObjectStore(p)")));
        let dir = tempfile::tempdir().unwrap();
        let url = Url::from_file_path(dir.path().join("new/place")).unwrap();
        opened(url.as_str(), &[]).unwrap();
        assert!(dir.path().join("new/place").is_dir());
        for bad in ["s3:/x", "s3://", "ftp://b/x", "/some/folder", "s3://b/../c", "s3://b/c//d", "https://b.example/x"]
        {
            assert!(matches!(opened(bad, &[]), Err(Error::Address(_))), "{bad}");
        }
    }

    #[test]
    fn remote_endpoints_require_tls() {
        let at = |endpoint| opened("s3://b/p", &[("AWS_ENDPOINT_URL", endpoint)]);
        for here in
            ["https://minio.example.org:9000/", "http://127.0.0.1:9000", "http://localhost", "http://[::1]:9000"]
        {
            assert!(at(here).is_ok(), "{here}");
        }
        for there in ["http://10.0.0.1:9000", "http://127.0.0.1.example.org", "http://localhost.example.org:80"] {
            assert!(matches!(at(there), Err(Error::Plain(_))), "{there}");
        }
        assert!(matches!(at("minio:9000"), Err(Error::Open { .. })));
        let plain = [("AWS_ENDPOINT_URL", "http://minio:9000"), ("AWS_ALLOW_HTTP", "true")];
        assert!(opened("s3://b", &plain).is_ok());
    }

    #[test]
    fn credentials_are_found_in_amazons_order_and_not_printed() {
        let nobody = [("AWS_PROFILE", "nobody"), ("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")];
        assert!(opened("s3://b", &nobody).is_ok_and(|store| !store.contains("hush")));
        let given = |pairs: &[(&str, &str)]| {
            let variables = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            open("s3://b", variables).map(drop)
        };
        assert!(matches!(given(&nobody), Err(Error::Profile { .. })));
        assert!(matches!(given(&[("AWS_ACCESS_KEY_ID", "a")]), Err(Error::Open { .. })));
        assert!(given(&[]).is_ok(), "the machine's role is queried only when credentials are needed");
    }

    #[test]
    fn unprefixed_variables_are_ignored() {
        // `object_store` would accept these names without a prefix.
        let stray = [("BUCKET", "another"), ("TOKEN", "x"), ("ENDPOINT", "http://elsewhere"), ("GOOGLE_BUCKET", "y")];
        let store = opened("s3://mine", &stray).unwrap();
        assert!(store.contains("mine") && !store.contains("another") && !store.contains("elsewhere"), "{store}");
    }
}
