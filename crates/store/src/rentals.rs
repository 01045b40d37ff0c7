//! Machines that were rented for runs. Rows are never deleted, so the table is its own history.

use graft_core::{Rental, RentalState};
use sqlx::any::{AnyExecutor, AnyRow};

use crate::{Error, Store, row};

macro_rules! select_rentals {
    ($tail:literal) => {
        concat!(
            "select name, run, provider, kind, region, place, cents_per_hour, unit_seconds, most_cents, state, instance,
                    address, intended_at, leaving_at, ended_at from rentals ",
            $tail
        )
    };
}

impl Store {
    /// Records a rental before its launch, if `allow` accepts it. `allow` gets all existing rentals, under the write
    /// lock.
    ///
    /// # Errors
    /// Any error of `allow`; when the database can't be written.
    pub async fn intend_rental<E: From<Error>>(
        &self,
        new: &Rental,
        allow: impl FnOnce(&[Rental]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut tx = self.begin().await?;
        allow(&all(&mut *tx).await?)?;
        tx.execute(
            "insert into rentals (name, run, provider, kind, region, place, cents_per_hour, unit_seconds, most_cents,
                                  state, instance, address, intended_at, leaving_at, ended_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
            (
                &new.name,
                &new.run,
                &new.provider,
                &new.kind,
                &new.region,
                &new.place,
                new.cents_per_hour,
                new.unit_seconds,
                new.most_cents,
                new.state.name(),
                new.instance.as_deref(),
                new.address.as_deref(),
                new.intended_at,
                new.leaving_at,
                new.ended_at,
            ),
        )
        .await?;
        Ok(tx.commit().await?)
    }

    /// Updates a rental if it is still `old` in the database (compare and swap); returns whether it did.
    pub async fn change_rental(&self, old: &Rental, new: &Rental) -> Result<bool, Error> {
        let mut tx = self.begin().await?;
        let row = sqlx::query(select_rentals!("where name = $1")).bind(&old.name).fetch_optional(&mut *tx).await?;
        if row.map(|row| rental(&row)).transpose()?.as_ref() != Some(old) {
            return Ok(false);
        }
        tx.execute(
            "update rentals set state = $2, instance = $3, address = $4, leaving_at = $5, ended_at = $6
             where name = $1",
            (
                &new.name,
                new.state.name(),
                new.instance.as_deref(),
                new.address.as_deref(),
                new.leaving_at,
                new.ended_at,
            ),
        )
        .await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Every rental, the oldest first.
    pub async fn rentals(&self) -> Result<Vec<Rental>, Error> {
        all(&self.read).await
    }

    /// The rentals of a run, the oldest first.
    pub async fn rentals_of(&self, run: &str) -> Result<Vec<Rental>, Error> {
        let rows = sqlx::query(select_rentals!("where run = $1 order by intended_at, name"));
        rows.bind(run).fetch_all(&self.read).await?.iter().map(rental).collect()
    }
}

async fn all(on: impl AnyExecutor<'_>) -> Result<Vec<Rental>, Error> {
    let rows = sqlx::query(select_rentals!("order by intended_at, name")).fetch_all(on).await?;
    rows.iter().map(rental).collect()
}

fn rental(row: &AnyRow) -> Result<Rental, Error> {
    let state: String = row::get(row, "state")?;
    Ok(Rental {
        name: row::get(row, "name")?,
        run: row::get(row, "run")?,
        provider: row::get(row, "provider")?,
        kind: row::get(row, "kind")?,
        region: row::get(row, "region")?,
        place: row::get(row, "place")?,
        cents_per_hour: row::get(row, "cents_per_hour")?,
        unit_seconds: row::get(row, "unit_seconds")?,
        most_cents: row::get(row, "most_cents")?,
        state: RentalState::named(&state)
            .ok_or_else(|| Error::Damaged(format!("`{state}` is not a state of a rental").into()))?,
        instance: row::get(row, "instance")?,
        address: row::get(row, "address")?,
        intended_at: row::get(row, "intended_at")?,
        leaving_at: row::get(row, "leaving_at")?,
        ended_at: row::get(row, "ended_at")?,
    })
}
