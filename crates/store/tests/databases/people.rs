use graft_core::Digest;
use graft_store::{Admins, Error, ImportState, KeyedRequest, KeyedState, Role, Session, Token, Worker};
use serde_json::json;

use crate::support::{Database, on_both};

on_both!(
    last_admin_cannot_be_removed,
    tokens_expire_and_can_be_removed,
    token_without_admin_is_refused,
    sessions_expire_and_can_be_ended,
    session_ends_with_its_token,
    idempotency_key_identifies_one_request,
    import_progress_is_stored,
    workers_report_and_are_removed,
);

/// The configuration grants no access.
const ALONE: Admins = Admins::Stored;

async fn last_admin_cannot_be_removed(database: Database) {
    let store = &database.store;
    assert!(matches!(store.put_user("bob", Role::Trainer, "h", ALONE, "setup", 1).await, Err(Error::NoAdmin)));
    assert_eq!(store.users().await.unwrap(), [], "without an administrator everybody would be locked out");
    store.put_user("ada", Role::Admin, "hash1", ALONE, "setup", 1).await.unwrap();
    store.put_user("bob", Role::Viewer, "hash2", ALONE, "ada", 2).await.unwrap();
    assert!(matches!(store.put_user("a b", Role::Viewer, "h", ALONE, "ada", 2).await, Err(Error::BadName { .. })));
    assert!(matches!(store.remove_user("ada", ALONE, "bob", 3).await, Err(Error::NoAdmin)));
    assert!(matches!(store.put_user("ada", Role::Viewer, "h", ALONE, "bob", 3).await, Err(Error::NoAdmin)));
    assert_eq!(store.user("ada").await.unwrap().unwrap().password, "hash1", "a refused change has no effect");
    let session = session("bob", Role::Viewer);
    store.add_session("cookie", &session, 4).await.unwrap();
    let bob = store.put_user("bob", Role::Admin, "hash3", ALONE, "ada", 5).await.unwrap();
    assert_eq!((bob.password.as_str(), bob.created_by.as_str()), ("hash3", "ada"));
    assert_eq!(store.session("cookie", 6).await.unwrap(), None, "a new password ends it");
    store.remove_user("ada", ALONE, "bob", 7).await.unwrap();
    assert_eq!(store.users().await.unwrap(), [bob]);
    assert!(matches!(store.remove_user("ada", ALONE, "bob", 8).await, Err(Error::NotFound { .. })));
    assert!(!json!(store.users().await.unwrap()).to_string().contains("hash"));
    store.remove_user("bob", ALONE, "bob", 9).await.unwrap();
    assert_eq!(store.user("bob").await.unwrap(), None);
}

fn token(id: &str, role: Role, expires_at: Option<i64>) -> Token {
    let (label, created_by) = ("ci".into(), "ada".into());
    Token { id: id.into(), role, label, created_by, created_at: 10, used_at: None, expires_at, task: None }
}

async fn tokens_expire_and_can_be_removed(database: Database) {
    let store = &database.store;
    let token = token("t1", Role::Trainer, Some(100_000));
    store.add_token(&token, "hash", Admins::Configured).await.unwrap();
    assert!(store.add_token(&Token { id: "t2".into(), ..token.clone() }, "hash", Admins::Configured).await.is_err());
    assert_eq!(store.use_token("other", 20).await.unwrap(), None);
    assert_eq!(store.use_token("hash", 20).await.unwrap(), Some(token));
    store.use_token("hash", 30).await.unwrap();
    assert_eq!(store.tokens().await.unwrap()[0].used_at, Some(20), "written once a minute");
    assert_eq!(store.use_token("hash", 100_000).await.unwrap(), None);
    store.remove_token("t1", ALONE, "ada", 40).await.unwrap();
    assert!(matches!(store.remove_token("t1", ALONE, "ada", 40).await, Err(Error::NotFound { .. })));
}

async fn token_without_admin_is_refused(database: Database) {
    let store = &database.store;
    for (role, end) in [(Role::Viewer, None), (Role::Trainer, None), (Role::Admin, Some(100_000))] {
        let refused = store.add_token(&token("t1", role, end), "hash", ALONE).await;
        assert!(matches!(refused, Err(Error::NoAdmin)), "{role:?} until {end:?}");
    }
    assert_eq!(store.tokens().await.unwrap(), [], "a refused token is not stored");
    store.add_token(&token("admin", Role::Admin, None), "hash1", ALONE).await.unwrap();
    store.add_token(&token("viewer", Role::Viewer, None), "hash2", ALONE).await.unwrap();
    assert!(matches!(store.remove_token("admin", ALONE, "ada", 20).await, Err(Error::NoAdmin)));
    store.put_user("ada", Role::Admin, "hash", ALONE, "setup", 21).await.unwrap();
    store.remove_token("admin", ALONE, "ada", 22).await.unwrap();
    assert!(matches!(store.remove_user("ada", ALONE, "ada", 23).await, Err(Error::NoAdmin)), "the token would stay");
    store.remove_token("viewer", ALONE, "ada", 24).await.unwrap();
    store.remove_user("ada", ALONE, "ada", 25).await.unwrap();
}

async fn sessions_expire_and_can_be_ended(database: Database) {
    let store = &database.store;
    let session = session("ada", Role::Admin);
    store.add_session("a", &session, 1).await.unwrap();
    assert_eq!(store.session("a", 99).await.unwrap(), Some(session.clone()));
    assert_eq!(store.session("a", 100).await.unwrap(), None);
    store.end_session("a").await.unwrap();
    assert_eq!(store.session("a", 99).await.unwrap(), None);
}

async fn session_ends_with_its_token(database: Database) {
    let store = &database.store;
    store.add_token(&token("short", Role::Admin, Some(50)), "hash1", Admins::Configured).await.unwrap();
    store.add_token(&token("gone", Role::Admin, None), "hash2", Admins::Configured).await.unwrap();
    for id in ["short", "gone"] {
        let opened = Session { token: Some(id.into()), ..session("ci", Role::Admin) };
        store.add_session(id, &opened, 2).await.unwrap();
        assert_eq!(store.session(id, 49).await.unwrap(), Some(opened));
    }
    assert_eq!(store.session("short", 50).await.unwrap(), None);
    store.remove_token("gone", Admins::Configured, "ada", 3).await.unwrap();
    assert_eq!(store.session("gone", 4).await.unwrap(), None);
    // A session that was opened while its token was being removed.
    let late = Session { token: Some("gone".into()), ..session("ci", Role::Admin) };
    store.add_session("late", &late, 4).await.unwrap();
    assert_eq!(store.session("late", 5).await.unwrap(), None);
}

fn session(who: &str, role: Role) -> Session {
    Session { who: who.into(), role, expires_at: 100, token: None, configured: None, task: None }
}

async fn idempotency_key_identifies_one_request(database: Database) {
    let store = &database.store;
    let (one, two) = (Digest::of(b"1"), Digest::of(b"2"));
    let asked = KeyedRequest { who: "ada", route: "POST /runs", key: "k", digest: &one, by: "here/1" };
    let lives = |_: &str| false;
    assert_eq!(store.begin_request(asked, &lives, 10, 1_000_000).await.unwrap(), KeyedState::New);
    assert_eq!(store.begin_request(asked, &lives, 11, 1_000_000).await.unwrap(), KeyedState::Running);
    let gone = |process: &str| process == "here/1";
    let again = KeyedRequest { by: "here/2", ..asked };
    assert_eq!(
        store.begin_request(again, &gone, 12, 1_000_000).await.unwrap(),
        KeyedState::New,
        "its server was killed"
    );
    assert_eq!(
        store.begin_request(asked, &gone, 13, 1_000_000).await.unwrap(),
        KeyedState::Running,
        "another one answers"
    );
    store.renew_request(again, 10_001).await.unwrap();
    store.renew_request(asked, 60_000).await.unwrap();
    assert_eq!(
        store.begin_request(asked, &lives, 70_000, 1_000_000).await.unwrap(),
        KeyedState::Running,
        "still at it"
    );
    assert_eq!(
        store.begin_request(asked, &lives, 70_001, 1_000_000).await.unwrap(),
        KeyedState::New,
        "its server died"
    );
    let late = KeyedRequest { key: "late", ..asked };
    assert_eq!(store.begin_request(late, &lives, 70_001, 70_010).await.unwrap(), KeyedState::New);
    store.end_request(late, Some((200, "{}"))).await.unwrap();
    let reused = KeyedRequest { digest: &two, ..late };
    assert_eq!(store.begin_request(reused, &lives, 70_011, 1_000_000).await.unwrap(), KeyedState::New, "it expired");
    let other = store.begin_request(KeyedRequest { digest: &two, ..asked }, &lives, 70_001, 1_000_000).await;
    assert!(matches!(other, Err(Error::KeyReused(_))));
    store.end_request(asked, Some((202, "{}"))).await.unwrap();
    let yes = KeyedState::Done { status: 202, reply: "{}".into() };
    assert_eq!(store.begin_request(asked, &lives, 70_002, 1_000_000).await.unwrap(), yes);
    assert_eq!(
        store.begin_request(KeyedRequest { who: "bob", ..asked }, &lives, 70_002, 80_000).await.unwrap(),
        KeyedState::New
    );
    store.end_request(KeyedRequest { who: "bob", ..asked }, None).await.unwrap();
    assert_eq!(
        store.begin_request(KeyedRequest { who: "bob", ..asked }, &lives, 70_003, 80_000).await.unwrap(),
        KeyedState::New
    );
    assert_eq!(
        store.begin_request(KeyedRequest { digest: &two, ..asked }, &lives, 1_000_001, 2_000_000).await.unwrap(),
        KeyedState::New
    );
}

async fn import_progress_is_stored(database: Database) {
    let store = &database.store;
    let begun = store.begin_import("i1", "csv", None, "here/1", "ada", 10).await.unwrap();
    assert_eq!((begun.state, begun.done, begun.of), (ImportState::Running, 0, None));
    store.import_progress("i1", 5, Some(20)).await.unwrap();
    store.import_progress("i1", 9, None).await.unwrap();
    let now = store.import_state("i1").await.unwrap();
    assert_eq!((now.done, now.of), (9, Some(20)));
    let done = store.end_import("i1", Ok(&json!({"added": 9})), "ada", 20).await.unwrap();
    assert_eq!((done.state, done.report, done.finished_at), (ImportState::Done, Some(json!({"added": 9})), Some(20)));
    for (id, reader) in [("i2", "here/1"), ("i4", "here/2")] {
        store.begin_import(id, "csv", Some("spam"), reader, "ada", 10).await.unwrap();
    }
    let gone = |process: &str| process == "here/1";
    assert_eq!(store.fail_lost_imports(&gone, &json!("gone"), 30).await.unwrap(), 1);
    assert_eq!(store.import_state("i4").await.unwrap().state, ImportState::Running, "another server reads it");
    assert_eq!(store.fail_lost_imports(&gone, &json!("gone"), 90_000_000).await.unwrap(), 1);
    assert_eq!(store.import_state("i2").await.unwrap().state, ImportState::Failed);
    assert!(matches!(store.import_state("i3").await, Err(Error::NotFound { .. })));
}

async fn workers_report_and_are_removed(database: Database) {
    let store = &database.store;
    let worker = Worker {
        id: "h/1/x".into(),
        host: "h".into(),
        pid: 1,
        slots: 2,
        graft: "0.1.0".into(),
        started_at: 10,
        seen_at: 10,
    };
    store.worker_seen(&worker).await.unwrap();
    let later = Worker { seen_at: 50, ..worker };
    store.worker_seen(&later).await.unwrap();
    assert_eq!(store.workers(40).await.unwrap(), [later]);
    assert!(store.workers(51).await.unwrap().is_empty());
    store.worker_gone("h/1/x", 0).await.unwrap();
    assert!(store.workers(0).await.unwrap().is_empty());
}
