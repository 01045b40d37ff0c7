//! Lambda Cloud's public API, version 1.

use std::time::Duration;

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use ureq::Agent;

use crate::{Error, Instance, InstanceState, Key, Launch, Offer, Provider, Result};

/// Where the API is.
const ORIGIN: &str = "https://cloud.lambda.ai";
/// Where a key is made.
const PAGE: &str = "https://cloud.lambda.ai/api-keys/cloud-api";
/// Where a key is looked for.
pub(crate) const VARIABLES: [&str; 2] = ["LAMBDA_LABS_API_KEY", "LAMBDA_API_KEY"];
/// Its name for people.
const NAME: &str = "Lambda Cloud";
/// How long a call may take in all.
const LIMIT: Duration = Duration::from_secs(50);
/// Longest answer, in bytes.
const LONGEST: u64 = 8 << 20;

/// Lambda Cloud.
#[derive(Debug)]
pub struct Lambda {
    origin: String,
    key: Key,
    agent: Agent,
}

/// Every answer is `{"data": …}` or `{"error": …}`.
#[derive(Deserialize)]
struct Answer<T> {
    data: T,
}

#[derive(Deserialize)]
struct Failure {
    error: Said,
}

#[derive(Deserialize)]
struct Said {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    suggestion: Option<String>,
}

#[derive(Deserialize)]
struct Available {
    instance_type: Kind,
    #[serde(default)]
    regions_with_capacity_available: Vec<Named>,
}

#[derive(Deserialize)]
struct Kind {
    name: String,
    #[serde(default)]
    description: String,
    price_cents_per_hour: u32,
    #[serde(default)]
    specs: Specs,
}

#[derive(Default, Deserialize)]
struct Specs {
    #[serde(default)]
    gpus: u32,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Deserialize)]
struct Listed {
    id: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    ip: Option<String>,
    status: String,
    #[serde(default)]
    region: Option<Named>,
    #[serde(default)]
    instance_type: Option<Named>,
}

#[derive(Deserialize)]
struct Launched {
    instance_ids: Vec<String>,
}

#[derive(Deserialize)]
struct SshKey {
    name: String,
    public_key: String,
}

impl Lambda {
    /// With the key that the environment holds.
    ///
    /// # Errors
    /// [`Error::NoKey`]; [`Error::BadKey`].
    pub fn from_env(variable: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let key = Key::find(NAME, &VARIABLES, PAGE, &variable)?;
        // For tests, and for a proxy that is trusted with the key.
        let origin = variable("LAMBDA_API_URL").filter(|url| !url.is_empty());
        Ok(Self::at(origin.as_deref().unwrap_or(ORIGIN), key))
    }

    /// At another address.
    #[must_use]
    pub fn at(origin: &str, key: Key) -> Self {
        // The key goes where it is meant to go and nowhere else: no redirects.
        let config = Agent::config_builder()
            .timeout_global(Some(LIMIT))
            .timeout_connect(Some(Duration::from_secs(10)))
            .max_redirects(0)
            .http_status_as_error(false)
            .user_agent(concat!("graft/", env!("CARGO_PKG_VERSION")))
            .build();
        Self { origin: origin.trim_end_matches('/').to_owned(), key, agent: config.into() }
    }

    /// One call, once.
    fn call<T: DeserializeOwned>(&self, doing: &'static str, path: &str, body: Option<&Value>) -> Result<T> {
        let url = format!("{}/api/v1/{path}", self.origin);
        let bearer = format!("Bearer {}", self.key.0);
        let no_answer = |said: String| Error::NoAnswer { provider: NAME, doing, said: self.key.hide(&said) };
        let sent = match body {
            None => self.agent.get(&url).header("authorization", &bearer).call(),
            Some(body) => self
                .agent
                .post(&url)
                .header("authorization", &bearer)
                .header("content-type", "application/json")
                .send(body.to_string()),
        };
        let mut answer = sent.map_err(|error| no_answer(error.to_string()))?;
        let status = answer.status().as_u16();
        let text = answer.body_mut().with_config().limit(LONGEST).read_to_string();
        let text = text.map_err(|error| no_answer(error.to_string()))?;
        if status == 200 {
            let parsed = serde_json::from_str::<Answer<T>>(&text);
            return parsed
                .map(|answer| answer.data)
                .map_err(|error| no_answer(format!("its response is damaged: {error}")));
        }
        Err(self.failure(doing, status, &text))
    }

    fn failure(&self, doing: &'static str, status: u16, text: &str) -> Error {
        let provider = NAME;
        let said = serde_json::from_str::<Failure>(text).map(|failure| failure.error).ok();
        match status {
            401 => Error::BadKey { provider, page: PAGE },
            403 if said.as_ref().is_none_or(|said| said.code == "global/invalid-api-key") => {
                Error::BadKey { provider, page: PAGE }
            }
            429 => Error::TooMany { provider, doing },
            400..=499 if status != 408 => {
                let said = match said {
                    Some(Said { code, message, suggestion }) => {
                        let more = suggestion.map(|more| format!(" ({more})")).unwrap_or_default();
                        format!("{message}{more} [{code}]")
                    }
                    None => format!("it responded with status {status}"),
                };
                Error::Refused { provider, doing, said: self.key.hide(&said) }
            }
            _ => Error::NoAnswer { provider, doing, said: format!("it responded with status {status}") },
        }
    }
}

impl Provider for Lambda {
    fn name(&self) -> &'static str {
        "lambda"
    }

    fn offers(&self) -> Result<Vec<Offer>> {
        let all: std::collections::BTreeMap<String, Available> =
            self.call("look for machines", "instance-types", None)?;
        let of = |available: Available| {
            let Available { instance_type, regions_with_capacity_available } = available;
            let Kind { name, description, price_cents_per_hour, specs } = instance_type;
            regions_with_capacity_available.into_iter().map(move |region| Offer {
                kind: name.clone(),
                description: description.clone(),
                region: region.name,
                cents_per_hour: price_cents_per_hour,
                gpus: specs.gpus,
            })
        };
        Ok(crate::choose(all.into_values().flat_map(of).collect(), &[], &[]))
    }

    fn launch(&self, launch: &Launch<'_>) -> Result<String> {
        let Launch { offer, name, ssh_key } = launch;
        let body = json!({
            "region_name": offer.region,
            "instance_type_name": offer.kind,
            "ssh_key_names": [ssh_key],
            "quantity": 1,
            "name": name,
        });
        match self.call::<Launched>("launch a machine", "instance-operations/launch", Some(&body)) {
            Ok(launched) => launched.instance_ids.into_iter().next().ok_or(Error::NoAnswer {
                provider: NAME,
                doing: "launch a machine",
                said: "its response names no machine".into(),
            }),
            Err(Error::Refused { said, .. }) if said.contains("insufficient-capacity") => {
                Err(Error::NoCapacity { provider: NAME, what: format!("no `{}` in {}", offer.kind, offer.region) })
            }
            Err(error) => Err(error),
        }
    }

    fn instances(&self) -> Result<Vec<Instance>> {
        let listed: Vec<Listed> = self.call("list machines", "instances", None)?;
        let name = |named: Option<Named>| named.map(|named| named.name).unwrap_or_default();
        let of = |listed: Listed| Instance {
            state: match listed.status.as_str() {
                "booting" => InstanceState::Booting,
                "active" => InstanceState::Active,
                "unhealthy" => InstanceState::Unhealthy,
                "terminating" => InstanceState::Ending,
                "terminated" | "preempted" => InstanceState::Terminated,
                _ => InstanceState::Unknown,
            },
            id: listed.id,
            name: listed.name,
            ip: listed.ip,
            kind: name(listed.instance_type),
            region: name(listed.region),
        };
        Ok(listed.into_iter().map(of).collect())
    }

    fn terminate(&self, id: &str) -> Result<()> {
        let body = json!({"instance_ids": [id]});
        match self.call::<Value>("terminate a machine", "instance-operations/terminate", Some(&body)) {
            Err(Error::Refused { said, .. }) if said.contains("object-does-not-exist") => Ok(()),
            ended => ended.map(drop),
        }
    }

    fn ensure_key(&self, name: &str, public: &str) -> Result<String> {
        let doing = "add an ssh key";
        // Type and key, without the comment.
        let core = |key: &str| key.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
        let keys: Vec<SshKey> = self.call("list ssh keys", "ssh-keys", None)?;
        if let Some(same) = keys.iter().find(|key| core(&key.public_key) == core(public)) {
            return Ok(same.name.clone());
        }
        if keys.iter().any(|key| key.name == name) {
            let said = format!("another key of the account is called `{name}`");
            return Err(Error::Refused { provider: NAME, doing, said });
        }
        let body = json!({"name": name, "public_key": public.trim()});
        self.call::<SshKey>(doing, "ssh-keys", Some(&body)).map(|key| key.name)
    }
}
