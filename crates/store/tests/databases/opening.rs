use std::error::Error as _;
use std::time::{Duration, Instant};

use graft_core::{ExitCode, FailureClass, Phase};
use graft_store::{Error, NewRun, RunState, RunUpdate, Store};
use graft_testkit::Postgres;
use serde_json::json;
use sqlx::{Connection, SqliteConnection};

use crate::support::{Database, TASK, again, labelled, on_both, spec};

on_both!(
    reopening_keeps_all_data,
    newer_schema_is_refused,
    database_of_another_program_is_refused,
    failure_text_of_earlier_versions_is_read,
);

async fn reopening_keeps_all_data(database: Database) {
    database.store.set_setting("threads", &json!(2), "me", 1).await.unwrap();
    database.store.check().await.unwrap();
    database.store.close().await;
    let store = again(&database).await;
    assert_eq!(store.setting("threads").await.unwrap().unwrap().value, json!(2));
}

async fn newer_schema_is_refused(database: Database) {
    execute(&database.url, "insert into graft_schema (version, name) values (1000, 'later')").await;
    let error = Store::open(&database.url).await.unwrap_err();
    assert!(matches!(cause(&error), Error::NewerSchema { found: 1000, .. }), "{error:?}");
    assert_eq!(error.exit_code(), ExitCode::BadData);
    assert!(error.hint().unwrap().contains("newer version"));
}

async fn failure_text_of_earlier_versions_is_read(database: Database) {
    let store = &database.store;
    let spec = spec("r1");
    store.add_run(NewRun { task: TASK, spec: &spec, dir: "runs/r1" }, "ada", 10).await.unwrap();
    // As earlier versions stored it.
    let old = "update runs set state = 'failed', phase = 'train', exit_code = 12, error = 'failed to x\nhint: y'";
    execute(&database.url, old).await;
    let failure = store.run("r1").await.unwrap().failure.unwrap();
    assert_eq!((failure.message.as_str(), failure.class), ("failed to x\nhint: y", FailureClass::OutOfMemory));
    assert_eq!(failure.phase, Some(Phase::Train));
    let running = RunUpdate { state: Some(RunState::Running), ..RunUpdate::default() };
    assert_eq!(store.update_run("r1", &running, "ada", 11).await.unwrap().failure, None);
    assert_eq!(store.run("r1").await.unwrap().failure, None, "a resumed run has no failure");
}

async fn database_of_another_program_is_refused(database: Database) {
    execute(&database.url, "alter table graft_schema rename to ask_ai_queries").await;
    let error = Store::open(&database.url).await.unwrap_err();
    assert!(matches!(cause(&error), Error::Foreign), "{error:?}");
}

#[tokio::test]
async fn file_that_is_not_a_database_is_not_changed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("graft.db");
    let text = "this is a note, not a database ".repeat(200);
    std::fs::write(&path, &text).unwrap();
    let error = Store::open(path.to_str().unwrap()).await.unwrap_err();
    assert!(matches!(cause(&error), Error::NotADatabase(_)), "{error:?}");
    assert!(error.to_string().contains("graft.db"));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

#[tokio::test]
async fn check_finds_damage() {
    let database = Database::sqlite().await;
    let examples: Vec<_> = (0..200).map(labelled).collect();
    database.store.import(&examples, "import", 1).await.unwrap();
    database.store.close().await;
    let mut bytes = std::fs::read(&database.url).unwrap();
    // The page of an example: opening reads none.
    let text = examples[100].input.as_bytes();
    let place = bytes.windows(text.len()).rposition(|part| part == text).unwrap();
    let page = place / 4096 * 4096;
    bytes[page..page + 4096].fill(0xa5);
    std::fs::write(&database.url, bytes).unwrap();
    let error = again(&database).await.check().await.unwrap_err();
    assert!(matches!(error, Error::Damaged(_)), "{error:?}");
}

#[tokio::test]
async fn read_only_file_gives_its_own_error() {
    let database = Database::sqlite().await;
    execute(&database.url, "pragma user_version = 1").await;
    // The error of a file system mounted read-only, also for root.
    let mut raw = SqliteConnection::connect(&format!("{}?mode=ro", url(&database.url))).await.unwrap();
    let refused = sqlx::raw_sql("delete from settings").execute(&mut raw).await.unwrap_err();
    let error = Error::from(refused);
    assert!(matches!(error, Error::ReadOnly(_)), "{error:?}");
    assert!(error.hint().unwrap().contains("write access"));
}

#[tokio::test]
async fn refused_write_error_names_the_file() {
    let database = Database::sqlite().await;
    database.store.close().await;
    // The file format's write version (https://www.sqlite.org/fileformat.html, offset 18): an unknown one makes the
    // file read-only, also for root.
    let mut bytes = std::fs::read(&database.url).unwrap();
    bytes[18] = 9;
    std::fs::write(&database.url, bytes).unwrap();
    let error = match Store::open(&database.url).await {
        Ok(store) => store.set_setting("a", &serde_json::json!(1), "ada", 1).await.unwrap_err(),
        Err(error) => error,
    };
    assert!(error.to_string().contains(&database.url), "{error}");
    let (Error::Open { source, .. } | Error::Refused { source, .. }) = &error else { panic!("{error:?}") };
    assert!(matches!(**source, Error::ReadOnly(_)), "{error:?}");
    assert!(error.hint().unwrap().contains("write access"));
}

#[tokio::test]
async fn file_in_place_of_folder_gives_its_own_error() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().join("graft.db");
    let error = Store::open(path.to_str().unwrap()).await.unwrap_err();
    assert!(matches!(cause(&error), Error::File(_)), "{error:?}");
    assert!(error.source().unwrap().source().is_some());
}

#[tokio::test]
async fn unreachable_server_error_comes_at_once_without_password() {
    let begun = Instant::now();
    let error = Store::open("postgres://graft:s3cret@127.0.0.1:1/graft").await.unwrap_err();
    assert!(matches!(cause(&error), Error::Unreachable(_)), "{error:?}");
    assert_eq!(error.exit_code(), ExitCode::Network);
    assert!(error.to_string().contains("127.0.0.1:1/graft") && !format!("{error:?}").contains("s3cret"));
    assert!(begun.elapsed() < Duration::from_secs(20), "it is not waited for");
    assert!(matches!(cause(&Store::open("mysql://localhost/graft").await.unwrap_err()), Error::Address(_)));
}

#[tokio::test]
async fn lost_server_is_not_reported_as_locked() {
    if Postgres::shared().is_none() {
        return;
    }
    let server = Postgres::start().unwrap();
    let store = Store::open(&server.database().unwrap()).await.unwrap();
    store.settings().await.unwrap();
    drop(server);
    let errors =
        [store.settings().await.map(drop).unwrap_err(), store.set_setting("n", &json!(1), "ada", 1).await.unwrap_err()];
    for error in errors {
        assert!(error.is_of_the_database(), "{error:?}");
        assert!(!format!("{error} {:?}", error.hint()).contains("lock"), "{error:?}");
        assert!(error.hint().is_some_and(|hint| hint.contains("server runs")), "{error:?}");
    }
}

/// The error inside [`Error::Open`].
fn cause(error: &Error) -> &Error {
    let Error::Open { source, .. } = error else { panic!("{error:?} does not come from opening") };
    source
}

fn url(path: &str) -> String {
    format!("sqlite://{}", path.replace('%', "%25").replace('?', "%3F").replace('#', "%23"))
}

async fn execute(location: &str, sql: &'static str) {
    sqlx::any::install_default_drivers();
    let url = if location.starts_with("postgres") { location.to_owned() } else { url(location) };
    let mut raw = sqlx::AnyConnection::connect(&url).await.unwrap();
    sqlx::raw_sql(sql).execute(&mut raw).await.unwrap();
    raw.close().await.unwrap();
}
