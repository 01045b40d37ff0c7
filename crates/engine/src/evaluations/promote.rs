//! The end of a roll-out: its version becomes the active one.

use graft_store::{Rollout, RolloutState};

use super::{Activated, Evaluations};
use crate::{Error, Result, Serving, now, versions::Seen};

impl Evaluations<'_> {
    /// Makes the version of a task's roll-out active, if all that its policy demands holds, and it is not worse on the held-out
    /// examples. An override needs a reason, which is kept in the audit trail, and asks for nothing else.
    ///
    /// # Errors
    /// None is rolled out, [`Error::RolloutOpen`], or as [`activate_in`](Self::activate_in).
    pub async fn promote(self, serving: Option<&Serving>, task: &str, because: Option<&str>) -> Result<Activated> {
        let rollouts = self.engine.rollouts();
        rollouts.look(task).await?;
        let rollout = rollouts.running(task).await?;
        match because {
            Some(why) => {
                let why = format!("overridden: {why}");
                self.note(&rollout, rollout.state, &why).await?;
                self.finish(serving, &rollout, true, &why).await
            }
            None => {
                let report = rollouts.look(task).await?;
                let gates = report.map(|report| report.gates).unwrap_or_default();
                let open: Vec<&str> = gates.iter().filter(|gate| !gate.passed).map(|gate| gate.name).collect();
                if !open.is_empty() {
                    let Rollout { task, version, .. } = rollout;
                    return Err(Error::RolloutOpen { task, version, open: open.join(", ") });
                }
                self.finish(serving, &rollout, false, "all conditions of its policy are met").await
            }
        }
    }

    async fn finish(self, serving: Option<&Serving>, rollout: &Rollout, force: bool, why: &str) -> Result<Activated> {
        let (task, version) = (rollout.task.as_str(), rollout.version.as_str());
        let seen = Seen::Active(Some(&rollout.against));
        let done = match serving {
            Some(serving) => self.activate_in(serving, (task, version), seen, force).await?,
            None => self.activate(task, version, seen, force, &mut |_, _, _| {}).await?,
        };
        match self.note(rollout, RolloutState::Promoted, why).await {
            // Whoever looked in between has noted that it is active.
            Err(Error::Store(graft_store::Error::RolloutRefused { .. })) => {}
            noted => noted?,
        }
        Ok(done)
    }

    async fn note(self, rollout: &Rollout, to: RolloutState, why: &str) -> Result<()> {
        self.engine.store.move_rollout(rollout, to, Some(why), &self.engine.by, now()).await.map(drop)?;
        Ok(())
    }
}
