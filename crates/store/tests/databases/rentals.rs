use graft_core::{Rental, RentalState};
use graft_store::Error;

use crate::support::{Database, on_both};

on_both!(rental_changes_need_the_current_state,);

fn intended(name: &str, run: &str) -> Rental {
    Rental {
        name: name.into(),
        run: run.into(),
        provider: "lambda".into(),
        kind: "gpu_1x_a10".into(),
        region: "us-east-1".into(),
        place: "here".into(),
        cents_per_hour: 75,
        unit_seconds: 1,
        most_cents: 150,
        state: RentalState::Intended,
        instance: None,
        address: None,
        intended_at: 1_795_253_400_000,
        leaving_at: None,
        ended_at: None,
    }
}

async fn rental_changes_need_the_current_state(database: Database) {
    let store = &database.store;
    let first = intended("graft-me-1", "r1");
    store
        .intend_rental(&first, |all| {
            assert!(all.is_empty());
            Ok::<_, Error>(())
        })
        .await
        .unwrap();
    let second = intended("graft-me-2", "r2");
    let refused = store.intend_rental(&second, |all| {
        assert_eq!(all, std::slice::from_ref(&first));
        Err(Error::NoMachine("too much".into()))
    });
    assert!(matches!(refused.await, Err(Error::NoMachine(_))));
    assert_eq!(store.rentals().await.unwrap(), std::slice::from_ref(&first));
    assert!(store.intend_rental(&first, |_| Ok::<_, Error>(())).await.is_err(), "names are unique");
    let launched = Rental {
        state: RentalState::Launched,
        instance: Some("i-1".into()),
        address: Some("10.0.0.1".into()),
        ..first.clone()
    };
    assert!(store.change_rental(&first, &launched).await.unwrap());
    assert!(!store.change_rental(&first, &first).await.unwrap(), "it was changed meanwhile");
    let ended = Rental { state: RentalState::Ended, leaving_at: Some(5), ended_at: Some(7), ..launched.clone() };
    assert!(store.change_rental(&launched, &ended).await.unwrap());
    store.intend_rental(&intended("graft-me-3", "r3"), |_| Ok::<_, Error>(())).await.unwrap();
    assert_eq!(store.rentals_of("r1").await.unwrap(), [ended]);
    assert_eq!(store.rentals().await.unwrap().len(), 2);
}
