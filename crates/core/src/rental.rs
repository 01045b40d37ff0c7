use serde::Serialize;
use utoipa::ToSchema;

use crate::Timestamp;

names! {
    /// State of a rental.
    pub enum RentalState {
        /// It is recorded; the launch may have been requested.
        Intended = "intended",
        /// The provider's id of its machine is known.
        Launched = "launched",
        /// Its machine must be terminated.
        Ending = "ending",
        /// Its machine is gone, or was never launched.
        Ended = "ended",
    }
}

impl RentalState {
    /// Whether a run may use its machine.
    #[must_use]
    pub fn is_usable(self) -> bool {
        matches!(self, Self::Intended | Self::Launched)
    }
}

/// One machine that was rented for a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Rental {
    /// Unique name of the machine, by which the provider's list is searched.
    pub name: String,
    /// The run that it is for.
    pub run: String,
    /// The provider's name, such as `lambda` or `runpod`.
    pub provider: String,
    /// The provider's name of the machine type.
    pub kind: String,
    /// The provider's region.
    pub region: String,
    /// The home whose ssh key can log in to it.
    #[serde(skip)]
    pub place: String,
    /// Price per hour in US cents.
    pub cents_per_hour: u32,
    /// Seconds that the provider bills in full once they have begun.
    #[serde(skip)]
    pub unit_seconds: u32,
    /// Upper bound of its total cost in cents.
    pub most_cents: u64,
    /// Its state.
    pub state: RentalState,
    /// The provider's id of the machine, once it is known.
    pub instance: Option<String>,
    /// Where `ssh` reaches the machine, once it is known: a host, or `ssh://user@host:port`.
    pub address: Option<String>,
    /// When it was stored, just before the launch. Its cost counts from here.
    pub intended_at: Timestamp,
    /// When termination was requested, or the machine was first missing from the provider's list.
    pub leaving_at: Option<Timestamp>,
    /// When its cost stopped.
    pub ended_at: Option<Timestamp>,
}

impl Rental {
    /// Cost so far, or in total once ended, in cents; 0 while no machine is known.
    #[must_use]
    pub fn cents(&self, now: Timestamp) -> u64 {
        if self.instance.is_none() {
            return 0;
        }
        self.cents_for(self.ended_at.unwrap_or(now).saturating_sub(self.intended_at))
    }

    /// Cost of its machine for this many milliseconds, in cents.
    #[must_use]
    pub fn cents_for(&self, millis: i64) -> u64 {
        cost_cents(self.cents_per_hour, self.unit_seconds, millis)
    }

    /// The most it may still cost in total, or its final cost, in cents.
    #[must_use]
    pub fn reserved_cents(&self, now: Timestamp) -> u64 {
        if self.state == RentalState::Ended { self.cents(now) } else { self.most_cents.max(self.cents(now)) }
    }
}

/// Cost of a machine for this many milliseconds: started units count fully, and cents are rounded up.
#[must_use]
pub fn cost_cents(cents_per_hour: u32, unit_seconds: u32, millis: i64) -> u64 {
    let unit = u64::from(unit_seconds.max(1));
    let units = u64::try_from(millis.max(1)).unwrap_or(1).div_ceil(unit * 1000);
    units.saturating_mul(unit).saturating_mul(u64::from(cents_per_hour)).div_ceil(3600)
}

/// Cents as dollars: `$1.05`.
#[must_use]
pub fn dollars(cents: u64) -> String {
    format!("${}.{:02}", cents / 100, cents % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn started_units_are_paid_fully() {
        const MINUTE: i64 = 60_000;
        assert_eq!(cost_cents(60, 60, 1), 1);
        assert_eq!(cost_cents(60, 60, 60_000), 1);
        assert_eq!(cost_cents(60, 60, 60_001), 2);
        assert_eq!(cost_cents(75, 60, 30 * MINUTE), 38);
        assert_eq!(cost_cents(129, 60, 60 * MINUTE), 129);
        assert_eq!(cost_cents(129, 60, -5), 3, "a clock that was set back makes nothing free");
        assert_eq!((cost_cents(3600, 1, 60_001), cost_cents(3600, 60, 60_001)), (61, 120));
        assert_eq!((dollars(105), dollars(7)), ("$1.05".into(), "$0.07".into()));
    }
}
