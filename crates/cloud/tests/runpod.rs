//! RunPod's client against a strict server of the documented API.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![cfg(target_os = "linux")]

use std::time::Duration;

use graft_cloud::{Error, InstanceState, Launch, Offer, Provider as _, RunPod, choose};
use graft_testkit::{Cloud, Fault};

const PUBLIC: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0aF9xEGxbI2mVyq1oWcZ0m0zv7n6d9m3n5m4l0b2xk me@here";

fn client(cloud: &Cloud, key: &str) -> RunPod {
    let variable = |name: &str| match name {
        "RUNPOD_API_KEY" => Some(key.to_owned()),
        "RUNPOD_API_URL" => Some(cloud.origin().to_owned()),
        _ => None,
    };
    RunPod::from_env(variable).unwrap()
}

fn offer(runpod: &RunPod, kind: &str) -> Offer {
    choose(runpod.offers().unwrap(), &[kind.to_owned()], &[]).swap_remove(0)
}

#[test]
fn pod_is_launched_listed_and_deleted() {
    let Some(cloud) = Cloud::runpod().unwrap() else { return };
    let runpod = client(&cloud, cloud.key());
    let offers = runpod.offers().unwrap();
    let of = |offer: &Offer| (offer.kind.clone(), offer.region.clone(), offer.cents_per_hour);
    // The price of the GPU, and of the disk.
    assert_eq!(of(&offers[0]), ("NVIDIA L4".into(), "EU-RO-1".into(), 45));
    assert!(offers.iter().all(|offer| offer.kind != "NVIDIA RTX A5000" && offer.region != "EU-SE-1"), "{offers:?}");
    let key = runpod.ensure_key("graft-me", PUBLIC).unwrap();
    cloud.delay(Duration::from_millis(400), Duration::ZERO);
    let id = runpod.launch(&Launch { offer: &offers[0], name: "graft-me-1", ssh_key: &key }).unwrap();
    let listed = runpod.instances().unwrap();
    let [one] = listed.as_slice() else { panic!("{listed:?}") };
    assert_eq!(
        (one.id.as_str(), one.name.as_deref(), one.state),
        (id.as_str(), Some("graft-me-1"), InstanceState::Booting)
    );
    assert_eq!((one.kind.as_str(), one.region.as_str(), &one.address), ("NVIDIA L4", "EU-RO-1", &None));
    std::thread::sleep(Duration::from_millis(500));
    let one = runpod.instances().unwrap().swap_remove(0);
    let address = one.address.unwrap();
    assert_eq!(one.state, InstanceState::Active);
    assert!(address.starts_with("ssh://") && address.contains("@127.0.0.1:"), "{address}");
    assert!(!runpod.is_gone(&id).unwrap());
    runpod.terminate(&id).unwrap();
    assert_eq!((runpod.instances().unwrap(), runpod.is_gone(&id).unwrap()), (Vec::new(), true));
    // One that the provider doesn't know any more is gone.
    runpod.terminate(&id).unwrap();
    let machines = cloud.machines();
    assert_eq!((machines.len(), machines[0].runs, machines[0].cents), (1, false, 1));
    assert_eq!(cloud.complaints(), (0, Vec::new()), "every request follows the documented form");
}

#[test]
fn refused_launch_differs_from_launch_with_unknown_result() {
    let Some(cloud) = Cloud::runpod().unwrap() else { return };
    let runpod = client(&cloud, cloud.key());
    let offer = offer(&runpod, "NVIDIA L4");
    let launch = |name| runpod.launch(&Launch { offer: &offer, name, ssh_key: PUBLIC });
    cloud.fill(&offer.kind, &offer.region);
    let error = launch("graft-me-1").unwrap_err();
    assert!(matches!(error, Error::NoCapacity { .. }) && error.to_string().contains("no longer any"), "{error}");
    cloud.heal();
    // What costs more than was offered isn't kept.
    cloud.raise(2);
    let error = launch("graft-me-1").unwrap_err();
    assert!(error.to_string().contains("it costs $0.46 an hour instead of $0.45"), "{error}");
    assert!(!error.is_in_doubt() && cloud.machines().iter().all(|machine| !machine.runs));
    cloud.raise(0);
    for (fault, in_doubt, launched) in [
        (Fault::Status(402), false, 1),
        (Fault::Status(429), false, 1),
        (Fault::Status(500), true, 1),
        (Fault::LostRequest, true, 1),
        (Fault::LostAnswer, true, 2),
    ] {
        cloud.fail_next(cloud.launch_call(), fault);
        let error = launch("graft-me-2").unwrap_err();
        assert_eq!(error.is_in_doubt(), in_doubt, "{fault:?}: {error}");
        assert!(!matches!(error, Error::NoCapacity { .. }), "no other candidate is tried: {error}");
        assert_eq!(cloud.machines().len(), launched, "{fault:?}");
    }
}

#[test]
fn missing_or_wrong_key_error_says_where_to_get_one() {
    let Some(cloud) = Cloud::runpod().unwrap() else { return };
    let error = RunPod::from_env(|_| None).unwrap_err();
    assert!(error.to_string().contains("RUNPOD_API_KEY is not set"), "{error}");
    assert!(error.hint().unwrap().contains("https://www.console.runpod.io/"));
    let wrong = "rpa_wrong";
    let with_wrong = client(&cloud, wrong);
    // A key without the right to do something is as good as none.
    cloud.fail_next("GET /v2/pods", Fault::Status(403));
    for error in [
        client(&cloud, cloud.key()).instances().unwrap_err(),
        with_wrong.offers().unwrap_err(),
        with_wrong.terminate("x").unwrap_err(),
        with_wrong.is_gone("x").unwrap_err(),
    ] {
        assert!(matches!(error, Error::BadKey { .. }) && error.hint().unwrap().contains("https://"), "{error}");
        assert!(!format!("{error} {error:?}").contains(wrong));
    }
}
