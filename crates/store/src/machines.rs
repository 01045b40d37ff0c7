use graft_core::{Launcher, Timestamp};
use serde::Serialize;
use serde_json::json;
use sqlx::any::AnyExecutor;
use utoipa::ToSchema;

use crate::changes::{Actor, Entry, record};
use crate::row::from_row;
use crate::{Action, Error, Kind, Store, row, statement};

/// A machine to add.
#[derive(Clone, Copy, Debug)]
pub struct NewMachine<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its ssh destination.
    pub destination: &'a str,
    /// Number of runs that it may execute at once.
    pub slots: u32,
    /// Local path of the `graft` program to send to it; by default the worker's own program.
    pub program: Option<&'a str>,
    /// How trainers are started there.
    pub launcher: &'a Launcher,
}

/// A machine, other than the worker's own, that can execute runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Machine {
    /// Its name.
    pub name: String,
    /// Its ssh destination.
    pub destination: String,
    /// Number of runs that it may execute at once.
    pub slots: u32,
    /// Local path of the `graft` program to send to it; by default the worker's own program.
    pub program: Option<String>,
    /// How trainers are started there.
    pub launcher: Launcher,
    /// Who added it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
}

macro_rules! select_machines {
    ($tail:literal) => {
        concat!("select name, destination, slots, program, launcher, created_by, created_at from machines ", $tail)
    };
}

impl Store {
    /// Adds a machine.
    ///
    /// # Errors
    /// [`Error::MachineExists`]; [`Error::BadName`].
    pub async fn add_machine(&self, new: NewMachine<'_>, by: &str, at: Timestamp) -> Result<Machine, Error> {
        row::check_name("machine", new.name)?;
        let mut tx = self.begin().await?;
        let added = tx
            .execute(
                "insert into machines (name, destination, slots, program, launcher, created_by, created_at)
                 values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing",
                (
                    new.name,
                    new.destination,
                    new.slots.max(1),
                    new.program,
                    json!(new.launcher).to_string(),
                    row::text(by),
                    at,
                ),
            )
            .await?;
        if added == 0 {
            return Err(Error::MachineExists(new.name.to_owned()));
        }
        let machine = find(&mut *tx, new.name).await?.ok_or_else(|| Error::NoMachine(new.name.to_owned()))?;
        let entry = Entry { action: Action::Add, kind: Kind::Machine, task: "", subject: new.name };
        record(&mut tx, entry, Actor { by, at }, None, Some(&json!(machine))).await?;
        tx.commit().await?;
        Ok(machine)
    }

    /// Every machine, by name.
    pub async fn machines(&self) -> Result<Vec<Machine>, Error> {
        let mut machines: Vec<Machine> = statement::all(&self.read, select_machines!(""), ()).await?;
        machines.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(machines)
    }

    /// A machine.
    ///
    /// # Errors
    /// [`Error::NoMachine`].
    pub async fn machine(&self, name: &str) -> Result<Machine, Error> {
        find(&self.read, name).await?.ok_or_else(|| Error::NoMachine(name.to_owned()))
    }

    /// Removes a machine and returns it.
    ///
    /// # Errors
    /// [`Error::NoMachine`]; [`Error::MachineBusy`] while a run on it is active.
    pub async fn remove_machine(&self, name: &str, by: &str, at: Timestamp) -> Result<Machine, Error> {
        let mut tx = self.begin().await?;
        let gone = find(&mut *tx, name).await?.ok_or_else(|| Error::NoMachine(name.to_owned()))?;
        let busy = statement::value(
            &mut *tx,
            "select id from runs where machine = $1 and state in ('queued', 'starting', 'running') limit 1",
            name,
        )
        .await?;
        if let Some(run) = busy {
            return Err(Error::MachineBusy { machine: gone.name, run });
        }
        tx.execute("delete from machines where name = $1", name).await?;
        let entry = Entry { action: Action::Delete, kind: Kind::Machine, task: "", subject: name };
        record(&mut tx, entry, Actor { by, at }, Some(&json!(gone)), None).await?;
        tx.commit().await?;
        Ok(gone)
    }
}

async fn find(on: impl AnyExecutor<'_>, name: &str) -> Result<Option<Machine>, Error> {
    statement::optional(on, select_machines!("where name = $1"), name).await
}

from_row!(Machine { name, destination, slots, program, launcher, created_by, created_at });
