//! Whose requests they are. Keys are looked for where AWS's own programs look, in their order: variables, the shared
//! file, the container's role, the machine's role. Those of a role end after hours, and are renewed before.
//!
//! <https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html>

use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use ureq::{Agent, http::Request};

use crate::{Error, address::is_loopback, client::Fault, sign::Keys};

/// Keys that end sooner than this are renewed.
const MARGIN: SignedDuration = SignedDuration::from_mins(5);
/// How long keys of a file are used before it is read again: other programs renew them there.
const OF_A_FILE: SignedDuration = SignedDuration::from_mins(6);
/// How long a role's server, which is on this machine or next to it, may take. Elsewhere there is none.
const PATIENCE: Duration = Duration::from_secs(2);
/// Most bytes of what it says.
const MOST: u64 = 64 << 10;
/// The servers of containers' roles, which are asked without TLS.
const CONTAINERS: [&str; 3] = ["http://169.254.170.2", "http://169.254.170.23", "http://[fd00:ec2::23]"];

/// The keys that are used now, and where the next ones come from.
pub(crate) struct Credentials {
    region: String,
    source: Source,
    held: Mutex<Option<Held>>,
}

enum Source {
    Fixed(Keys),
    File { path: PathBuf, profile: String },
    Container { url: String, token: Option<String>, token_file: Option<PathBuf> },
    Machine { endpoint: String },
}

#[derive(Clone)]
struct Held {
    keys: Keys,
    until: Timestamp,
}

/// What a role's server says.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Role {
    access_key_id: String,
    secret_access_key: String,
    token: String,
    expiration: String,
}

/// Not the keys.
impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("from", &self.source.name()).finish_non_exhaustive()
    }
}

impl Credentials {
    /// Finds out where the keys are, without asking anybody.
    pub(crate) fn find(region: String, known: &BTreeMap<String, String>) -> Result<Self, Error> {
        let get = |name: &str| known.get(name).cloned();
        let of = |source| Ok(Self { region: region.clone(), source, held: Mutex::new(None) });
        if let Some(id) = get("AWS_ACCESS_KEY_ID") {
            let secret = get("AWS_SECRET_ACCESS_KEY").ok_or(Error::Unset("AWS_SECRET_ACCESS_KEY"))?;
            return of(Source::Fixed(Keys { region: region.clone(), id, secret, token: get("AWS_SESSION_TOKEN") }));
        }
        let home = || Some(PathBuf::from(get("HOME").or_else(|| get("USERPROFILE"))?).join(".aws/credentials"));
        let named = get("AWS_SHARED_CREDENTIALS_FILE").map(PathBuf::from).or_else(home);
        let (asked, profile) = (get("AWS_PROFILE"), get("AWS_PROFILE").unwrap_or_else(|| "default".into()));
        if let Some(path) = named {
            let values = fs::read_to_string(&path).ok().and_then(|text| section(&text, &profile));
            if values.is_some_and(|values| values.contains_key("aws_access_key_id")) {
                return of(Source::File { path, profile });
            }
            if asked.is_some() {
                return Err(Error::Profile { profile, path });
            }
        }
        let container = get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI").map(|path| format!("{}{path}", CONTAINERS[0]));
        if let Some(url) = container.or_else(|| get("AWS_CONTAINER_CREDENTIALS_FULL_URI")) {
            let origin = url.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
            if !url.starts_with("https://") && !is_loopback(&origin) && !CONTAINERS.contains(&origin.as_str()) {
                return Err(Error::Plain(url));
            }
            let token_file = get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE").map(PathBuf::from);
            return of(Source::Container { url, token: get("AWS_CONTAINER_AUTHORIZATION_TOKEN"), token_file });
        }
        if known.get("AWS_EC2_METADATA_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return Err(Error::Unset("AWS_ACCESS_KEY_ID"));
        }
        let endpoint = get("AWS_EC2_METADATA_SERVICE_ENDPOINT").unwrap_or_else(|| "http://169.254.169.254".into());
        of(Source::Machine { endpoint: endpoint.trim_end_matches('/').to_owned() })
    }

    /// Keys that are good for some minutes at least; as long as the last ones are good, a server that fails is forgiven.
    pub(crate) fn keys(&self, agent: &Agent) -> Result<Keys, Fault> {
        if let Source::Fixed(keys) = &self.source {
            return Ok(keys.clone());
        }
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Timestamp::now();
        let lasts = |held: &Held, margin| held.until.duration_since(now) > margin;
        if let Some(held) = held.as_ref().filter(|held| lasts(held, MARGIN)) {
            return Ok(held.keys.clone());
        }
        match self.fresh(agent, now) {
            Ok(fresh) => Ok(held.insert(fresh).keys.clone()),
            Err(why) => match held.as_ref().filter(|held| lasts(held, SignedDuration::ZERO)) {
                Some(held) => Ok(held.keys.clone()),
                None => Err(Fault::Refused(format!("no keys from {}: {why}", self.source.name()))),
            },
        }
    }

    fn fresh(&self, agent: &Agent, now: Timestamp) -> Result<Held, String> {
        let role = match &self.source {
            Source::Fixed(keys) => return Ok(Held { keys: keys.clone(), until: Timestamp::MAX }),
            Source::File { path, profile } => {
                let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
                let values = section(&text, profile).ok_or("the profile is gone")?;
                let get = |name: &str| values.get(name).cloned();
                let need = |name: &str| get(name).ok_or_else(|| format!("it has no {name}"));
                let (id, secret) = (need("aws_access_key_id")?, need("aws_secret_access_key")?);
                let keys = Keys { region: self.region.clone(), id, secret, token: get("aws_session_token") };
                return Ok(Held { keys, until: now + OF_A_FILE });
            }
            Source::Container { url, token, token_file } => {
                let read =
                    |path: &PathBuf| fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()));
                let token = token_file.as_ref().map(read).transpose()?.or_else(|| token.clone());
                ask(agent, "GET", url, token.as_ref().map(|token| ("authorization", token.trim())))?
            }
            Source::Machine { endpoint } => {
                let token = ask(agent, "PUT", &format!("{endpoint}/latest/api/token"), Some((TTL, "60")))?;
                let token = Some(("x-aws-ec2-metadata-token", token.as_str()));
                let roles = format!("{endpoint}/latest/meta-data/iam/security-credentials/");
                let name = ask(agent, "GET", &roles, token)?;
                let name = name.lines().next().ok_or("the machine has no role")?;
                ask(agent, "GET", &format!("{roles}{name}"), token)?
            }
        };
        // What the parser says might show the keys.
        let role: Role = serde_json::from_str(&role).map_err(|_| "it sent something else than keys")?;
        let until =
            role.expiration.parse().map_err(|_| format!("`{}` is no time", role.expiration.escape_default()))?;
        let (id, secret) = (role.access_key_id, role.secret_access_key);
        Ok(Held { keys: Keys { region: self.region.clone(), id, secret, token: Some(role.token) }, until })
    }
}

/// Seconds that a token of the machine's server is good for.
const TTL: &str = "x-aws-ec2-metadata-token-ttl-seconds";

impl Source {
    fn name(&self) -> String {
        match self {
            Self::Fixed(_) => "AWS_ACCESS_KEY_ID".into(),
            Self::File { path, profile } => format!("profile `{profile}` of `{}`", path.display()),
            Self::Container { url, .. } => format!("the container's role ({url})"),
            Self::Machine { endpoint } => {
                format!("variables, a shared file or a container, nor from the machine's role ({endpoint})")
            }
        }
    }
}

/// One request to a role's server.
fn ask(agent: &Agent, method: &str, url: &str, header: Option<(&str, &str)>) -> Result<String, String> {
    let said = |error: &dyn std::fmt::Display| error.to_string();
    let mut request = Request::builder().method(method).uri(url);
    if let Some((name, value)) = header {
        request = request.header(name, value);
    }
    if method == "PUT" {
        // Otherwise its empty body were sent in chunks, which such small servers need not know.
        request = request.header("content-length", "0");
    }
    let request = request.body(()).map_err(|error| said(&error))?;
    let request = agent.configure_request(request).timeout_global(Some(PATIENCE)).build();
    let mut answer = agent.run(request).map_err(|error| said(&error))?;
    if !answer.status().is_success() {
        return Err(format!("it answers {}", answer.status()));
    }
    answer.body_mut().with_config().limit(MOST).read_to_string().map_err(|error| said(&error))
}

/// The values of a profile in AWS's shared file.
fn section(text: &str, profile: &str) -> Option<BTreeMap<String, String>> {
    let name = |line: &str| Some(line.strip_prefix('[')?.strip_suffix(']')?.trim().to_owned());
    let mut lines = text.lines().map(str::trim).skip_while(|line| name(line).as_deref() != Some(profile));
    lines.next()?;
    let pairs = lines.take_while(|line| name(line).is_none()).filter(|line| !line.starts_with(['#', ';']));
    let pairs = pairs.filter_map(|line| line.split_once('='));
    Some(pairs.map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(pairs: &[(&str, &str)]) -> Result<String, Error> {
        let known = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Credentials::find("eu-1".into(), &known).map(|found| format!("{found:?}"))
    }

    #[test]
    fn keys_are_looked_for_in_amazons_order_and_never_shown() {
        let keys = [("AWS_ACCESS_KEY_ID", "id"), ("AWS_SECRET_ACCESS_KEY", "hush"), ("AWS_PROFILE", "nobody")];
        assert!(find(&keys).is_ok_and(|found| found.contains("AWS_ACCESS_KEY_ID") && !found.contains("hush")));
        assert!(matches!(find(&keys[..1]), Err(Error::Unset("AWS_SECRET_ACCESS_KEY"))));
        let missing = [("AWS_PROFILE", "nobody"), ("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")];
        assert!(matches!(find(&missing), Err(Error::Profile { .. })));
        let container = |url| find(&[("AWS_CONTAINER_CREDENTIALS_FULL_URI", url)]);
        for safe in ["http://127.0.0.1:1/x", "http://169.254.170.23/v1/credentials", "https://elsewhere/x"] {
            assert!(container(safe).is_ok_and(|found| found.contains(safe)), "{safe}");
        }
        for plain in ["http://elsewhere/x", "http://169.254.170.23.example.org/x", "http://127.0.0.1@elsewhere/x"] {
            assert!(matches!(container(plain), Err(Error::Plain(_))), "{plain}");
        }
        assert!(find(&[]).is_ok_and(|found| found.contains("169.254.169.254")));
        assert!(matches!(find(&[("AWS_EC2_METADATA_DISABLED", "true")]), Err(Error::Unset(_))));
    }

    #[test]
    fn a_profile_is_read() {
        let text =
            "[default]\naws_access_key_id = a\n\n# old\n[ team ]\nAWS_ACCESS_KEY_ID=b\n;x=1\naws_session_token=c=d\n";
        let team = section(text, "team").unwrap();
        assert_eq!((team["aws_access_key_id"].as_str(), team["aws_session_token"].as_str()), ("b", "c=d"));
        assert_eq!(team.len(), 2);
        assert_eq!(section(text, "default").unwrap().len(), 1);
        assert_eq!(section(text, "nobody"), None);
    }
}
