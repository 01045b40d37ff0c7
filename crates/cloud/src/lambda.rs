//! Lambda Cloud's public API, version 1.

use std::time::Duration;

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{
    Error, Instance, InstanceState, Key, Launch, Offer, Provider, Result,
    api::{Api, Method},
};

/// Where the API is.
const ORIGIN: &str = "https://cloud.lambda.ai";
/// Where a key is made.
const PAGE: &str = "https://cloud.lambda.ai/api-keys/cloud-api";
/// Where a key is looked for.
pub(crate) const VARIABLES: [&str; 2] = ["LAMBDA_LABS_API_KEY", "LAMBDA_API_KEY"];
/// Its name for people.
const NAME: &str = "Lambda Cloud";

/// Lambda Cloud.
#[derive(Debug)]
pub struct Lambda(Api);

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
        Self(Api::new(NAME, PAGE, origin, key))
    }

    /// One call, once.
    fn call<T: DeserializeOwned>(&self, doing: &'static str, path: &str, body: Option<&Value>) -> Result<T> {
        let method = body.map_or(Method::Get, Method::Post);
        let (status, text) = self.0.call(doing, method, &format!("api/v1/{path}"))?;
        if status == 200 {
            return self.0.parse::<Answer<T>>(doing, &text).map(|answer| answer.data);
        }
        let said = serde_json::from_str::<Failure>(&text).map(|failure| failure.error).ok();
        if status == 403 && said.as_ref().is_none_or(|said| said.code == "global/invalid-api-key") {
            return Err(self.0.bad_key());
        }
        let said = said.map(|Said { code, message, suggestion }| {
            let more = suggestion.map(|more| format!(" ({more})")).unwrap_or_default();
            format!("{message}{more} [{code}]")
        });
        Err(self.0.failure(doing, status, said))
    }
}

impl Provider for Lambda {
    fn name(&self) -> &'static str {
        "lambda"
    }

    fn unit_seconds(&self) -> u32 {
        60
    }

    fn boot(&self) -> Duration {
        Duration::from_secs(300)
    }

    fn end_itself(&self) -> &'static str {
        "sudo -n shutdown -h now || shutdown -h now || sudo -n poweroff || poweroff"
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
            Ok(launched) => launched
                .instance_ids
                .into_iter()
                .next()
                .ok_or_else(|| self.0.no_answer("launch a machine", "its response names no machine")),
            Err(Error::Refused { said, .. }) if said.contains("insufficient-capacity") => {
                let what = format!("no `{}` in {}", offer.kind, offer.region);
                Err(Error::NoCapacity { provider: NAME, what, said: None })
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
            address: listed.ip,
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
