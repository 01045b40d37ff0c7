use sqlx::AnyConnection;
use sqlx::Connection;

use crate::Error;
use crate::database::{Dialect, lock};
use crate::row;
use crate::scope::Scope;

/// All schema versions, oldest first. A released step never changes; add a new one instead.
const STEPS: &[(&str, &str)] = &[
    ("start", include_str!("../migrations/0001_start.sql")),
    ("service", include_str!("../migrations/0002_service.sql")),
    ("requests", include_str!("../migrations/0003_requests.sql")),
    ("fields", include_str!("../migrations/0004_fields.sql")),
    ("kinds", include_str!("../migrations/0005_kinds.sql")),
    ("places", include_str!("../migrations/0006_places.sql")),
    ("sessions", include_str!("../migrations/0007_sessions.sql")),
    ("readers", include_str!("../migrations/0008_readers.sql")),
    ("failures", include_str!("../migrations/0009_failures.sql")),
    ("events", include_str!("../migrations/0010_events.sql")),
    ("methods", include_str!("../migrations/0011_methods.sql")),
    ("machines", include_str!("../migrations/0012_machines.sql")),
    ("prompts", include_str!("../migrations/0013_prompts.sql")),
    ("trackers", include_str!("../migrations/0014_trackers.sql")),
    ("rollouts", include_str!("../migrations/0015_rollouts.sql")),
    ("live", include_str!("../migrations/0016_live.sql")),
    ("rentals", include_str!("../migrations/0017_rentals.sql")),
    ("tasks", include_str!("../migrations/0018_tasks.sql")),
    ("studies", include_str!("../migrations/0019_studies.sql")),
    ("latency", include_str!("../migrations/0020_latency.sql")),
    ("searched", include_str!("../migrations/0021_searched.sql")),
    ("launchers", include_str!("../migrations/0022_launchers.sql")),
    ("lists", include_str!("../migrations/0023_lists.sql")),
    ("links", include_str!("../migrations/0024_links.sql")),
    ("agents", include_str!("../migrations/0025_agents.sql")),
    ("upstreams", include_str!("../migrations/0026_upstreams.sql")),
    ("alerts", include_str!("../migrations/0027_alerts.sql")),
    ("answers", include_str!("../migrations/0028_answers.sql")),
    ("iterations", include_str!("../migrations/0029_iterations.sql")),
    ("conditions", include_str!("../migrations/0030_conditions.sql")),
    ("templates", include_str!("../migrations/0031_templates.sql")),
    ("units", include_str!("../migrations/0032_units.sql")),
    ("batches", include_str!("../migrations/0033_batches.sql")),
    ("waiting", include_str!("../migrations/0034_waiting.sql")),
    ("served", include_str!("../migrations/0035_served.sql")),
    ("learned", include_str!("../migrations/0036_learned.sql")),
    ("tracked_studies", include_str!("../migrations/0037_tracked_studies.sql")),
    ("losses", include_str!("../migrations/0038_losses.sql")),
];

/// Migrates the database to the newest schema. Takes no lock if the schema is up to date.
pub(crate) async fn migrate(connection: &mut AnyConnection, dialect: Dialect) -> Result<(), Error> {
    let known = STEPS.len() as i64;
    if schema(connection, dialect).await? == known {
        return Ok(());
    }
    let mut tx = connection.begin_with(dialect.begin()).await?;
    lock(&mut tx, dialect, Scope::All).await?;
    // Another process may have migrated while this one waited for the lock.
    let found = schema(&mut tx, dialect).await?;
    if found == 0 {
        sqlx::raw_sql("create table graft_schema (version bigint not null primary key, name text not null)")
            .execute(&mut *tx)
            .await?;
    }
    for (version, (name, sql)) in (1_i64..).zip(STEPS).filter(|(version, _)| *version > found) {
        apply(&mut tx, version, name, sql).await?;
    }
    tx.commit().await?;
    Ok(())
}

async fn apply(tx: &mut AnyConnection, version: i64, name: &'static str, sql: &'static str) -> Result<(), Error> {
    sqlx::raw_sql(sql).execute(&mut *tx).await?;
    sqlx::query("insert into graft_schema (version, name) values ($1, $2)")
        .bind(version)
        .bind(name)
        .execute(&mut *tx)
        .await?;
    Ok(())
}

/// Schema version of the database; 0 if it is empty.
async fn schema(connection: &mut AnyConnection, dialect: Dialect) -> Result<i64, Error> {
    let known = STEPS.len() as i64;
    let tables = sqlx::query(dialect.tables()).fetch_one(&mut *connection).await?;
    if row::get::<i64>(&tables, "ours")? == 0 {
        return if row::get::<i64>(&tables, "tables")? == 0 { Ok(0) } else { Err(Error::Foreign) };
    }
    let version = sqlx::query("select coalesce(max(version), 0) as version from graft_schema")
        .fetch_one(&mut *connection)
        .await?;
    let found = row::get(&version, "version")?;
    if found > known { Err(Error::NewerSchema { found, known }) } else { Ok(found) }
}
