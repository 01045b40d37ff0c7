use graft_store::{AlertChange, AlertKind, Notifier, Store};
use serde_json::json;

use crate::support::{Database, TASK, on_both};

on_both!(problem_is_told_once_until_it_is_over, one_process_at_a_time_reads, messages_are_numbered_without_gaps,);

fn begin(subject: &str) -> AlertChange {
    let (task, subject) = (TASK.to_owned(), subject.to_owned());
    AlertChange::Begin { kind: AlertKind::Run, task, subject, notice: json!({"title": "failed"}) }
}

fn end(subject: &str) -> AlertChange {
    let (task, subject) = (TASK.to_owned(), subject.to_owned());
    AlertChange::End { kind: AlertKind::Run, task, subject, notice: json!({"title": "over"}) }
}

async fn claimed(store: &Store) -> Notifier {
    store.claim_notifier(("watch", 0), "a", 60_000, |_| false).await.unwrap().unwrap()
}

async fn topics(store: &Store) -> Vec<String> {
    store.notices_after(0, 100).await.unwrap().into_iter().map(|notice| notice.topic).collect()
}

async fn problem_is_told_once_until_it_is_over(database: Database) {
    let store = &database.store;
    let mut known = claimed(store).await;
    known.cursor = 7;
    let changes = [begin("r1"), begin("r1"), end("r2"), begin("r2")];
    assert!(store.save_notifier(&known, "a", &changes, &[], 10).await.unwrap());
    assert_eq!(store.notifier("watch").await.unwrap().unwrap().cursor, 7);
    assert_eq!(topics(store).await, ["alert-1", "alert-2"]);
    let known = claimed(store).await;
    assert!(
        store.save_notifier(&known, "a", &[begin("r1"), end("r1"), end("r1"), begin("r1")], &[], 11).await.unwrap()
    );
    assert_eq!(topics(store).await, ["alert-1", "alert-2", "alert-1-over", "alert-3"]);
    let open = store.open_alerts().await.unwrap();
    assert_eq!(open.iter().map(|alert| (alert.id, alert.subject.as_str())).collect::<Vec<_>>(), [(2, "r2"), (3, "r1")]);
}

async fn one_process_at_a_time_reads(database: Database) {
    let store = &database.store;
    let known = claimed(store).await;
    let claim =
        async |owner: &str, gone: bool| store.claim_notifier(("watch", 0), owner, 60_000, move |_| gone).await.unwrap();
    assert!(claim("b", false).await.is_none(), "another process reads");
    // That process was killed: the next one takes over, and what the first one found late is refused.
    assert!(claim("b", true).await.is_some());
    let late = Notifier { cursor: 9, ..known };
    assert!(!store.save_notifier(&late, "a", &[begin("r1")], &[("digest-1".into(), json!({}))], 10).await.unwrap());
    assert!(topics(store).await.is_empty() && store.open_alerts().await.unwrap().is_empty());
    assert_eq!(store.notifier("watch").await.unwrap().unwrap().cursor, 0);
    let kept = Notifier {
        tries: 2,
        error: Some("reach it".into()),
        not_before: 5,
        ..store.notifier("watch").await.unwrap().unwrap()
    };
    assert!(store.save_notifier(&kept, "b", &[], &[], 10).await.unwrap());
    let found = store.notifier("watch").await.unwrap().unwrap();
    assert_eq!((found.owner, found.tries, found.error, found.not_before), (None, 2, Some("reach it".into()), 5));
}

async fn messages_are_numbered_without_gaps(database: Database) {
    let store = &database.store;
    let day = 24 * 3_600_000;
    for at in [1, 2, 40 * day] {
        let known = claimed(store).await;
        let digest = [(format!("digest-{at}"), json!({"at": at})), (format!("digest-{at}"), json!({}))];
        assert!(store.save_notifier(&known, "a", &[], &digest, at).await.unwrap());
    }
    // The old ones are gone, and no number is used twice.
    let left = store.notices_after(0, 100).await.unwrap();
    assert_eq!(left.iter().map(|one| (one.id, &one.notice)).collect::<Vec<_>>(), [(3, &json!({"at": 40 * day}))]);
    assert_eq!(store.newest_notice().await.unwrap(), 3);
}
