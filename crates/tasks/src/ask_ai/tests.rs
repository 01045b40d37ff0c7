use std::{fs, path::PathBuf};

use proptest::prelude::*;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, SqliteConnection, sqlite::SqliteConnectOptions};

use super::*;

fn options() -> Options {
    Options {
        task: "ask-ai".into(),
        max_samples: 2000,
        drafts: Drafts::Approve,
        approval: Approval { by: "me".into(), at: 5, doubtful: false },
        wait: Duration::from_millis(50),
    }
}

fn shipped() -> String {
    format!("{}/data/ask_ai/ai_automation.db", env!("CARGO_MANIFEST_DIR"))
}

/// A database made by these statements.
async fn database(dir: &tempfile::TempDir, statements: &str) -> (PathBuf, SqliteConnection) {
    let path = dir.path().join("x.db");
    let mut connection = SqliteConnectOptions::new().filename(&path).create_if_missing(true).connect().await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(statements.to_owned())).execute(&mut connection).await.unwrap();
    (path, connection)
}

async fn read(path: &Path) -> Result<Import, Error> {
    import(path.to_str().unwrap(), &options()).await
}

const TABLE: &str = "CREATE TABLE ask_ai_queries (query_id TEXT PRIMARY KEY, original_query TEXT, suggestions JSON, created_at TIMESTAMP);";

#[tokio::test]
async fn sample_database_is_read_as_documented() {
    let import = import(&shipped(), &options()).await.unwrap();
    assert_eq!(import.examples.len(), 538);
    assert_eq!(["null", "malformed", "empty", "blank"].map(|kind| import.count(kind)), [36, 7, 15, 4]);
    assert_eq!(import.skipped.iter().map(|s| s.count).sum::<usize>(), 62);
    let oldest = import.examples.last().unwrap();
    assert_eq!(
        (oldest.id.as_str(), oldest.input.as_str()),
        ("ask-ai:q00000", "please pause the garden speaker after midnight")
    );
    assert_eq!(oldest.output, Some("When it is 00:00, pause the garden speaker.".into()));
    assert!(import.examples.is_sorted_by(|a, b| a.source.at >= b.source.at), "newest first");
}

#[tokio::test]
async fn max_samples_selects_newest_usable_rows() {
    let all = import(&shipped(), &options()).await.unwrap();
    let some = import(&shipped(), &Options { max_samples: 25, ..options() }).await.unwrap();
    assert_eq!(some.examples, all.examples[..25]);
}

#[tokio::test]
async fn every_failure_is_a_different_error() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(read(&dir.path().join("none.db")).await, Err(Error::Missing(_))));
    assert!(matches!(read(dir.path()).await, Err(Error::Read { .. })));
    let text = dir.path().join("text.db");
    fs::write(&text, "this is certainly no database ".repeat(100)).unwrap();
    assert!(matches!(read(&text).await, Err(Error::NotADatabase { .. })));
    fs::write(&text, &fs::read(shipped()).unwrap()[..20_000]).unwrap();
    assert!(matches!(read(&text).await, Err(Error::NotADatabase { .. })));
    let (path, mut connection) = database(&dir, "CREATE TABLE other (x)").await;
    assert!(matches!(read(&path).await, Err(Error::NoTable(_))));
    sqlx::raw_sql(TABLE).execute(&mut connection).await.unwrap();
    assert!(matches!(read(&path).await, Err(Error::EmptyTable(_))));
    sqlx::raw_sql("INSERT INTO ask_ai_queries VALUES ('a', 'q', NULL, '2025-01-01')")
        .execute(&mut connection)
        .await
        .unwrap();
    assert!(matches!(read(&path).await, Err(Error::Nothing { skipped, .. }) if skipped == "1 null"));
    sqlx::raw_sql("BEGIN EXCLUSIVE").execute(&mut connection).await.unwrap();
    assert!(matches!(read(&path).await, Err(Error::Locked { .. })));
    sqlx::raw_sql("ROLLBACK; ALTER TABLE ask_ai_queries RENAME COLUMN suggestions TO s")
        .execute(&mut connection)
        .await
        .unwrap();
    assert!(matches!(read(&path).await, Err(Error::NoColumn { column, .. }) if column == "suggestions"));
    assert!(matches!(import("postgres://127.0.0.1:1/x", &options()).await, Err(Error::Connect(_))));
}

#[tokio::test]
async fn newer_columns_and_odd_types_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let sql = "CREATE TABLE ask_ai_queries (id INTEGER, user_query TEXT, suggestions);
        INSERT INTO ask_ai_queries VALUES (1, '  light on ', '[{\"description\": \"On.\", \"confidence\": 1}]');
        INSERT INTO ask_ai_queries VALUES (2, 'blob', CAST('[{\"description\": \"Blob.\"}]' AS BLOB));
        INSERT INTO ask_ai_queries VALUES (3, 'number', 7);
        INSERT INTO ask_ai_queries VALUES (4, 'not utf-8', CAST(x'5bff5d' AS TEXT));
        INSERT INTO ask_ai_queries VALUES (5, ' ', '[{\"description\": \"x\"}]');
        INSERT INTO ask_ai_queries VALUES (NULL, NULL, '[{\"description\": \"x\"}]');";
    let (path, _connection) = database(&dir, sql).await;
    let import = read(&path).await.unwrap();
    let ids: Vec<&str> = import.examples.iter().map(|e| e.id.as_str()).collect();
    assert_eq!(ids, ["ask-ai:2", "ask-ai:1"]);
    assert_eq!(import.examples[1].input, "light on");
    assert_eq!(import.examples[1].review, Review::Approved { by: "me".into(), at: 5 });
    assert_eq!((import.count("malformed"), import.count("no question")), (2, 2));
    let audited =
        super::import(path.to_str().unwrap(), &Options { drafts: Drafts::Pending, ..options() }).await.unwrap();
    assert!(
        audited.examples.iter().all(|e| e.review == Review::Pending && e.output.is_some()),
        "people decide on drafts"
    );
}

#[tokio::test]
async fn running_service_can_write_during_import() {
    let dir = tempfile::tempdir().unwrap();
    let sql = format!(
        "PRAGMA journal_mode = wal; {TABLE} INSERT INTO ask_ai_queries VALUES ('a', 'q', '[{{\"description\":\"d\",\"status\":\"approved\"}}]', '2025-01-01 10:00:00');"
    );
    let (path, mut service) = database(&dir, &sql).await;
    sqlx::raw_sql("BEGIN IMMEDIATE; INSERT INTO ask_ai_queries VALUES ('b', 'q', 'x', '2025-01-02')")
        .execute(&mut service)
        .await
        .unwrap();
    let import = read(&path).await.unwrap();
    assert_eq!(import.examples.len(), 1, "what is not committed is not seen");
    assert_eq!(import.examples[0].review, Review::Approved { by: "ask-ai".into(), at: 1_735_725_600_000 });
    sqlx::raw_sql("COMMIT").execute(&mut service).await.unwrap();
    service.close().await.unwrap();
}

/// A small database, as bytes.
fn whole() -> &'static [u8] {
    static WHOLE: std::sync::LazyLock<Vec<u8>> = std::sync::LazyLock::new(|| {
        let dir = tempfile::tempdir().unwrap();
        let insert = "INSERT INTO ask_ai_queries VALUES ('a', 'q', '[{\"description\":\"d\"}]', '2025-01-01');";
        let path = block_on(async {
            let (path, connection) = database(&dir, &format!("PRAGMA page_size = 512; {TABLE} {insert}")).await;
            connection.close().await.unwrap();
            path
        });
        fs::read(path).unwrap()
    });
    &WHOLE
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases / 2, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_databases_never_panic(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 1..5usize), 1..6),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = whole().to_vec();
        for (at, with, length) in damage {
            let at = at.index(bytes.len());
            let end = (at + length).min(bytes.len());
            bytes[at..end].fill(with);
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.db");
        fs::write(&path, bytes).unwrap();
        drop(block_on(read(&path)));
    }
}

#[tokio::test]
async fn postgres_is_read_like_sqlite() {
    let Some(server) = graft_testkit::Postgres::shared() else { return };
    let url = server.database().unwrap();
    let mut server = sqlx::PgConnection::connect(&url).await.unwrap();
    let row = |at: &str| {
        format!("('{at}', 'q', '[{{\"description\":\"d\",\"confidence\":0.5}}]', NULL, '2025-01-01 10:00:00')")
    };
    for (schema, column) in [("public", "original_query"), ("automation", "user_query")] {
        let sql = format!(
            "CREATE SCHEMA IF NOT EXISTS {schema}; DROP TABLE IF EXISTS {schema}.ask_ai_queries;
             CREATE TABLE {schema}.ask_ai_queries (query_id text, {column} text, suggestions json, confidence real, created_at timestamptz);
             INSERT INTO {schema}.ask_ai_queries VALUES {}, ('n', 'q', NULL, NULL, now());", row(schema));
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut server).await.unwrap();
        let import = import(&url, &options()).await.unwrap();
        assert_eq!((import.examples.len(), import.count("null")), (1, 1));
        assert_eq!(import.examples[0].id, format!("ask-ai:{schema}"));
        assert!(import.examples[0].source.at.is_some());
    }
    sqlx::raw_sql("TRUNCATE automation.ask_ai_queries").execute(&mut server).await.unwrap();
    assert!(matches!(import(&url, &options()).await, Err(Error::EmptyTable(_))));
    sqlx::raw_sql("DROP SCHEMA automation CASCADE; DROP TABLE ask_ai_queries").execute(&mut server).await.unwrap();
    assert!(matches!(import(&url, &options()).await, Err(Error::NoTable(_))));
}
