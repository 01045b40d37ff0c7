use std::sync::atomic::Ordering;

use graft_core::{Digest, Timestamp};

use crate::scope::Scope;
use crate::{Error, Store, row};

/// Milliseconds after which a request without an answer counts as abandoned, unless its server renews it. Needed for
/// servers on other machines, where this one can't see whether the process lives.
const ABANDONED_AFTER_MS: i64 = 60_000;

/// A request with an idempotency key: sending it again has no further effect.
#[derive(Clone, Copy, Debug)]
pub struct KeyedRequest<'a> {
    /// Who sent it.
    pub who: &'a str,
    /// HTTP method and path.
    pub route: &'a str,
    /// The key.
    pub key: &'a str,
    /// Digest of its body.
    pub digest: &'a Digest,
    /// The process that answers it.
    pub by: &'a str,
}

impl KeyedRequest<'_> {
    fn scope(&self) -> Scope<'_> {
        Scope::Request(self.who, self.route, self.key)
    }
}

/// How often a process deletes the expired requests, in milliseconds.
const SWEEP_MS: i64 = 60_000;

/// State of a request with an idempotency key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyedState {
    /// It is new, and this caller must answer it.
    New,
    /// Another process is answering it now.
    Running,
    /// It is answered.
    Done {
        /// HTTP status.
        status: u16,
        /// The reply's body.
        reply: String,
    },
}

impl Store {
    /// Claims a request with a key, unless another process claimed it that is not `gone`.
    ///
    /// # Errors
    /// [`Error::KeyReused`] if the key was used with another body.
    pub async fn begin_request(
        &self,
        request: KeyedRequest<'_>,
        gone: &(dyn Fn(&str) -> bool + Sync),
        at: Timestamp,
        expires: Timestamp,
    ) -> Result<KeyedState, Error> {
        self.sweep_requests(at).await?;
        let mut tx = self.begin_in(request.scope()).await?;
        let found = sqlx::query(
            "select digest, status, reply, answering, created_at from idempotency
             where who = $1 and route = $2 and key = $3 and expires_at >= $4",
        )
        .bind(row::text(request.who))
        .bind(row::text(request.route))
        .bind(row::text(request.key))
        .bind(at)
        .fetch_optional(&mut *tx)
        .await?;
        if let Some(found) = found {
            if row::get::<String>(&found, "digest")? != request.digest.as_str() {
                return Err(Error::KeyReused(request.key.to_owned()));
            }
            let status: Option<u16> = row::get(&found, "status")?;
            let reply: Option<String> = row::get(&found, "reply")?;
            if let Some((status, reply)) = status.zip(reply) {
                return Ok(KeyedState::Done { status, reply });
            }
            let answering: Option<String> = row::get(&found, "answering")?;
            let killed = answering.is_some_and(|process| gone(&process));
            if !killed && row::get::<Timestamp>(&found, "created_at")? > at - ABANDONED_AFTER_MS {
                return Ok(KeyedState::Running);
            }
        }
        tx.execute(
            "insert into idempotency (who, route, key, digest, created_at, expires_at, answering)
             values ($1, $2, $3, $4, $5, $6, $7)
             on conflict (who, route, key) do update set digest = excluded.digest, status = null, reply = null,
                         created_at = excluded.created_at, expires_at = excluded.expires_at,
                         answering = excluded.answering",
            (
                row::text(request.who),
                row::text(request.route),
                row::text(request.key),
                request.digest.as_str(),
                at,
                expires,
                request.by,
            ),
        )
        .await?;
        tx.commit().await?;
        Ok(KeyedState::New)
    }

    /// Deletes expired requests from time to time. Until then they count as unknown.
    async fn sweep_requests(&self, at: Timestamp) -> Result<(), Error> {
        let last = self.swept.load(Ordering::Relaxed);
        let is_due = last == 0 || (at - last).abs() >= SWEEP_MS;
        if is_due && self.swept.compare_exchange(last, at, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            let mut tx = self.begin().await?;
            tx.execute("delete from idempotency where expires_at < $1", at).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// Records that a request is still being answered.
    pub async fn renew_request(&self, request: KeyedRequest<'_>, at: Timestamp) -> Result<(), Error> {
        let mut tx = self.begin_in(request.scope()).await?;
        tx.execute(
            "update idempotency set created_at = $5
             where who = $1 and route = $2 and key = $3 and answering = $4 and status is null",
            (row::text(request.who), row::text(request.route), row::text(request.key), request.by, at),
        )
        .await?;
        tx.commit().await
    }

    /// Stores the answer to a request, or deletes the request if there is no answer to keep.
    pub async fn end_request(&self, request: KeyedRequest<'_>, answer: Option<(u16, &str)>) -> Result<(), Error> {
        let mut tx = self.begin_in(request.scope()).await?;
        let statement = match answer {
            Some(_) => "update idempotency set status = $4, reply = $5 where who = $1 and route = $2 and key = $3",
            None => "delete from idempotency where who = $1 and route = $2 and key = $3 and status is null",
        };
        let mut query = sqlx::query(statement)
            .bind(row::text(request.who))
            .bind(row::text(request.route))
            .bind(row::text(request.key));
        if let Some((status, reply)) = answer {
            query = query.bind(i64::from(status)).bind(row::text(reply));
        }
        query.execute(&mut *tx).await?;
        tx.commit().await
    }
}
