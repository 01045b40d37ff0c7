//! Compares the stored rentals and running runs with the provider's list, and decides what to do so that only needed
//! machines run. This module is pure (it makes no request), so tests can try every order of failures.

use graft_core::{Rental, RentalState, Timestamp, cost_cents, dollars};

use crate::{Error, Instance, InstanceState, Offer, Result};

/// Milliseconds.
const MINUTE: i64 = 60_000;
/// How long after a launch whose answer was lost a machine may be listed for the first time.
const LATE: i64 = 15 * MINUTE;
/// How long a machine must be missing from the provider's list before it counts as gone: one list without it proves
/// nothing.
const GONE: i64 = MINUTE / 2;

/// What may be spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Cents that the rentals of one run may cost together.
    pub run_cents: u64,
    /// Cents that all rentals of a calendar month (UTC) may cost together.
    pub month_cents: u64,
    /// Minutes that a machine may live.
    pub minutes: u32,
}

impl Limits {
    /// What a machine of an offer can cost at most.
    #[must_use]
    pub fn most_cents(&self, offer: &Offer) -> u64 {
        cost_cents(offer.cents_per_hour, 60, i64::from(self.minutes) * MINUTE)
    }

    /// Refuses a rental that could exceed what a run or a month may cost, with all rentals of its run and month.
    ///
    /// # Errors
    /// [`Error::Limit`].
    pub fn allow(&self, new: &Rental, all: &[Rental], now: Timestamp) -> Result<()> {
        let month = |rental: &Rental| graft_core::iso8601(rental.intended_at).get(..7).map(str::to_owned);
        let spent = |of: &dyn Fn(&Rental) -> bool| -> u64 {
            all.iter().filter(|rental| of(rental)).map(|rental| rental.reserved_cents(now)).sum()
        };
        let this = month(new);
        let checks = [
            ("run", self.run_cents, spent(&|rental| rental.run == new.run)),
            ("month", self.month_cents, spent(&|rental| month(rental) == this)),
        ];
        for (what, limit, spent) in checks {
            if spent.saturating_add(new.most_cents) > limit {
                return Err(Error::Limit(format!(
                    "{} minutes of `{}` cost up to {}, {} are spent or reserved, and a {what} may cost {}",
                    self.minutes,
                    new.kind,
                    dollars(new.most_cents),
                    dollars(spent),
                    dollars(limit)
                )));
            }
        }
        Ok(())
    }

    /// Whether a rental has reached its maximum age or cost.
    #[must_use]
    pub fn are_reached(&self, rental: &Rental, now: Timestamp) -> bool {
        let age = now.saturating_sub(rental.intended_at);
        age >= i64::from(self.minutes) * MINUTE || rental.cents_for(age) > rental.most_cents
    }
}

/// Which machines are of one database: their names begin in the same way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    prefix: String,
}

impl Owner {
    /// The owner of one database, which this word names.
    #[must_use]
    pub fn new(word: &str) -> Self {
        Self { prefix: format!("graft-{word}-") }
    }

    /// The name of a machine; `suffix` is given once.
    #[must_use]
    pub fn name(&self, suffix: &str) -> String {
        format!("{}{suffix}", self.prefix)
    }

    /// Whether a machine was launched by this owner.
    #[must_use]
    pub fn has(&self, instance: &Instance) -> bool {
        instance.name.as_ref().is_some_and(|name| name.starts_with(&self.prefix))
    }
}

/// One thing to do. It may be done again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// A rental as it was read and as it becomes. Where it has changed meanwhile, nothing of this step is done.
    pub write: Option<(Rental, Rental)>,
    /// The machine to terminate afterwards.
    pub terminate: Option<Instance>,
}

/// What must be done so that exactly the machines run that live runs need. `instances` is all that the provider lists;
/// `rentals` was read *after* that, so that it holds a row for each of them; `is_needed` says whether a live run uses the
/// machine of a rental.
///
/// It must be asked again, more than twice a minute.
#[must_use]
pub fn reconcile(
    owner: &Owner,
    instances: &[Instance],
    rentals: &[Rental],
    limits: &Limits,
    is_needed: &dyn Fn(&Rental) -> bool,
    now: Timestamp,
) -> Vec<Step> {
    let runs = |instance: &&Instance| instance.state != InstanceState::Terminated && owner.has(instance);
    let found = instances.iter().filter(runs).filter_map(|instance| {
        let rental = rentals.iter().find(|rental| instance.name.as_deref() == Some(&rental.name));
        // A machine that came twice under one name is none of the rental's.
        let rental = rental.filter(|rental| rental.instance.as_ref().is_none_or(|known| *known == instance.id));
        of_machine(instance, rental, limits, is_needed, now)
    });
    let missing = rentals.iter().filter(|rental| rental.state != RentalState::Ended).filter_map(|rental| {
        let its = |instance: &&Instance| instance.name.as_deref() == Some(&rental.name);
        let mut listed = instances.iter().filter(its).peekable();
        let next = if listed.peek().is_some() {
            // What ended without being told costs until that was seen.
            let told = rental.leaving_at.filter(|_| rental.state == RentalState::Ending);
            let ended_at = Some(told.unwrap_or(now));
            let instance = rental.instance.clone().or_else(|| listed.peek().map(|instance| instance.id.clone()));
            let is_over = listed.all(|instance| instance.state == InstanceState::Terminated);
            is_over.then(|| Rental { state: RentalState::Ended, instance, ended_at, ..rental.clone() })
        } else {
            of_missing(rental, now)
        }?;
        Some(Step { write: Some((rental.clone(), next)), terminate: None })
    });
    found.chain(missing).collect()
}

/// What to do about a machine of ours that runs.
fn of_machine(
    instance: &Instance,
    rental: Option<&Rental>,
    limits: &Limits,
    is_needed: &dyn Fn(&Rental) -> bool,
    now: Timestamp,
) -> Option<Step> {
    let is_leaving = instance.state == InstanceState::Ending;
    let Some(rental) = rental else {
        // Its row is lost, or it came twice.
        return (!is_leaving).then(|| Step { write: None, terminate: Some(instance.clone()) });
    };
    let known = Rental {
        instance: Some(instance.id.clone()),
        address: instance.address.clone().or_else(|| rental.address.clone()),
        ..rental.clone()
    };
    // A machine that does not work costs the same; its run continues elsewhere.
    let works = !is_leaving && instance.state != InstanceState::Unhealthy;
    let is_kept = works && rental.state.is_usable() && is_needed(rental) && !limits.are_reached(rental, now);
    let next = if is_kept {
        Rental { state: RentalState::Launched, leaving_at: None, ..known }
    } else {
        // The previous termination request may have been lost, so the cost counts until the last one.
        let leaving_at = rental.leaving_at.filter(|_| is_leaving).or(Some(now));
        Rental { state: RentalState::Ending, leaving_at, ended_at: None, ..known }
    };
    let terminate = (!is_kept && !is_leaving).then(|| instance.clone());
    let write = (next != *rental).then(|| (rental.clone(), next));
    (write.is_some() || terminate.is_some()).then_some(Step { write, terminate })
}

/// What becomes of a rental whose machine isn't listed.
fn of_missing(rental: &Rental, now: Timestamp) -> Option<Rental> {
    let ended = |at| Some(Rental { state: RentalState::Ended, ended_at: Some(at), ..rental.clone() });
    let age = now.saturating_sub(rental.intended_at);
    match (&rental.instance, rental.leaving_at) {
        // Its launch may have worked, and its machine be listed yet.
        (None, _) if age >= LATE => ended(now),
        (None, _) => None,
        (Some(_), None) => Some(Rental { leaving_at: Some(now), ..rental.clone() }),
        // One that was never listed with an address may be listed late.
        (Some(_), Some(_)) if rental.address.is_none() && age < LATE => None,
        (Some(_), Some(since)) if now.saturating_sub(since) >= GONE => ended(since),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rental(name: &str, cents_per_hour: u32) -> Rental {
        Rental {
            name: name.into(),
            run: "r".into(),
            provider: "p".into(),
            kind: "gpu".into(),
            region: "here".into(),
            place: "x".into(),
            cents_per_hour,
            unit_seconds: 60,
            most_cents: cost_cents(cents_per_hour, 60, 120 * MINUTE),
            state: RentalState::Launched,
            instance: Some("i".into()),
            address: Some("10.0.0.1".into()),
            intended_at: 0,
            leaving_at: None,
            ended_at: None,
        }
    }

    fn instance(id: &str, name: Option<&str>) -> Instance {
        Instance {
            id: id.into(),
            name: name.map(str::to_owned),
            state: InstanceState::Active,
            address: None,
            kind: "gpu".into(),
            region: "here".into(),
        }
    }

    #[test]
    fn launch_over_a_limit_is_refused() {
        let limits = Limits { run_cents: 300, month_cents: 500, minutes: 120 };
        let (new, mut old) = (rental("new", 100), rental("old", 100));
        limits.allow(&new, &[], 0).unwrap();
        let error = limits.allow(&rental("new", 151), &[], 0).unwrap_err();
        assert!(error.to_string().contains("$3.02") && error.to_string().contains("$3.00"), "{error}");
        assert!(limits.allow(&new, std::slice::from_ref(&old), 0).unwrap_err().to_string().contains("a run may cost"));
        (old.run, old.cents_per_hour, old.most_cents) = ("other".into(), 151, 302);
        // A month's limit holds for all providers together.
        old.provider = "another".into();
        assert!(
            limits.allow(&new, std::slice::from_ref(&old), 0).unwrap_err().to_string().contains("a month may cost")
        );
        // What has ended cost what it did, and another month is another.
        (old.state, old.ended_at) = (RentalState::Ended, Some(MINUTE));
        limits.allow(&new, std::slice::from_ref(&old), 0).unwrap();
        (old.state, old.intended_at) = (RentalState::Launched, -40 * 24 * 60 * MINUTE);
        limits.allow(&new, &[old], 0).unwrap();
        // A live run's machine ends, too, when it reaches one.
        let (rentals, listed) = ([rental("graft-me-1", 100)], [instance("i", Some("graft-me-1"))]);
        let at = |now| reconcile(&Owner::new("me"), &listed, &rentals, &limits, &|_| true, now);
        assert_eq!(at(119 * MINUTE), []);
        assert!(matches!(at(120 * MINUTE).as_slice(), [Step { write: Some(_), terminate: Some(_) }]));
    }

    #[test]
    fn machines_of_others_are_never_terminated() {
        let all = [
            instance("a", None),
            instance("b", Some("web")),
            instance("c", Some("graft-you-1")),
            instance("d", Some("graft-me-9")),
            instance("e", Some("graft-mean-9")),
        ];
        let limits = Limits { run_cents: 1, month_cents: 1, minutes: 1 };
        let steps = reconcile(&Owner::new("me"), &all, &[], &limits, &|_| true, 0);
        let [Step { write: None, terminate: Some(ended) }] = steps.as_slice() else { panic!("{steps:?}") };
        assert_eq!(ended.id, "d", "nobody wrote it down");
    }

    #[test]
    fn machine_counts_as_gone_after_it_stays_unlisted() {
        let limits = Limits { run_cents: 1000, month_cents: 1000, minutes: 120 };
        let at = |rental: &Rental, listed: &[Instance], now| {
            let mut steps = reconcile(&Owner::new("me"), listed, std::slice::from_ref(rental), &limits, &|_| true, now);
            steps.pop().and_then(|step| step.write).map(|(_, next)| next)
        };
        let there = rental("graft-me-1", 60);
        let away = at(&there, &[], MINUTE).unwrap();
        assert_eq!((away.state, away.leaving_at), (RentalState::Launched, Some(MINUTE)));
        assert_eq!(at(&away, &[], MINUTE + 1), None);
        let back = at(&away, &[instance("i", Some("graft-me-1"))], MINUTE + 1).unwrap();
        assert_eq!((back.state, back.leaving_at), (RentalState::Launched, None));
        let gone = at(&away, &[], 2 * MINUTE).unwrap();
        assert_eq!(
            (gone.state, gone.cents(9 * MINUTE)),
            (RentalState::Ended, 1),
            "it costs until it was missing first"
        );
        // One that was never seen, and one whose launch wasn't answered, may come late.
        let new = Rental { address: None, ..away };
        assert_eq!((at(&new, &[], 2 * MINUTE), at(&new, &[], LATE).unwrap().state), (None, RentalState::Ended));
        let asked = Rental { state: RentalState::Ending, instance: None, ..there };
        assert_eq!(at(&asked, &[], LATE - 1), None);
        let never = at(&asked, &[], LATE).unwrap();
        assert_eq!((never.state, never.cents(LATE)), (RentalState::Ended, 0));
    }
}
