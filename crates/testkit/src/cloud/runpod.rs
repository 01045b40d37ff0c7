//! The part of RunPod's REST API (version 2) that Graft uses, as strict as its OpenAPI document. A pod is an `sshd` on a port
//! of its own.

use std::{
    fs, io,
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use serde_json::{Map, Value, json};

use super::{Api, Phase, Place, Refusal, Rented, Reply, State, body, object, text, texts};
use crate::{Sshd, http::Request, sshd::whoami};

pub(super) static API: Api = Api {
    key: "rpa_TEST0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    variables: ["RUNPOD_API_KEY", "RUNPOD_API_URL"],
    launch: "POST /v2/pods",
    types: &[
        ("NVIDIA L4", 44, &["EU-RO-1", "US-KS-2"]),
        ("NVIDIA A40", 47, &["CA-MTL-1"]),
        ("NVIDIA RTX A5000", 29, &[]),
        ("NVIDIA H200", 359, &["US-KS-2"]),
    ],
    // 40 GB at $0.10 a month.
    disk: 40.0 * 10.0 / 730.0,
    unit: Duration::from_secs(1),
    removes_itself: true,
    malformed: "invalid",
    act,
    failed,
};

/// The key that a pod has for itself.
const POD_KEY: &str = "rpa_OF_THE_POD_ALONE";

/// An error as of RFC 9457.
fn failed((status, _, detail): Refusal) -> Reply {
    let title = match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        404 => "Not Found",
        405 => "Method Not Allowed",
        422 => "Unprocessable Entity",
        429 => "Too Many Requests",
        _ => "Internal Server Error",
    };
    (status, Some(json!({"title": title, "status": status, "detail": detail})))
}

fn invalid(message: impl Into<String>) -> Refusal {
    (422, API.malformed, message.into())
}

fn act(request: &Request, state: &mut State) -> Result<Reply, Refusal> {
    let now = Instant::now();
    let unknown = || (404, "unknown", "resource not found".to_owned());
    if request.method != "POST" && !request.body.is_empty() {
        return Err(invalid("only POST has a body"));
    }
    let is_listed = |rented: &&mut Rented| rented.is_listed(now) && rented.terminated.is_none();
    let path = request.path.strip_prefix("/v2/").ok_or_else(unknown)?;
    if path == "catalog/gpus" && request.method == "GET" {
        return gpus(&request.query, state);
    }
    if !request.query.is_empty() {
        return Err(invalid("there are no such query parameters"));
    }
    let mut listed = state.machines.iter_mut().filter(is_listed);
    match (request.method.as_str(), path.split_once('/')) {
        ("GET", None) if path == "pods" => {
            let pods: Vec<Value> = listed.map(|rented| about(rented, now)).collect();
            Ok((200, Some(json!({"pods": pods}))))
        }
        ("POST", None) if path == "pods" => create(request, state),
        ("GET", Some(("pods", id))) => {
            let found = listed.find(|rented| rented.id == id).ok_or_else(unknown)?;
            Ok((200, Some(about(found, now))))
        }
        ("DELETE", Some(("pods", id))) => {
            listed.find(|rented| rented.id == id).ok_or_else(unknown)?.terminate(now);
            Ok((204, None))
        }
        (_, None | Some(("pods", _))) => Err((405, "method", "the method is not allowed".to_owned())),
        _ => Err(unknown()),
    }
}

/// The catalog, whose availability must be asked for in the right way.
fn gpus(query: &str, state: &State) -> Result<Reply, Refusal> {
    let mut given = Map::new();
    for (name, value) in query.split('&').filter_map(|part| part.split_once('=')) {
        if !["include", "product", "count", "cloud", "countryCodes", "cudaVersions", "minCudaVersion"].contains(&name) {
            return Err(invalid(format!("there is no parameter {name}")));
        }
        given.insert(name.to_owned(), value.into());
    }
    let is = |name: &str, value: &str| given.get(name).is_some_and(|given| given == value);
    if !is("include", "AVAILABILITY") || !is("product", "POD") || !is("cloud", "SECURE") {
        return Err((400, API.malformed, "Graft asks for the availability of pods of the Secure Cloud".to_owned()));
    }
    let gpu = |(id, cents, centers): &super::Type| {
        let mut gpu = json!({
            "id": id, "name": id.trim_start_matches("NVIDIA "), "pool": null, "manufacturer": "NVIDIA", "memory": 24,
            "secure": true, "community": false,
            "price": {"secure": f64::from(*cents) / 100.0, "community": f64::from(*cents) / 150.0},
            "maxCount": {"secure": 8, "community": 0},
            "availability": if centers.is_empty() { "NONE" } else { "LOW" },
        });
        if !centers.is_empty() {
            let center = |id: &&str| json!({"id": id, "name": id, "availability": "LOW"});
            let none = json!({"id": "EU-SE-1", "name": "EU-SE-1", "availability": "NONE"});
            gpu["dataCenters"] = centers.iter().map(center).chain([none]).collect();
        }
        gpu
    };
    Ok((200, Some(json!({"gpus": state.api.types.iter().map(gpu).collect::<Vec<_>>()}))))
}

fn about(rented: &Rented, now: Instant) -> Value {
    let phase = rented.phase(now);
    let status = match phase {
        Phase::Booting => "PROVISIONING",
        Phase::Active => "RUNNING",
        Phase::Broken => "EXITED",
        Phase::Ending | Phase::Terminated => "TERMINATED",
    };
    let direct = rented.address.rsplit_once(':').filter(|_| phase == Phase::Active).map(|(host, port)| {
        let port: u16 = port.parse().unwrap_or_default();
        let user = whoami().unwrap_or_default();
        json!({"host": host, "port": port, "username": user, "command": format!("ssh {user}@{host} -p {port}")})
    });
    json!({
        "id": rented.id, "name": rented.name.as_deref().unwrap_or_default(), "status": status,
        "actions": ["terminate"], "image": "some/image", "args": "", "disk": 40, "ports": ["22/tcp"], "env": {},
        "registry": null, "mounts": {}, "gpu": {"id": rented.kind, "count": 1}, "cloud": "SECURE",
        "dataCenterId": rented.region, "cudaVersion": "12.8",
        "ssh": {"proxy": null, "direct": direct}, "template": null,
        "cost": f64::from(rented.cents_per_hour) / 100.0, "locked": false, "globalNetworking": {"enabled": false},
        "runtime": null, "createdAt": "2026-06-01T12:00:00Z", "startedAt": null,
    })
}

/// Schema `CreatePodRequest`.
fn create(request: &Request, state: &mut State) -> Result<Reply, Refusal> {
    let known = [
        "name",
        "image",
        "args",
        "disk",
        "env",
        "ports",
        "registry",
        "cloud",
        "cpu",
        "dataCenterIds",
        "globalNetworking",
        "gpu",
        "mounts",
        "startJupyter",
        "startSsh",
        "templateId",
    ];
    let body = body(request, &known, &["name", "image", "gpu", "dataCenterIds"]).map_err(invalid)?;
    let gpu = object(&body["gpu"], &["id", "count", "allowedCudaVersions", "minCudaVersion"], &["id"]);
    let gpu = gpu.map_err(invalid)?;
    let (name, kind) = (text(&body, "name", 191).map_err(invalid)?, text(&gpu, "id", 191).map_err(invalid)?);
    let centers = texts(&body, "dataCenterIds").map_err(invalid)?;
    let [region] = centers.as_slice() else { return Err(invalid("Graft names one data center")) };
    text(&body, "image", 255).map_err(invalid)?;
    let ports = texts(&body, "ports").map_err(invalid)?;
    let is_disk = body.get("disk").and_then(Value::as_u64) == Some(40);
    if !is_disk || body.get("cloud") != Some(&json!("SECURE")) || gpu.get("count").is_some_and(|count| *count != 1) {
        return Err(invalid("Graft rents one GPU of the Secure Cloud with a disk of 40 GB"));
    }
    let variables = body.get("env").cloned().unwrap_or_else(|| json!({}));
    let variables = variables.as_object().filter(|all| all.values().all(Value::is_string));
    let variables = variables.ok_or_else(|| invalid("env holds texts"))?;
    if variables.keys().any(|name| name.starts_with("RUNPOD_")) {
        return Err(invalid("a pod gets no key of the account"));
    }
    let Some(cents) = state.price(&kind, region).ok_or((400, "type", "there is no such GPU".to_owned()))? else {
        let detail = "There are no longer any instances available with the requested specifications.";
        return Err((400, "capacity", detail.to_owned()));
    };
    let launched = Instant::now();
    let id = state.new_id();
    let public = variables.get("PUBLIC_KEY").and_then(Value::as_str).unwrap_or_default();
    let failed = |error: io::Error| (500, "failed", error.to_string());
    let has_ssh = ports.iter().any(|port| port == "22/tcp") && body.get("startSsh") == Some(&json!(true));
    let (address, sshd) = if has_ssh {
        let (port, sshd) = pod(&id, public).map_err(failed)?;
        (format!("127.0.0.1:{port}"), Some(sshd))
    } else {
        (String::new(), None)
    };
    let place = Place { launched, address, sshd };
    state.add(id, (kind, region.clone(), cents), Some(name), String::new(), place);
    Ok((201, state.machines.last().map(|rented| about(rented, launched))))
}

/// A pod: its interactive shells have its id and its key, and `runpodctl` deletes it with them.
fn pod(id: &str, public: &str) -> io::Result<(u16, Sshd)> {
    let port = crate::free_port()?;
    let control = format!(
        "[ \"$1 $2 $3 $RUNPOD_POD_ID $RUNPOD_API_KEY\" = 'pod delete {id} {id} {POD_KEY}' ] || exit 1\n: > \"$HOME/halted\""
    );
    let sshd = Sshd::fresh(Ipv4Addr::LOCALHOST, port, public, &[("runpodctl", &control)])?;
    let shell = format!(
        "case $- in *i*) ;; *) return ;; esac\nexport RUNPOD_POD_ID=\"{id}\"\nexport RUNPOD_API_KEY=\"{POD_KEY}\"\n"
    );
    fs::write(sshd.home().join(".bashrc"), shell)?;
    Ok((port, sshd))
}
