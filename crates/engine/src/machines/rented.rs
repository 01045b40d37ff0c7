//! Machines that are rented for a run and terminated after it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use graft_cloud::{
    Error as CloudError, Instance, InstanceState, Launch, Offer, Owner, Provider, Step, choose, reconcile,
};
use graft_core::{Digest, Rental, RentalState, cost_cents, dollars};
use graft_exec::{Answer, Cursor, Executor, Host, Observation, Process, RunRef, Ssh, Start, Started, Stop};
use graft_store::{Held, Run, RunFilter};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{Machines, rules::Rules};
use crate::{Engine, Error, Result, instance::INSTANCE, now};

/// How often a provider is asked about a machine.
const LOOK: Duration = Duration::from_secs(2);
/// How long it takes, for estimates, until a machine trains.
const START: Duration = Duration::from_secs(240);
/// How long an active machine may take to accept a login.
const LOGIN: Duration = Duration::from_secs(180);
/// How long a machine is looked for whose launch wasn't answered.
const DOUBT: Duration = Duration::from_secs(20);
/// Pause after a launch that came too soon after another: one in twelve seconds is allowed.
const LAUNCHES: Duration = Duration::from_secs(12);
/// Launches that are tried for one attempt of a run.
const TRIES: usize = 4;
/// How often a call that isn't answered is tried.
const CALLS: usize = 4;
/// How long a machine that can't be reached is kept.
const AWAY: Duration = Duration::from_secs(300);
/// How often the state of a rental is looked up.
const PACE: Duration = Duration::from_secs(2);

/// A machine that is, or was, rented for a run.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct RentalView {
    /// The rental.
    #[serde(flatten)]
    pub rental: Rental,
    /// What it costs so far, or did in all, in cents.
    pub cents: u64,
}

impl RentalView {
    pub(crate) fn of(rental: Rental) -> Self {
        Self { cents: rental.cents(now()), rental }
    }
}

/// The machine that a run would rent now.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Quote {
    /// The provider.
    pub provider: String,
    /// The cheapest machine of an allowed type in an allowed region.
    pub offer: Offer,
    /// Minutes that a machine may live.
    pub minutes: u32,
    /// What it costs in that time, in cents.
    pub most_cents: u64,
}

/// A provider of machines, as people choose it.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ProviderView {
    /// Its name, which runs give as `on`.
    pub name: String,
    /// Whether this machine has a key for it.
    pub ready: bool,
    /// What is missing, and what to do.
    pub problem: Option<String>,
}

/// What the machines of a provider are, and what was done about them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct RentalSweep {
    /// Machines of this database that were told to terminate.
    pub terminated: Vec<String>,
    /// Machines of this database that are not terminated yet.
    pub running: Vec<String>,
    /// Machines of others: `id (name)`. They are never touched.
    pub foreign: Vec<String>,
}

/// Whether a name is a provider's.
pub(crate) fn is_provider(name: &str) -> bool {
    graft_cloud::PROVIDERS.contains(&name)
}

impl Machines<'_> {
    pub(crate) fn rules(self) -> Result<Rules> {
        Rules::read(&self.engine.rentals)
    }

    pub(super) fn provider(self, name: &str) -> Result<Arc<dyn Provider>> {
        let variable = |name: &str| std::env::var(name).ok();
        let found = graft_cloud::provider(name, variable)?;
        Ok(Arc::from(found.ok_or_else(|| Error::from(graft_store::Error::NoMachine(name.to_owned())))?))
    }

    /// Every provider, and whether there is a key for it.
    #[must_use]
    pub fn providers(self) -> Vec<ProviderView> {
        let of = |name: &&str| {
            let problem = self.provider(name).err();
            let text = |error: &Error| format!("failed to {error}; {}", error.hint().unwrap_or_default());
            ProviderView { name: (*name).to_owned(), ready: problem.is_none(), problem: problem.as_ref().map(text) }
        };
        graft_cloud::PROVIDERS.iter().map(of).collect()
    }

    /// What may be rented now, the cheapest first.
    ///
    /// # Errors
    /// There is no key, or it is refused; the provider can't be reached; nothing that is allowed is available.
    pub async fn quotes(self, provider: &str) -> Result<Vec<Quote>> {
        let rules = self.rules()?;
        let asked = self.provider(provider)?;
        let offers = call(&asked, |provider| provider.offers()).await?;
        let (types, regions) = (rules.types.of(provider), rules.regions.of(provider));
        let offers = choose(offers, &types, &regions);
        if offers.is_empty() {
            let regions = if regions.is_empty() { "any region".into() } else { regions.join(", ") };
            let what = format!("none of {} in {regions}", types.join(", "));
            return Err(CloudError::NoCapacity { provider: asked.name(), what, said: None }.into());
        }
        let quote = |offer: Offer| Quote {
            provider: provider.to_owned(),
            minutes: rules.limits.minutes,
            most_cents: rules.limits.most_cents(&offer),
            offer,
        };
        Ok(offers.into_iter().map(quote).collect())
    }

    /// Refuses what runs can't name as `on`, without asking a provider.
    ///
    /// # Errors
    /// There is no machine of the name, or no key for the provider; a setting can't be used.
    pub(crate) async fn check_name(self, name: &str) -> Result<()> {
        if self.is_rented(name).await? {
            self.rules()?;
            return self.provider(name).map(drop);
        }
        if self.is_service(name).await? {
            return self.known_service().map(drop);
        }
        self.get(name).await.map(drop)
    }

    /// The cheapest of what may be rented now under a name that runs give as `on`; nothing for a machine of one's own, and for
    /// the training service, which is called.
    ///
    /// # Errors
    /// There is no machine of the name; the training service can't be reached, or refuses the token; as [`quotes`](Self::quotes).
    pub async fn quote(self, name: &str) -> Result<Option<Quote>> {
        if self.is_rented(name).await? {
            return Ok(self.quotes(name).await?.into_iter().next());
        }
        if self.is_service(name).await? {
            self.known_service()?.check().await?;
            return Ok(None);
        }
        self.get(name).await.map(|_| None)
    }

    /// Seconds and cents that a training of so many tokens takes on a rented machine, if one of the task was trained on
    /// such a machine before.
    pub async fn expected(self, quote: &Quote, task: &str, tokens: u64) -> Result<Option<(f64, u64)>> {
        let filter = RunFilter { task: Some(task.to_owned()), ..RunFilter::default() };
        for run in self.engine.store.runs(&filter).await? {
            let rentals = self.engine.store.rentals_of(&run.id).await?;
            let known = self.engine.store.followed(&run.id).await?.and_then(|known| known.result);
            let speed = known.and_then(|result| result["tokens_per_second"].as_f64()).filter(|speed| *speed > 0.0);
            let (Some(last), Some(speed)) = (rentals.last(), speed) else { continue };
            if last.kind == quote.offer.kind {
                let seconds = START.as_secs_f64() + tokens as f64 / speed;
                return Ok(Some((seconds, cost_cents(quote.offer.cents_per_hour, 60, (seconds * 1000.0) as i64))));
            }
        }
        Ok(None)
    }

    /// The rentals that are not over, and those of a run.
    pub async fn rentals(self, run: Option<&str>) -> Result<Vec<RentalView>> {
        let rentals = match run {
            Some(run) => self.engine.store.rentals_of(run).await?,
            None => self.engine.store.rentals().await?,
        };
        let is_meant = |rental: &Rental| run.is_some() || rental.state != RentalState::Ended;
        Ok(rentals.into_iter().filter(is_meant).map(RentalView::of).collect())
    }

    /// The owner of this database's machines.
    async fn owner(self) -> Result<Owner> {
        let word = match self.engine.store.setting(INSTANCE).await? {
            Some(word) => word,
            None => {
                self.engine.is_ours().await?;
                let word = self.engine.store.setting(INSTANCE).await?;
                word.ok_or_else(|| Error::Unsupported("name this database: nothing names it".into()))?
            }
        };
        Ok(Owner::new(word.value.as_str().unwrap_or("unnamed")))
    }

    /// A machine for a run: the one that it has, or a new one. `say` hears what is done meanwhile.
    ///
    /// # Errors
    /// There is no key; nothing is available or affordable; the machine doesn't become usable.
    pub(super) async fn rent(self, run: &Run, name: &str, program: &Path, say: &super::Hear<'_>) -> Result<Rented> {
        let renting = Renting {
            engine: self.engine.clone(),
            rules: self.rules()?,
            provider: self.provider(name)?,
            owner: self.owner().await?,
            run: run.id.clone(),
        };
        for _ in 0..TRIES {
            let rental = match renting.current().await? {
                Some(rental) => rental,
                None => renting.launch(say).await?,
            };
            let Some(rental) = renting.find(rental).await? else { continue };
            let rental = renting.wait_active(rental, say).await?;
            return renting.log_in(rental, program).await;
        }
        let what = "the provider did not confirm the launch".to_owned();
        Err(CloudError::NotReady { name: renting.run, what }.into())
    }

    /// The machine that a run has, without renting one.
    pub(super) async fn rented(self, run: &Run, program: &Path) -> Result<Option<Rented>> {
        let place = self.engine.place();
        let rentals = self.engine.store.rentals_of(&run.id).await?;
        let is_it = |rental: &Rental| rental.state == RentalState::Launched && rental.place == place;
        let Some(rental) = rentals.into_iter().rev().find(|rental| is_it(rental) && rental.address.is_some()) else {
            return Ok(None);
        };
        let rules = self.rules()?;
        let ssh = ssh_to(self.engine, &rules, &rental, program)?;
        Ok(Some(Rented::new(self.engine.clone(), rules, rental, ssh)))
    }

    /// Whether a run executes on a rented machine.
    pub(crate) async fn is_for(self, run: &str) -> Result<bool> {
        match self.engine.store.run(run).await?.machine {
            Some(name) => self.is_rented(&name).await,
            None => Ok(false),
        }
    }

    /// Gives back every machine that a run has. What isn't answered is left to [`reconcile`](Self::reconcile_rentals).
    pub(crate) async fn give_back(self, run: &Run) -> Result<()> {
        let rentals = self.engine.store.rentals_of(&run.id).await?;
        if rentals.is_empty() {
            return Ok(());
        }
        for rental in rentals {
            if !rental.state.is_usable() {
                continue;
            }
            let ending = Rental { state: RentalState::Ending, leaving_at: Some(now()), ..rental.clone() };
            if !self.engine.store.change_rental(&rental, &ending).await? {
                continue;
            }
            let Some(instance) = ending.instance.clone() else { continue };
            let provider = self.provider(&rental.provider)?;
            if let Err(error) = call(&provider, move |provider| provider.terminate(&instance)).await {
                tracing::warn!("rental {}: failed to {}; Graft retries", rental.name, graft_core::with_causes(&error));
            }
        }
        self.write_metadata(&run.id).await
    }

    /// Compares what is written down with what every provider lists, and terminates what no live run needs. `was_left`
    /// says of a run without a worker whether it has had none for a while.
    ///
    /// # Errors
    /// A provider or the database can't be reached; a machine is rented, and there is no key.
    pub async fn reconcile_rentals(self, was_left: &(dyn Fn(&str) -> bool + Sync)) -> Result<RentalSweep> {
        let mut sweep = RentalSweep::default();
        let mut failed = None;
        for name in graft_cloud::PROVIDERS {
            let done = match self.provider(name) {
                Ok(provider) => self.reconcile_with(&provider, was_left, &mut sweep).await,
                Err(error) => {
                    let is_open = |rental: &Rental| rental.provider == name && rental.state != RentalState::Ended;
                    let is_needed = self.engine.store.rentals().await?.iter().any(is_open);
                    if is_needed { Err(error) } else { Ok(()) }
                }
            };
            // One provider's trouble leaves no machine of another running.
            failed = failed.or(done.err());
        }
        failed.map_or(Ok(sweep), Err)
    }

    async fn reconcile_with(
        self,
        provider: &Arc<dyn Provider>,
        was_left: &(dyn Fn(&str) -> bool + Sync),
        sweep: &mut RentalSweep,
    ) -> Result<()> {
        let store = &self.engine.store;
        let (owner, limits) = (self.owner().await?, self.rules()?.limits);
        // The list comes first: whatever it holds was written down before.
        let mut listed = call(provider, |provider| provider.instances()).await?;
        let rentals = store.rentals().await?;
        let active: Vec<String> = store.active_runs().await?.into_iter().map(|run| run.id).collect();
        let is_held = |held: &Held| held.left_ms > 0 && !self.engine.is_gone(&held.owner);
        let held: Vec<String> = store.held_runs().await?.into_iter().filter(is_held).map(|held| held.run).collect();
        let is_needed =
            |rental: &Rental| active.contains(&rental.run) && (held.contains(&rental.run) || !was_left(&rental.run));
        let ours: Vec<Rental> = rentals.into_iter().filter(|rental| rental.provider == provider.name()).collect();
        // What was never seen may be listed yet, unless it was told to terminate.
        let may_be_gone = |rental: &&Rental| match rental.state {
            RentalState::Intended | RentalState::Ended => false,
            RentalState::Launched => rental.address.is_some(),
            RentalState::Ending => true,
        };
        for rental in ours.iter().filter(may_be_gone) {
            let Some(id) = rental.instance.clone().filter(|id| listed.iter().all(|one| one.id != *id)) else {
                continue;
            };
            let asked = id.clone();
            if call(provider, move |provider| provider.is_gone(&asked)).await? {
                listed.push(Instance {
                    id,
                    name: Some(rental.name.clone()),
                    state: InstanceState::Terminated,
                    address: None,
                    kind: rental.kind.clone(),
                    region: rental.region.clone(),
                });
            }
        }
        for Step { write, terminate } in reconcile(&owner, &listed, &ours, &limits, &is_needed, now()) {
            if let Some((old, new)) = &write {
                if !store.change_rental(old, new).await? {
                    continue;
                }
                if old.state != new.state {
                    self.write_metadata(&new.run).await?;
                }
            }
            if let Some(instance) = terminate {
                let id = instance.id.clone();
                sweep.terminated.push(instance.name.clone().unwrap_or_else(|| id.clone()));
                call(provider, move |provider| provider.terminate(&id)).await?;
            }
        }
        for instance in listed.iter().filter(|instance| instance.state != InstanceState::Terminated) {
            let name = instance.name.clone().unwrap_or_default();
            if !owner.has(instance) {
                sweep.foreign.push(format!("{} ({name})", instance.id));
            } else if !ours.iter().any(|rental| rental.name == name && rental.state.is_usable() && is_needed(rental)) {
                sweep.running.push(name);
            }
        }
        Ok(())
    }

    /// Writes what the machines of a run cost into its directory, where that is here.
    async fn write_metadata(self, run: &str) -> Result<()> {
        let Ok(run) = self.engine.store.run(run).await else { return Ok(()) };
        let dir = self.engine.home.run_dir(&run).path().to_owned();
        if !dir.is_dir() {
            return Ok(());
        }
        let rentals = self.engine.store.rentals_of(&run.id).await?;
        let at = now();
        let cents: u64 = rentals.iter().map(|rental| rental.cents(at)).sum();
        let of = |rental: &Rental| {
            json!({
                "provider": rental.provider, "instance_type": rental.kind, "region": rental.region,
                "instance": rental.instance, "name": rental.name, "state": rental.state,
                "price_cents_per_hour": rental.cents_per_hour,
                "started_at": graft_core::iso8601(rental.intended_at),
                "ended_at": rental.ended_at.or(rental.leaving_at).map(graft_core::iso8601),
                "cost_cents": rental.cents(at),
            })
        };
        let is_over = rentals.iter().all(|rental| rental.state == RentalState::Ended);
        let metadata = json!({
            "run": run.id, "version": run.version, "cost_cents": cents, "cost": dollars(cents), "is_final": is_over,
            "rentals": rentals.iter().map(of).collect::<Vec<_>>(),
        });
        Ok(graft_formats::atomic::bytes(&dir.join("metadata.json"), graft_core::json::pretty(&metadata).as_bytes())?)
    }
}

/// A call of a provider on a thread that may wait, tried again where it wasn't answered. A launch must not come here.
async fn call<T: Send + 'static>(
    provider: &Arc<dyn Provider>,
    ask: impl Fn(&dyn Provider) -> graft_cloud::Result<T> + Clone + Send + 'static,
) -> Result<T> {
    let mut tries = 0;
    loop {
        let outcome = once(provider, ask.clone()).await?;
        tries += 1;
        match outcome {
            Err(CloudError::NoAnswer { .. } | CloudError::TooMany { .. }) if tries < CALLS => {
                tokio::time::sleep(LOOK / 2 * tries as u32).await;
            }
            outcome => return Ok(outcome?),
        }
    }
}

async fn once<T: Send + 'static>(
    provider: &Arc<dyn Provider>,
    ask: impl FnOnce(&dyn Provider) -> graft_cloud::Result<T> + Send + 'static,
) -> Result<graft_cloud::Result<T>> {
    let provider = Arc::clone(provider);
    let done = tokio::task::spawn_blocking(move || ask(&*provider)).await;
    done.map_err(|error| Error::Executor(graft_exec::Error::Thread(error)))
}

/// Renting a machine for one run.
struct Renting {
    engine: Engine,
    rules: Rules,
    provider: Arc<dyn Provider>,
    owner: Owner,
    run: String,
}

impl Renting {
    /// The rental that the run has, if this home can log in to its machine.
    async fn current(&self) -> Result<Option<Rental>> {
        let place = self.engine.place();
        let mut found = None;
        for rental in self.engine.store.rentals_of(&self.run).await? {
            if !rental.state.is_usable() || rental.provider != self.provider.name() {
                continue;
            }
            if rental.place == place {
                found = Some(rental);
            } else {
                self.give_up(&rental).await?;
            }
        }
        Ok(found)
    }

    async fn change(&self, old: &Rental, new: Rental) -> Result<Rental> {
        if self.engine.store.change_rental(old, &new).await? {
            return Ok(new);
        }
        // Somebody else saw it first; whether it can still be used is in the row.
        let rentals = self.engine.store.rentals_of(&self.run).await?;
        let is_it = |rental: &Rental| rental.name == old.name && (rental.state.is_usable() || !new.state.is_usable());
        rentals.into_iter().find(is_it).ok_or_else(|| not_ready(old, "it was terminated"))
    }

    /// Leaves a machine to the reconciler.
    async fn give_up(&self, rental: &Rental) -> Result<()> {
        let ending = Rental { state: RentalState::Ending, leaving_at: Some(now()), ..rental.clone() };
        if let Some(instance) = self.change(rental, ending).await?.instance {
            // Not answered, it is tried again by the reconciler.
            let _ = call(&self.provider, move |provider| provider.terminate(&instance)).await;
        }
        Ok(())
    }

    /// Launches the cheapest machine that can be had.
    async fn launch(&self, say: &super::Hear<'_>) -> Result<Rental> {
        let key = self.key().await?;
        let quotes = self.engine.machines().quotes(self.provider.name()).await?;
        let mut full = None;
        for Quote { offer, most_cents, .. } in quotes {
            let price = dollars(u64::from(offer.cents_per_hour));
            say(&format!("renting {} in {} for {price} an hour", offer.kind, offer.region));
            let mut tries = 0;
            loop {
                let rental = self.intend(&offer, most_cents).await?;
                let (name, ssh_key, wanted) = (rental.name.clone(), key.clone(), offer.clone());
                let ask = move |provider: &dyn Provider| {
                    provider.launch(&Launch { offer: &wanted, name: &name, ssh_key: &ssh_key })
                };
                tries += 1;
                match once(&self.provider, ask).await? {
                    Ok(id) => {
                        let launched = Rental { state: RentalState::Launched, instance: Some(id), ..rental.clone() };
                        return self.change(&rental, launched).await;
                    }
                    Err(error) if error.is_in_doubt() => {
                        say(&format!("failed to {error}; checking whether the machine was launched"));
                        return Ok(rental);
                    }
                    Err(error) => {
                        let ended = Rental { state: RentalState::Ended, ended_at: Some(now()), ..rental.clone() };
                        self.change(&rental, ended).await?;
                        match error {
                            CloudError::TooMany { .. } if tries < TRIES => tokio::time::sleep(LAUNCHES).await,
                            CloudError::NoCapacity { .. } => {
                                full = Some(error);
                                break;
                            }
                            error => return Err(error.into()),
                        }
                    }
                }
            }
        }
        let what = "no allowed type".to_owned();
        Err(full.unwrap_or(CloudError::NoCapacity { provider: self.provider.name(), what, said: None }).into())
    }

    /// Writes down what is to be launched, if it can be afforded.
    async fn intend(&self, offer: &Offer, most_cents: u64) -> Result<Rental> {
        static COUNT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
        let count = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let at = now();
        let word = Digest::of(format!("{} {} {at} {count}", self.engine.me, self.run).as_bytes());
        let rental = Rental {
            name: self.owner.name(word.short()),
            run: self.run.clone(),
            provider: self.provider.name().to_owned(),
            kind: offer.kind.clone(),
            region: offer.region.clone(),
            place: self.engine.place().to_owned(),
            cents_per_hour: offer.cents_per_hour,
            unit_seconds: self.provider.unit_seconds(),
            most_cents,
            state: RentalState::Intended,
            instance: None,
            address: None,
            intended_at: at,
            leaving_at: None,
            ended_at: None,
        };
        let allow = |all: &[Rental]| Ok::<_, Error>(self.rules.limits.allow(&rental, all, at)?);
        self.engine.store.intend_rental(&rental, allow).await?;
        Ok(rental)
    }

    /// The machine of a rental; one whose launch wasn't answered is looked for by its name.
    async fn find(&self, rental: Rental) -> Result<Option<Rental>> {
        if rental.instance.is_some() {
            return Ok(Some(rental));
        }
        let began = Instant::now();
        while began.elapsed() < DOUBT {
            let listed = call(&self.provider, |provider| provider.instances()).await?;
            if let Some(found) = listed.into_iter().find(|one| one.name.as_deref() == Some(&rental.name)) {
                let launched = Rental { state: RentalState::Launched, instance: Some(found.id), ..rental.clone() };
                return Ok(Some(self.change(&rental, launched).await?));
            }
            tokio::time::sleep(LOOK).await;
        }
        // It may be listed yet: then the reconciler terminates it.
        self.give_up(&rental).await?;
        Ok(None)
    }

    async fn wait_active(&self, mut rental: Rental, say: &super::Hear<'_>) -> Result<Rental> {
        let (began, boot) = (Instant::now(), self.provider.boot());
        let mut is_told = false;
        let what = loop {
            let listed = call(&self.provider, |provider| provider.instances()).await?;
            let found = listed.into_iter().find(|one| Some(&one.id) == rental.instance.as_ref());
            match found.as_ref().map(|one| (one.state, one.address.clone())) {
                Some((InstanceState::Active, Some(address))) => {
                    let known = Rental { address: Some(address), leaving_at: None, ..rental.clone() };
                    if known != rental {
                        rental = self.change(&rental, known).await?;
                    }
                    return Ok(rental);
                }
                Some((InstanceState::Unhealthy, _)) => break "the provider reports it as unhealthy".to_owned(),
                Some((InstanceState::Ending | InstanceState::Terminated, _)) => {
                    break "it was terminated".to_owned();
                }
                _ if began.elapsed() >= boot => {
                    break format!("it did not become active within {} s", boot.as_secs());
                }
                _ => {}
            }
            if !is_told {
                is_told = true;
                say(&format!("{} in {} is starting", rental.kind, rental.region));
            }
            tokio::time::sleep(LOOK).await;
            if let Some(changed) = self.current().await?.filter(|changed| changed.name == rental.name) {
                rental = changed;
            } else {
                return Err(not_ready(&rental, "it was terminated"));
            }
        };
        self.give_up(&rental).await?;
        Err(not_ready(&rental, &what))
    }

    /// Waits until one can log in, and sets the machine's own deadline.
    async fn log_in(&self, rental: Rental, program: &Path) -> Result<Rented> {
        let ssh = ssh_to(&self.engine, &self.rules, &rental, program)?;
        let left = i64::from(self.rules.limits.minutes) * 60_000 - (now() - rental.intended_at);
        let left = Duration::from_millis(u64::try_from(left).unwrap_or(0));
        let began = Instant::now();
        loop {
            match ssh.guard(left, self.rules.silence, self.provider.end_itself()).await {
                Ok(()) => return Ok(Rented::new(self.engine.clone(), self.rules.clone(), rental, ssh)),
                Err(graft_exec::Error::Unreachable { .. } | graft_exec::Error::Denied { .. })
                    if began.elapsed() < LOGIN =>
                {
                    tokio::time::sleep(LOOK).await;
                }
                Err(error) => {
                    self.give_up(&rental).await?;
                    return Err(match error {
                        graft_exec::Error::Unreachable { said, .. } | graft_exec::Error::Denied { said, .. } => {
                            not_ready(&rental, &format!("login was not possible within 180 s: {said}"))
                        }
                        other => other.into(),
                    });
                }
            }
        }
    }

    /// The provider's name of this home's key.
    async fn key(&self) -> Result<String> {
        let public = key_pair(&self.engine)?.with_extension("pub");
        let failed = |source| Error::Io { doing: "read", path: public.clone(), source };
        let text = fs::read_to_string(&public).map_err(failed)?;
        let place = Digest::of(self.engine.place().as_bytes());
        let name = self.owner.name(place.short());
        call(&self.provider, move |provider| provider.ensure_key(&name, &text)).await
    }
}

fn not_ready(rental: &Rental, what: &str) -> Error {
    CloudError::NotReady { name: rental.name.clone(), what: what.to_owned() }.into()
}

/// The folder of this home's key for rented machines, and of their host keys.
fn key_folder(engine: &Engine) -> PathBuf {
    engine.home.path().join("rented")
}

/// The private key of this home for rented machines; made when it is first needed.
fn key_pair(engine: &Engine) -> Result<PathBuf> {
    let folder = key_folder(engine);
    let path = folder.join("key");
    if path.exists() && path.with_extension("pub").exists() {
        return Ok(path);
    }
    let failed = |source| Error::Io { doing: "make", path: path.clone(), source };
    crate::engine::make_private(&folder).map_err(failed)?;
    // Made aside and renamed, so that another process never finds half a key.
    let part = tempfile::tempdir_in(&folder).map_err(failed)?;
    let made = part.path().join("key");
    let mut make = Command::new("ssh-keygen");
    make.args(["-q", "-t", "ed25519", "-N", "", "-C", "graft", "-f"]).arg(&made);
    let done = make.output().map_err(failed)?;
    if !done.status.success() {
        return Err(failed(std::io::Error::other(String::from_utf8_lossy(&done.stderr).trim().to_owned())));
    }
    fs::rename(&made, &path).map_err(failed)?;
    fs::rename(made.with_extension("pub"), path.with_extension("pub")).map_err(failed)?;
    Ok(path)
}

/// The way into a rented machine. Its host key is taken when it is first seen, and must stay the same from then on.
fn ssh_to(engine: &Engine, rules: &Rules, rental: &Rental, program: &Path) -> Result<Ssh> {
    let address = rental.address.clone().ok_or_else(|| not_ready(rental, "it has no address"))?;
    if !Host::is_destination(&address) {
        return Err(not_ready(rental, "its address is invalid"));
    }
    let key = key_pair(engine)?;
    let known = key_folder(engine).join(format!("{}.known", rental.name));
    // Of some providers' machines the address names the user, too.
    let is_complete = address.contains('@');
    let mut host = Host::new(address);
    host.options = vec![
        format!("IdentityFile=\"{}\"", key.display()),
        "IdentitiesOnly=yes".to_owned(),
        format!("HostKeyAlias={}", rental.name),
        format!("UserKnownHostsFile=\"{}\"", known.display()),
        "GlobalKnownHostsFile=/dev/null".to_owned(),
        "StrictHostKeyChecking=accept-new".to_owned(),
    ];
    if !is_complete {
        host.options.push(format!("User={}", rules.user));
    }
    host.hidden = graft_cloud::KEY_VARIABLES.to_vec();
    Ok(Ssh::new(host, program.to_owned()))
}

/// Runs a run's process on the machine that was rented for it.
#[derive(Debug)]
pub(crate) struct Rented {
    engine: Engine,
    rules: Rules,
    rental: Rental,
    ssh: Ssh,
    seen: Mutex<Seen>,
}

/// What was last known of the machine.
#[derive(Clone, Copy, Debug)]
struct Seen {
    /// When its rental was last looked up.
    looked: Option<Instant>,
    /// Whether the rental was usable then.
    is_usable: bool,
    /// Since when the machine can't be reached.
    away: Option<Instant>,
}

impl Rented {
    fn new(engine: Engine, rules: Rules, rental: Rental, ssh: Ssh) -> Self {
        let seen = Mutex::new(Seen { looked: None, is_usable: true, away: None });
        Self { engine, rules, rental, ssh, seen }
    }

    /// What people call it.
    pub(crate) fn about(&self) -> String {
        format!("{} in {}", self.rental.kind, self.rental.region)
    }

    /// Whether the machine may be used; looked up now and then.
    async fn is_usable(&self) -> bool {
        let seen = *self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.looked.is_some_and(|at| at.elapsed() < PACE) || !seen.is_usable {
            return seen.is_usable;
        }
        // While the database is away nothing is known to have changed.
        let Ok(rentals) = self.engine.store.rentals_of(&self.rental.run).await else { return true };
        let is_it = |rental: &Rental| rental.name == self.rental.name;
        let is_usable = rentals.iter().any(|rental| is_it(rental) && rental.state.is_usable());
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        (seen.looked, seen.is_usable) = (Some(Instant::now()), is_usable);
        is_usable
    }

    /// How long the machine can't be reached.
    fn note(&self, process: &Process) -> Duration {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if *process == Process::Unknown {
            seen.away.get_or_insert_with(Instant::now).elapsed()
        } else {
            seen.away = None;
            Duration::ZERO
        }
    }

    fn check_limits(&self) -> graft_exec::Result<()> {
        if !self.rules.limits.are_reached(&self.rental, now()) {
            return Ok(());
        }
        let cost = dollars(self.rental.most_cents);
        let why = format!("the limit of {} minutes or {cost} is reached", self.rules.limits.minutes);
        Err(graft_exec::Error::GivenUp { host: self.about(), why })
    }

    async fn look(&self, run: &RunRef, cursor: Cursor) -> graft_exec::Result<Observation> {
        let is_usable = self.is_usable().await;
        self.check_limits()?;
        if !is_usable {
            return Ok(Observation { process: Process::Gone, ..graft_exec::read(&run.dir, cursor)? });
        }
        let seen = self.ssh.observe(run, cursor).await?;
        let is_cut_off = match &seen.process {
            Process::Gone => true,
            Process::Exited(exit) => exit.signal.is_some(),
            _ => false,
        };
        if is_cut_off {
            // The machine ends itself at its limits, which is not a machine that was lost.
            self.check_limits()?;
        }
        if self.note(&seen.process) < AWAY {
            return Ok(seen);
        }
        // The run continues from its newest checkpoint on another machine.
        if let Ok(run) = self.engine.store.run(&self.rental.run).await {
            let _ = self.engine.machines().give_back(&run).await;
        }
        Ok(Observation { process: Process::Gone, ..seen })
    }
}

impl Executor for Rented {
    fn start<'a>(&'a self, run: &'a RunRef, start: &'a Start) -> Answer<'a, Started> {
        self.ssh.start(run, start)
    }

    fn observe<'a>(&'a self, run: &'a RunRef, cursor: Cursor) -> Answer<'a, Observation> {
        Box::pin(self.look(run, cursor))
    }

    fn stop<'a>(&'a self, run: &'a RunRef, how: Stop) -> Answer<'a, ()> {
        Box::pin(async move { if self.is_usable().await { self.ssh.stop(run, how).await } else { Ok(()) } })
    }

    fn collect<'a>(&'a self, run: &'a RunRef) -> Answer<'a, ()> {
        Box::pin(async move { if self.is_usable().await { self.ssh.collect(run).await } else { Ok(()) } })
    }

    fn list(&self) -> Answer<'_, Vec<String>> {
        self.ssh.list()
    }
}
