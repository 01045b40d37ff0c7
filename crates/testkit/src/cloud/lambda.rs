//! The documented part of Lambda Cloud's API (version 1) that Graft uses.

use std::{
    net::Ipv4Addr,
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use serde_json::{Map, Value, json};

use super::{Api, Phase, Place, Refusal, Rented, Reply, SHOWN, State, body, text, texts};
use crate::{Sshd, http::Request};

pub(super) static API: Api = Api {
    key: "secret_test_0123456789abcdef.fedcba9876543210",
    variables: ["LAMBDA_API_KEY", "LAMBDA_API_URL"],
    launch: "POST /api/v1/instance-operations/launch",
    types: &[
        ("gpu_1x_a10", 75, &["us-east-1", "us-west-1"]),
        ("gpu_1x_a6000", 80, &["us-south-1"]),
        ("gpu_1x_rtx6000", 50, &[]),
        ("gpu_8x_h100_sxm5", 2392, &["us-south-1"]),
    ],
    disk: 0.0,
    unit: Duration::from_secs(60),
    // What is billed for a machine that shut itself down isn't documented.
    removes_itself: false,
    malformed: "global/invalid-parameters",
    act: |request, state| act(request, state).map(|data| (200, Some(json!({"data": data})))),
    failed,
};

fn failed((status, code, message): Refusal) -> Reply {
    (status, Some(json!({"error": {"code": code, "message": message, "suggestion": null}})))
}

fn invalid(message: impl Into<String>) -> Refusal {
    (400, API.malformed, message.into())
}

fn kind(name: &str, cents_per_hour: u32) -> Value {
    json!({
        "name": name, "description": format!("1x {name}"), "gpu_description": "A GPU",
        "price_cents_per_hour": cents_per_hour,
        "specs": {"vcpus": 30, "memory_gib": 200, "storage_gib": 1400, "gpus": 1},
    })
}

fn about(rented: &Rented, now: Instant) -> Value {
    let status = match rented.phase(now) {
        Phase::Booting => "booting",
        Phase::Active => "active",
        Phase::Broken => "unhealthy",
        Phase::Ending => "terminating",
        Phase::Terminated => "terminated",
    };
    json!({
        "id": rented.id, "name": rented.name, "ip": (now >= rented.active).then_some(&rented.address),
        "status": status, "ssh_key_names": [rented.key], "file_system_names": [],
        "region": {"name": rented.region, "description": "Somewhere"},
        "instance_type": kind(&rented.kind, rented.cents_per_hour),
        "hostname": null, "jupyter_token": null, "jupyter_url": null,
    })
}

fn act(request: &Request, state: &mut State) -> Result<Value, Refusal> {
    let now = Instant::now();
    let unknown = || (404, "global/object-does-not-exist", "Specified object does not exist.".to_owned());
    if !request.query.is_empty() {
        return Err(invalid("there are no query parameters"));
    }
    let path = request.path.strip_prefix("/api/v1/").ok_or_else(unknown)?;
    if request.method == "GET" && !request.body.is_empty() {
        return Err(invalid("GET has no body"));
    }
    let is_listed =
        |rented: &&Rented| rented.is_listed(now) && rented.terminated.is_none_or(|at| now.duration_since(at) < SHOWN);
    match (request.method.as_str(), path) {
        ("GET", "instance-types") => Ok(API
            .types
            .iter()
            .map(|(name, cents, regions)| {
                let regions: Vec<Value> =
                    regions.iter().map(|name| json!({"name": name, "description": "Somewhere"})).collect();
                let about = json!({"instance_type": kind(name, *cents), "regions_with_capacity_available": regions});
                ((*name).to_owned(), about)
            })
            .collect::<Map<_, _>>()
            .into()),
        ("GET", "instances") => {
            Ok(state.machines.iter().filter(is_listed).map(|rented| about(rented, now)).collect::<Vec<_>>().into())
        }
        ("GET", "ssh-keys") => Ok(state.keys.iter().map(|(name, key)| ssh_key(name, key)).collect::<Vec<_>>().into()),
        ("POST", "ssh-keys") => {
            let body = body(request, &["name", "public_key"], &["name"]).map_err(invalid)?;
            let name = text(&body, "name", 64).map_err(invalid)?;
            let key = text(&body, "public_key", 4096).map_err(invalid)?;
            if state.keys.contains_key(&name) {
                return Err(invalid("a key has that name"));
            }
            let answer = ssh_key(&name, &key);
            state.keys.insert(name, key);
            Ok(answer)
        }
        ("POST", "instance-operations/launch") => launch(request, state),
        ("POST", "instance-operations/terminate") => {
            let body = body(request, &["instance_ids"], &["instance_ids"]).map_err(invalid)?;
            let ids = texts(&body, "instance_ids").map_err(invalid)?;
            for id in &ids {
                let known = state.machines.iter().any(|rented| rented.id == *id && is_listed(&rented));
                if !known {
                    return Err(unknown());
                }
            }
            let mut ended = Vec::new();
            for rented in state.machines.iter_mut().filter(|rented| ids.contains(&rented.id)) {
                rented.terminate(now);
                ended.push(about(rented, now));
            }
            Ok(json!({"terminated_instances": ended}))
        }
        ("GET", one) => {
            let id = one.strip_prefix("instances/").ok_or_else(unknown)?;
            let rented = state.machines.iter().filter(is_listed).find(|rented| rented.id == id);
            Ok(about(rented.ok_or_else(unknown)?, now))
        }
        _ => Err(unknown()),
    }
}

fn launch(request: &Request, state: &mut State) -> Result<Value, Refusal> {
    let known = ["region_name", "instance_type_name", "ssh_key_names", "file_system_names", "quantity", "name"];
    let body = body(request, &known, &known[..3]).map_err(invalid)?;
    let [region, kind] = ["region_name", "instance_type_name"].map(|name| text(&body, name, 64).map_err(invalid));
    let (region, kind) = (region?, kind?);
    let keys = texts(&body, "ssh_key_names").map_err(invalid)?;
    let [key] = keys.as_slice() else { return Err(invalid("exactly one SSH key must be specified")) };
    let public = state.keys.get(key).cloned().ok_or_else(|| invalid("there is no such SSH key"))?;
    if body.get("quantity").is_some_and(|quantity| *quantity != json!(1)) {
        return Err(invalid("quantity is 1"));
    }
    let name = body.contains_key("name").then(|| text(&body, "name", 64)).transpose().map_err(invalid)?;
    let Some(cents) = state.price(&kind, &region).ok_or_else(|| invalid("there is no such type"))? else {
        let message = "Not enough capacity to fulfill launch request.";
        return Err((400, "instance-operations/launch/insufficient-capacity", message.to_owned()));
    };
    let launched = Instant::now();
    let address = address();
    // A shutdown command there creates a file in its home and does nothing else.
    let halt = ["sudo", "shutdown", "poweroff"].map(|name| (name, ": > \"$HOME/halted\""));
    let sshd = Sshd::fresh(address, state.port, &public, &halt);
    let sshd = sshd.map_err(|error| (500, "global/unknown", error.to_string()))?;
    let id = state.new_id();
    let place = Place { launched, address: address.to_string(), sshd: Some(sshd) };
    state.add(id.clone(), (kind, region, cents), name, key.clone(), place);
    Ok(json!({"instance_ids": [id]}))
}

/// A loopback address that no other machine of this process has, and probably none of another process.
fn address() -> Ipv4Addr {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let [.., high, low] = (number + 1).to_be_bytes();
    Ipv4Addr::new(127, (std::process::id() % 250) as u8 + 2, high, low)
}

fn ssh_key(name: &str, public: &str) -> Value {
    json!({"id": format!("key-{name}"), "name": name, "public_key": public, "private_key": null})
}
