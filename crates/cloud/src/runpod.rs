//! RunPod's public REST API, version 2 (<https://docs.runpod.io/api-reference-v2/overview>). Version 1 is
//! deprecated and is to be retired on November 15, 2026. Field names and status codes are those of its OpenAPI document, version 2.0.0.
//!
//! A machine is a *pod*: a container of the Secure Cloud with one GPU. See [`RunPod::end_itself`](Provider::end_itself)
//! for what that means for its deadline.

use std::time::Duration;

use graft_core::dollars;
use serde::Deserialize;
use serde_json::json;

use crate::{
    Error, Instance, InstanceState, Key, Launch, Offer, Provider, Result,
    api::{Api, Method},
};

/// Where the API is (`servers` of the document).
const ORIGIN: &str = "https://api.runpod.io";
/// Where a key is made (<https://docs.runpod.io/get-started/api-keys>).
const PAGE: &str = "https://www.console.runpod.io/user/settings";
/// Where a key is looked for.
pub(crate) const VARIABLE: &str = "RUNPOD_API_KEY";
/// Its name for people.
const NAME: &str = "RunPod";
/// An official image, whose `start.sh` starts `sshd` for `PUBLIC_KEY` (`container-template/start.sh` of
/// <https://github.com/runpod/containers>). It contains cuBLAS.
const IMAGE: &str = "runpod/base:1.0.2-cuda1281-ubuntu2404";
/// What that image needs of the host's driver.
const CUDA: &str = "12.8";
/// Container disk, in GB.
const DISK: u32 = 40;
/// Price of that disk in cents an hour: $0.10 per GB and month (<https://docs.runpod.io/pods/pricing>), rounded up.
const DISK_CENTS: u32 = 1;

/// RunPod.
#[derive(Debug)]
pub struct RunPod {
    api: Api,
    image: String,
}

/// An error as of RFC 9457: schema `ErrorResponse`.
#[derive(Deserialize)]
struct Problem {
    detail: String,
    #[serde(default)]
    errors: Vec<String>,
}

/// Schema `ListGpuTypesResponse`.
#[derive(Deserialize)]
struct Gpus {
    gpus: Vec<GpuType>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GpuType {
    id: String,
    name: String,
    /// In GB.
    memory: u32,
    /// Whether the Secure Cloud has it at all.
    secure: bool,
    price: Price,
    /// Absent where nothing is available.
    #[serde(default)]
    data_centers: Vec<DataCenter>,
}

#[derive(Deserialize)]
struct Price {
    /// US dollars per hour for one GPU of the Secure Cloud.
    secure: f64,
}

#[derive(Deserialize)]
struct DataCenter {
    id: String,
    /// `NONE`, `LOW`, `MEDIUM` or `HIGH`.
    availability: String,
}

/// Schema `ListPodsResponse`.
#[derive(Deserialize)]
struct Pods {
    pods: Vec<Pod>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Pod {
    id: String,
    #[serde(default)]
    name: Option<String>,
    status: String,
    /// Absent for a pod without GPUs.
    #[serde(default)]
    gpu: Option<Named>,
    #[serde(default)]
    data_center_id: Option<String>,
    #[serde(default)]
    ssh: Option<Ways>,
}

#[derive(Deserialize)]
struct Named {
    id: String,
}

/// What is used of the created pod.
#[derive(Deserialize)]
struct Created {
    id: String,
    /// US dollars per hour that are billed.
    #[serde(default)]
    cost: Option<f64>,
}

/// Schema `PodSsh`. The proxy only carries an interactive shell.
#[derive(Deserialize)]
struct Ways {
    /// Null until the pod runs and port 22 has a public port.
    #[serde(default)]
    direct: Option<Way>,
}

#[derive(Deserialize)]
struct Way {
    host: String,
    port: u16,
    username: String,
}

impl RunPod {
    /// With the key that the environment holds.
    ///
    /// # Errors
    /// [`Error::NoKey`]; [`Error::BadKey`].
    pub fn from_env(variable: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let key = Key::find(NAME, &[VARIABLE], PAGE, &variable)?;
        let given = |name| variable(name).filter(|value| !value.is_empty());
        // For tests, and for a proxy that is trusted with the key.
        let origin = given("RUNPOD_API_URL");
        let api = Api::new(NAME, PAGE, origin.as_deref().unwrap_or(ORIGIN), key);
        Ok(Self { api, image: given("RUNPOD_IMAGE").unwrap_or_else(|| IMAGE.to_owned()) })
    }

    /// One call, once; the text of the response if its status is the expected one.
    fn call(&self, doing: &'static str, method: Method<'_>, path: &str, expected: u16) -> Result<String> {
        let (status, text) = self.api.call(doing, method, &format!("v2/{path}"))?;
        if status == expected {
            return Ok(text);
        }
        Err(self.failure(doing, status, &text))
    }

    fn failure(&self, doing: &'static str, status: u16, text: &str) -> Error {
        // The key is valid, but was made without the right to do this.
        if status == 403 {
            return self.api.bad_key();
        }
        self.api.failure(doing, status, said(text))
    }
}

/// Cents for US dollars, rounded up, but not for the inexact form of a price such as 2.39.
fn cents(dollars: f64) -> u32 {
    (dollars * 100.0 - 1e-3).ceil().max(0.0) as u32
}

/// What an error response says.
fn said(text: &str) -> Option<String> {
    let Problem { detail, errors } = serde_json::from_str(text).ok()?;
    Some(if errors.is_empty() { detail } else { format!("{detail} ({})", errors.join("; ")) })
}

impl Provider for RunPod {
    fn name(&self) -> &'static str {
        "runpod"
    }

    /// "Pods are billed by the second for compute and storage" (<https://docs.runpod.io/pods/pricing>).
    fn unit_seconds(&self) -> u32 {
        1
    }

    /// A pod fetches its image first.
    fn boot(&self) -> Duration {
        Duration::from_secs(600)
    }

    /// A container can't shut its machine down, and is restarted when its first process ends
    /// (<https://github.com/runpod/runpodctl/issues/149>). But every pod has `runpodctl`, and a key of its own in the
    /// environment of its interactive shells (<https://docs.runpod.io/pods/templates/environment-variables>): with them it
    /// deletes itself. Older releases of `runpodctl` have other words for it. A pod that may not delete itself is stopped,
    /// so that only its disk could cost.
    fn end_itself(&self) -> &'static str {
        "bash -ic 'runpodctl pod delete \"$RUNPOD_POD_ID\" || runpodctl remove pod \"$RUNPOD_POD_ID\" \
         || runpodctl stop pod \"$RUNPOD_POD_ID\"'"
    }

    fn offers(&self) -> Result<Vec<Offer>> {
        let doing = "look for machines";
        let path = format!("catalog/gpus?include=AVAILABILITY&product=POD&cloud=SECURE&minCudaVersion={CUDA}");
        let Gpus { gpus } = self.api.parse(doing, &self.call(doing, Method::Get, &path, 200)?)?;
        let of = |gpu: GpuType| {
            let GpuType { id, name, memory, price, data_centers, .. } = gpu;
            let cents_per_hour = cents(price.secure) + DISK_CENTS;
            data_centers.into_iter().filter(|center| center.availability != "NONE").map(move |center| Offer {
                kind: id.clone(),
                description: format!("1x {name} ({memory} GB)"),
                region: center.id,
                cents_per_hour,
                gpus: 1,
            })
        };
        let can_be_had = |gpu: &GpuType| gpu.secure && gpu.price.secure > 0.0;
        Ok(crate::choose(gpus.into_iter().filter(can_be_had).flat_map(of).collect(), &[], &[]))
    }

    fn launch(&self, launch: &Launch<'_>) -> Result<String> {
        let doing = "launch a machine";
        let Launch { offer, name, ssh_key } = launch;
        // Schema `CreatePodRequest`. With `startSsh`, a `PUBLIC_KEY` of the request replaces the keys of the account.
        let body = json!({
            "name": name,
            "image": self.image,
            "cloud": "SECURE",
            "gpu": {"id": offer.kind, "count": 1, "minCudaVersion": CUDA},
            "dataCenterIds": [offer.region],
            "disk": DISK,
            "ports": ["22/tcp"],
            "env": {"PUBLIC_KEY": ssh_key},
            "startSsh": true,
        });
        let (status, text) = self.api.call(doing, Method::Post(&body), "v2/pods")?;
        match status {
            201 => {
                let Created { id, cost } = self.api.parse(doing, &text)?;
                let (cost, offered) = (cost.map_or(0, cents), offer.cents_per_hour);
                if cost <= offered {
                    return Ok(id);
                }
                // Should this fail, it is found by its name, and terminated.
                let _ = self.terminate(&id);
                let [cost, offered] = [cost, offered].map(|cents| dollars(u64::from(cents)));
                let said = format!("it costs {cost} an hour instead of {offered}, so it is terminated");
                Err(Error::Refused { provider: NAME, doing, said })
            }
            // Lack of capacity has no code of its own: with these, the next candidate is to be tried.
            400 | 403 => {
                let what = format!("no `{}` in {}", offer.kind, offer.region);
                Err(Error::NoCapacity { provider: NAME, what, said: said(&text) })
            }
            _ => Err(self.failure(doing, status, &text)),
        }
    }

    fn instances(&self) -> Result<Vec<Instance>> {
        let doing = "list machines";
        let Pods { pods } = self.api.parse(doing, &self.call(doing, Method::Get, "pods", 200)?)?;
        let of = |pod: Pod| Instance {
            state: match pod.status.as_str() {
                "PROVISIONING" | "STARTING" => InstanceState::Booting,
                "RUNNING" => InstanceState::Active,
                "EXITED" | "ERROR" => InstanceState::Unhealthy,
                "TERMINATED" => InstanceState::Terminated,
                _ => InstanceState::Unknown,
            },
            id: pod.id,
            name: pod.name,
            address: pod
                .ssh
                .and_then(|ways| ways.direct)
                .map(|Way { host, port, username }| format!("ssh://{username}@{host}:{port}")),
            kind: pod.gpu.map(|gpu| gpu.id).unwrap_or_default(),
            region: pod.data_center_id.unwrap_or_default(),
        };
        Ok(pods.into_iter().map(of).collect())
    }

    fn terminate(&self, id: &str) -> Result<()> {
        let doing = "terminate a machine";
        match self.api.call(doing, Method::Delete, &format!("v2/pods/{id}"))? {
            (204 | 404, _) => Ok(()),
            (status, text) => Err(self.failure(doing, status, &text)),
        }
    }

    /// A deleted pod is listed no more, and asking for it gives status 404.
    fn is_gone(&self, id: &str) -> Result<bool> {
        let doing = "look for a machine";
        match self.api.call(doing, Method::Get, &format!("v2/pods/{id}"))? {
            (200, text) => Ok(self.api.parse::<Pod>(doing, &text)?.status == "TERMINATED"),
            (404, _) => Ok(true),
            (status, text) => Err(self.failure(doing, status, &text)),
        }
    }

    /// The key travels with each launch; the account's keys stay as they are.
    fn ensure_key(&self, _name: &str, public: &str) -> Result<String> {
        Ok(public.trim().to_owned())
    }
}
