//! What was rented, and what has to be done about it.

use serde::{Deserialize, Serialize};

use crate::{Error, Instance, InstanceState, Offer, Result};

/// Milliseconds.
const MINUTE: i64 = 60_000;
/// How long after a launch whose answer was lost a machine may be listed for the first time.
const LATE: i64 = 15 * MINUTE;
/// How long a machine must be missing from the provider's list before it counts as gone: one empty answer proves nothing.
const GONE: i64 = 2 * MINUTE;

/// Where a rental is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RentalState {
    /// It is written down, and the launch may have been asked for.
    Intended,
    /// Its machine is known.
    Launched,
    /// Its machine was told to end.
    Ending,
    /// Its machine is gone, or never came.
    Ended,
}

/// One machine for one attempt of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rental {
    /// The name of the machine, by which it is found again; no two rentals have the same.
    pub name: String,
    /// The run that it is for.
    pub run: String,
    /// The provider's name.
    pub provider: String,
    /// The type of the machine.
    pub kind: String,
    /// Where it is.
    pub region: String,
    /// Price of an hour in cents of a US dollar.
    pub cents_per_hour: u32,
    /// Where it is in its life.
    pub state: RentalState,
    /// The provider's id of the machine, once it is known.
    pub instance: Option<String>,
    /// When it was written down, a moment before the launch; it is paid from here at the most. Milliseconds since 1970.
    pub intended_at: i64,
    /// When its machine was told to end, or was missing first.
    pub leaving_at: Option<i64>,
    /// Until when it is paid.
    pub ended_at: Option<i64>,
}

impl Rental {
    /// A rental to be written down before its launch.
    #[must_use]
    pub fn intended(name: String, run: &str, provider: &str, offer: &Offer, now: i64) -> Self {
        Self {
            name,
            run: run.to_owned(),
            provider: provider.to_owned(),
            kind: offer.kind.clone(),
            region: offer.region.clone(),
            cents_per_hour: offer.cents_per_hour,
            state: RentalState::Intended,
            instance: None,
            intended_at: now,
            leaving_at: None,
            ended_at: None,
        }
    }

    /// After the provider has said that it launched the machine.
    #[must_use]
    pub fn launched(self, instance: String) -> Self {
        Self { state: RentalState::Launched, instance: Some(instance), ..self }
    }

    /// After the provider has said that it launched nothing.
    #[must_use]
    pub fn refused(self, now: i64) -> Self {
        Self { state: RentalState::Ended, ended_at: Some(now), ..self }
    }

    /// What it costs so far, or did in all, in cents; nothing while no machine is known to have come of it.
    #[must_use]
    pub fn cents(&self, now: i64) -> u64 {
        let until = self.ended_at.unwrap_or(now);
        if self.instance.is_none() { 0 } else { cost_cents(self.cents_per_hour, until - self.intended_at) }
    }
}

/// The cents that a machine costs in so many milliseconds: each minute that has begun is paid, and each cent.
#[must_use]
pub fn cost_cents(cents_per_hour: u32, millis: i64) -> u64 {
    let minutes = u64::try_from(millis.max(1)).unwrap_or(1).div_ceil(MINUTE as u64);
    (minutes * u64::from(cents_per_hour)).div_ceil(60)
}

/// What may be spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Cents that one rental may cost.
    pub run_cents: u64,
    /// Cents that all rentals of a month may cost.
    pub month_cents: u64,
    /// Minutes that a machine may live.
    pub minutes: u32,
}

impl Limits {
    /// Refuses a rental that could cost more than is allowed, if it lived as long as it may. `spent` is this month's.
    ///
    /// # Errors
    /// [`Error::TooDear`].
    pub fn allow(&self, offer: &Offer, spent: u64) -> Result<()> {
        let most = cost_cents(offer.cents_per_hour, i64::from(self.minutes) * MINUTE);
        let dollars = |cents: u64| format!("${}.{:02}", cents / 100, cents % 100);
        let what = if most > self.run_cents {
            format!(
                "{} minutes of `{}` cost up to {}, a run may cost {}",
                self.minutes,
                offer.kind,
                dollars(most),
                dollars(self.run_cents)
            )
        } else if spent.saturating_add(most) > self.month_cents {
            format!(
                "{} of this month's {} are spent, and {} minutes of `{}` cost up to {}",
                dollars(spent),
                dollars(self.month_cents),
                self.minutes,
                offer.kind,
                dollars(most)
            )
        } else {
            return Ok(());
        };
        Err(Error::TooDear { what })
    }

    /// Whether a rental has lived or cost as much as it may.
    fn are_reached(&self, rental: &Rental, now: i64) -> bool {
        let age = now - rental.intended_at;
        age >= i64::from(self.minutes) * MINUTE || cost_cents(rental.cents_per_hour, age) > self.run_cents
    }
}

/// Whose machines are whose: the names of one owner's begin in the same way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    prefix: String,
}

impl Owner {
    /// The owner of one database, which its id names.
    #[must_use]
    pub fn new(id: &str) -> Self {
        Self { prefix: format!("graft-{id}-") }
    }

    /// The name of a machine; `number` is given once.
    #[must_use]
    pub fn name(&self, number: &str) -> String {
        format!("{}{number}", self.prefix)
    }

    fn has(&self, instance: &Instance) -> bool {
        instance.name.as_ref().is_some_and(|name| name.starts_with(&self.prefix))
    }
}

/// One thing to do. Each may be done again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Write a rental down as it is now.
    Write(Rental),
    /// Tell a machine to end.
    Terminate {
        /// The provider's id.
        instance: String,
        /// Its name.
        name: String,
    },
    /// Tell people of a machine of another owner of Graft; nothing else.
    Show {
        /// The provider's id.
        instance: String,
        /// Its name.
        name: String,
    },
}

/// What has to be done so that exactly the machines run that live runs need: `instances` is all that the provider lists,
/// `rentals` all that were written down, and `is_live` says whether somebody attends to a run now. Writes come before the
/// terminations that they are about.
///
/// It must be asked again while a rental is open, at least twice a minute.
#[must_use]
pub fn reconcile(
    owner: &Owner,
    instances: &[Instance],
    rentals: &[Rental],
    limits: &Limits,
    is_live: &dyn Fn(&str) -> bool,
    now: i64,
) -> Vec<Step> {
    let mut steps = Vec::new();
    let runs = |instance: &&Instance| instance.state != InstanceState::Terminated;
    for instance in instances.iter().filter(runs) {
        let (id, name) = (instance.id.clone(), instance.name.clone().unwrap_or_default());
        if !owner.has(instance) {
            if name.starts_with("graft-") {
                steps.push(Step::Show { instance: id, name });
            }
            continue;
        }
        let rental = rentals.iter().find(|rental| rental.name == name);
        let is_its = |rental: &&Rental| rental.instance.as_ref().is_none_or(|known| *known == id);
        let needed = |rental: &&Rental| {
            let is_open = matches!(rental.state, RentalState::Intended | RentalState::Launched);
            is_open && is_live(&rental.run) && !limits.are_reached(rental, now)
        };
        let known = rental.filter(is_its);
        if let Some(rental) = known.filter(needed) {
            let seen = Rental { leaving_at: None, ..rental.clone().launched(id) };
            if seen != *rental {
                steps.push(Step::Write(seen));
            }
            continue;
        }
        // One that nobody wrote down, or that came twice, is told to end, too.
        if let Some(rental) = known {
            // Each time it is told anew, the time before may have been lost: it is paid until the last.
            let is_leaving = instance.state == InstanceState::Ending;
            let leaving_at = rental.leaving_at.filter(|_| is_leaving).or(Some(now));
            let (state, instance) = (RentalState::Ending, Some(id.clone()));
            let ending = Rental { state, instance, leaving_at, ended_at: None, ..rental.clone() };
            if ending != *rental {
                steps.push(Step::Write(ending));
            }
        }
        if instance.state != InstanceState::Ending {
            steps.push(Step::Terminate { instance: id, name });
        }
    }
    for rental in rentals.iter().filter(|rental| rental.state != RentalState::Ended) {
        let mut listed = instances.iter().filter(|instance| instance.name.as_deref() == Some(&rental.name)).peekable();
        if listed.peek().is_some() {
            if listed.all(|instance| instance.state == InstanceState::Terminated) {
                let ended_at = rental.leaving_at.or(Some(now));
                steps.push(Step::Write(Rental { state: RentalState::Ended, ended_at, ..rental.clone() }));
            }
            continue;
        }
        let left = match (rental.state, rental.leaving_at) {
            // Its machine may be listed yet.
            (RentalState::Intended, _) => (now - rental.intended_at >= LATE).then_some(now),
            (_, None) => {
                steps.push(Step::Write(Rental { leaving_at: Some(now), ..rental.clone() }));
                continue;
            }
            (_, Some(since)) => (now - since >= GONE).then_some(since),
        };
        if let Some(ended_at) = left {
            let (state, ended_at) = (RentalState::Ended, Some(ended_at));
            steps.push(Step::Write(Rental { state, ended_at, ..rental.clone() }));
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_minute_that_began_is_paid() {
        assert_eq!(cost_cents(60, 1), 1);
        assert_eq!(cost_cents(60, 60_000), 1);
        assert_eq!(cost_cents(60, 60_001), 2);
        assert_eq!(cost_cents(75, 30 * MINUTE), 38);
        assert_eq!(cost_cents(129, 60 * MINUTE), 129);
    }

    fn offer(cents_per_hour: u32) -> Offer {
        Offer { kind: "gpu".into(), description: String::new(), region: "r".into(), cents_per_hour, gpus: 1 }
    }

    #[test]
    fn limits_are_hard() {
        let limits = Limits { run_cents: 200, month_cents: 500, minutes: 120 };
        limits.allow(&offer(100), 300).unwrap();
        let error = limits.allow(&offer(101), 0).unwrap_err();
        assert!(error.to_string().contains("$2.02") && error.to_string().contains("$2.00"), "{error}");
        assert!(limits.allow(&offer(100), 301).is_err());
        assert!(limits.allow(&offer(100), u64::MAX).is_err());
        // A live run's machine ends, too, when it reaches one.
        let rental = Rental::intended("graft-me-1".into(), "r", "p", &offer(100), 0).launched("i".into());
        let instance = Instance {
            id: "i".into(),
            name: Some("graft-me-1".into()),
            state: InstanceState::Active,
            ip: None,
            kind: "gpu".into(),
            region: "r".into(),
        };
        let at = |now| reconcile(&Owner::new("me"), &[instance.clone()], &[rental.clone()], &limits, &|_| true, now);
        assert_eq!(at(119 * MINUTE), []);
        assert!(matches!(at(120 * MINUTE).as_slice(), [Step::Write(_), Step::Terminate { .. }]));
    }

    #[test]
    fn machines_of_others_are_never_touched() {
        let instance = |id: &str, name: Option<&str>| Instance {
            id: id.into(),
            name: name.map(str::to_owned),
            state: InstanceState::Active,
            ip: None,
            kind: "gpu".into(),
            region: "r".into(),
        };
        let all =
            [instance("a", None), instance("b", Some("web")), instance("c", Some("graft-you-1")), instance("d", Some("graft-me-9"))];
        let limits = Limits { run_cents: 1, month_cents: 1, minutes: 1 };
        let steps = reconcile(&Owner::new("me"), &all, &[], &limits, &|_| true, 0);
        let [Step::Show { instance: shown, .. }, Step::Terminate { instance: ended, .. }] = steps.as_slice() else {
            panic!("{steps:?}")
        };
        assert_eq!((shown.as_str(), ended.as_str()), ("c", "d"), "nobody wrote the last one down");
    }
}
