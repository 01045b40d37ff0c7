//! Lambda Cloud's client against a strict server of the documented API.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![cfg(target_os = "linux")]

use std::time::Duration;

use graft_cloud::{Error, InstanceState, Lambda, Launch, Offer, Provider as _, choose};
use graft_testkit::{Cloud, Fault};

const PUBLIC: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0aF9xEGxbI2mVyq1oWcZ0m0zv7n6d9m3n5m4l0b2xk me@here";

fn client(cloud: &Cloud, key: &str) -> Lambda {
    let variable = |name: &str| match name {
        "LAMBDA_LABS_API_KEY" => Some(key.to_owned()),
        "LAMBDA_API_URL" => Some(cloud.origin().to_owned()),
        _ => None,
    };
    Lambda::from_env(variable).unwrap()
}

fn offer(lambda: &Lambda, kind: &str) -> Offer {
    choose(lambda.offers().unwrap(), &[kind.to_owned()], &[]).swap_remove(0)
}

#[test]
fn machine_is_launched_listed_and_terminated() {
    let Some(cloud) = Cloud::lambda().unwrap() else { return };
    let lambda = client(&cloud, cloud.key());
    let offers = lambda.offers().unwrap();
    let cheapest = &offers[0];
    assert_eq!((cheapest.kind.as_str(), cheapest.cents_per_hour, cheapest.gpus), ("gpu_1x_a10", 75, 1));
    assert!(offers.is_sorted_by_key(|offer| offer.cents_per_hour), "{offers:?}");
    assert!(offers.iter().all(|offer| offer.kind != "gpu_1x_rtx6000"), "it has no capacity anywhere");
    let key = lambda.ensure_key("graft-me", PUBLIC).unwrap();
    assert_eq!((key.as_str(), lambda.ensure_key("other", PUBLIC).unwrap().as_str()), ("graft-me", "graft-me"));
    let error = lambda.ensure_key("graft-me", "ssh-ed25519 AAAA").unwrap_err();
    assert!(matches!(error, Error::Refused { .. }), "{error}");
    cloud.delay(Duration::from_millis(400), Duration::ZERO);
    let id = lambda.launch(&Launch { offer: cheapest, name: "graft-me-1", ssh_key: &key }).unwrap();
    let listed = lambda.instances().unwrap();
    let [one] = listed.as_slice() else { panic!("{listed:?}") };
    assert_eq!(
        (one.id.as_str(), one.name.as_deref(), one.state),
        (id.as_str(), Some("graft-me-1"), InstanceState::Booting)
    );
    assert_eq!((one.kind.as_str(), one.region.as_str(), &one.address), ("gpu_1x_a10", "us-east-1", &None));
    std::thread::sleep(Duration::from_millis(500));
    let one = lambda.instances().unwrap().swap_remove(0);
    assert!(one.state == InstanceState::Active && one.address.is_some_and(|ip| ip.starts_with("127.")));
    lambda.terminate(&id).unwrap();
    assert_eq!(lambda.instances().unwrap()[0].state, InstanceState::Ending);
    lambda.terminate(&id).unwrap();
    std::thread::sleep(Duration::from_millis(400));
    assert_eq!(lambda.instances().unwrap()[0].state, InstanceState::Terminated);
    // One that the provider doesn't know any more is gone.
    lambda.terminate("0920582c7ff041399e34823a0be62549").unwrap();
    let machines = cloud.machines();
    assert_eq!((machines.len(), machines[0].runs, machines[0].cents), (1, false, 2));
    assert_eq!(cloud.complaints(), (0, Vec::new()), "every request follows the documented form");
}

#[test]
fn refused_launch_differs_from_launch_with_unknown_result() {
    let Some(cloud) = Cloud::lambda().unwrap() else { return };
    let lambda = client(&cloud, cloud.key());
    let (offer, key) = (offer(&lambda, "gpu_1x_a10"), lambda.ensure_key("graft-me", PUBLIC).unwrap());
    let launch = |name| lambda.launch(&Launch { offer: &offer, name, ssh_key: &key });
    cloud.fill(&offer.kind, &offer.region);
    let error = launch("graft-me-1").unwrap_err();
    assert!(matches!(error, Error::NoCapacity { .. }) && error.to_string().contains("us-east-1"), "{error}");
    cloud.heal();
    for (fault, in_doubt, launched) in [
        (Fault::Status(429), false, 0),
        (Fault::Status(500), true, 0),
        (Fault::Status(503), true, 0),
        (Fault::LostRequest, true, 0),
        (Fault::LostAnswer, true, 1),
    ] {
        cloud.fail_next("launch", fault);
        let error = launch("graft-me-2").unwrap_err();
        assert_eq!(error.is_in_doubt(), in_doubt, "{fault:?}: {error}");
        assert_eq!(cloud.machines().len(), launched, "{fault:?}");
        assert!(error.hint().is_some());
    }
    cloud.fail_next("launch", Fault::Slow(Duration::from_millis(300)));
    launch("graft-me-3").unwrap();
    let error = lambda.launch(&Launch { offer: &offer, name: "graft-me-4", ssh_key: "nobody's" }).unwrap_err();
    assert!(matches!(error, Error::Refused { .. }) && error.to_string().contains("no such SSH key"), "{error}");
}

#[test]
fn missing_or_wrong_key_error_says_where_to_get_one() {
    let Some(cloud) = Cloud::lambda().unwrap() else { return };
    let error = Lambda::from_env(|_| None).unwrap_err();
    assert!(error.to_string().contains("LAMBDA_LABS_API_KEY or LAMBDA_API_KEY"), "{error}");
    assert!(error.hint().unwrap().contains("https://cloud.lambda.ai/"));
    let wrong = "secret_wrong_123";
    for error in [
        client(&cloud, wrong).offers().unwrap_err(),
        client(&cloud, wrong).instances().unwrap_err(),
        client(&cloud, wrong).terminate("x").unwrap_err(),
    ] {
        assert!(matches!(error, Error::BadKey { .. }) && error.hint().unwrap().contains("https://"), "{error}");
        assert!(!format!("{error} {error:?}").contains(wrong));
    }
    // A server that can't be reached says nothing of the key either.
    let gone = |name: &str| match name {
        "LAMBDA_API_KEY" => Some(wrong.to_owned()),
        "LAMBDA_API_URL" => Some("http://127.0.0.1:9".to_owned()),
        _ => None,
    };
    let error = Lambda::from_env(gone).unwrap().offers().unwrap_err();
    assert!(error.is_in_doubt() && !format!("{error} {error:?}").contains(wrong), "{error:?}");
}
