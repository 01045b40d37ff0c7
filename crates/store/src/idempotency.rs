use graft_core::{Digest, Timestamp};

use crate::{Error, Store, row};

/// Milliseconds after which a request without an answer counts as abandoned, unless its server says again that it is at
/// it: it was killed, perhaps on a machine that can't be looked at from here.
const ABANDONED: i64 = 60_000;

/// A request that carries a key, so that sending it again does nothing again.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Who sent it.
    pub who: &'a str,
    /// Method and path.
    pub route: &'a str,
    /// The key.
    pub key: &'a str,
    /// Digest of its body.
    pub digest: &'a Digest,
    /// The process that answers it.
    pub by: &'a str,
}

/// What is known of a request with a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answered {
    /// It is new, and this caller is the one to answer it.
    No,
    /// Somebody answers it at this moment.
    Soon,
    /// It was answered.
    Yes {
        /// HTTP status.
        status: u16,
        /// The reply's body.
        reply: String,
    },
}

impl Store {
    /// Takes up a request with a key, unless it was taken up before by a process that isn't `gone`.
    ///
    /// # Errors
    /// [`Error::KeyReused`] when the key came with another body.
    pub async fn begin_request(
        &self,
        asked: Asked<'_>,
        gone: &(dyn Fn(&str) -> bool + Sync),
        at: Timestamp,
        expires: Timestamp,
    ) -> Result<Answered, Error> {
        let mut tx = self.begin().await?;
        sqlx::query("delete from idempotency where expires_at < $1").bind(at).execute(&mut *tx).await?;
        let found = sqlx::query(
            "select digest, status, reply, answering, created_at from idempotency
             where who = $1 and route = $2 and key = $3",
        )
        .bind(row::text(asked.who))
        .bind(row::text(asked.route))
        .bind(row::text(asked.key))
        .fetch_optional(&mut *tx)
        .await?;
        if let Some(found) = found {
            if row::get::<String>(&found, "digest")? != asked.digest.as_str() {
                return Err(Error::KeyReused(asked.key.to_owned()));
            }
            let status: Option<u16> = row::int_opt(&found, "status")?;
            let reply: Option<String> = row::get(&found, "reply")?;
            if let Some((status, reply)) = status.zip(reply) {
                return Ok(Answered::Yes { status, reply });
            }
            let answering: Option<String> = row::get(&found, "answering")?;
            let killed = answering.is_some_and(|process| gone(&process));
            if !killed && row::get::<Timestamp>(&found, "created_at")? > at - ABANDONED {
                return Ok(Answered::Soon);
            }
        }
        sqlx::query(
            "insert into idempotency (who, route, key, digest, created_at, expires_at, answering)
             values ($1, $2, $3, $4, $5, $6, $7)
             on conflict (who, route, key) do update set created_at = excluded.created_at,
                         answering = excluded.answering",
        )
        .bind(row::text(asked.who))
        .bind(row::text(asked.route))
        .bind(row::text(asked.key))
        .bind(asked.digest.as_str())
        .bind(at)
        .bind(expires)
        .bind(asked.by)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(Answered::No)
    }

    /// Says that a request is still being answered.
    ///
    /// # Errors
    /// When the database can't be written.
    pub async fn renew_request(&self, asked: Asked<'_>, at: Timestamp) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        sqlx::query(
            "update idempotency set created_at = $5
             where who = $1 and route = $2 and key = $3 and answering = $4 and status is null",
        )
        .bind(row::text(asked.who))
        .bind(row::text(asked.route))
        .bind(row::text(asked.key))
        .bind(asked.by)
        .bind(at)
        .execute(&mut *tx)
        .await?;
        tx.commit().await
    }

    /// Keeps the answer to a request, or forgets the request when there is none to keep.
    ///
    /// # Errors
    /// When the database can't be written.
    pub async fn end_request(&self, asked: Asked<'_>, answer: Option<(u16, &str)>) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        let statement = match answer {
            Some(_) => "update idempotency set status = $4, reply = $5 where who = $1 and route = $2 and key = $3",
            None => "delete from idempotency where who = $1 and route = $2 and key = $3 and status is null",
        };
        let mut query =
            sqlx::query(statement).bind(row::text(asked.who)).bind(row::text(asked.route)).bind(row::text(asked.key));
        if let Some((status, reply)) = answer {
            query = query.bind(i64::from(status)).bind(row::text(reply));
        }
        query.execute(&mut *tx).await?;
        tx.commit().await
    }
}
