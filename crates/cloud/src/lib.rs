//! Machines for rent by the minute.
//!
//! A [`Provider`] says what can be rented and at what price, launches, lists and terminates; [`Lambda`] is Lambda Cloud and
//! [`RunPod`] is RunPod.
//! [`reconcile()`] decides, from what is written down and what the provider lists, what must be done so that no machine
//! runs that no live run needs. Whoever rents follows these rules:
//!
//! 1. A [`Rental`](graft_core::Rental) is written down before the launch, under the name that the machine will have.
//! 2. Whatever becomes of the launch's answer, the rental stays open until [`reconcile()`] closes it: the machine may be
//!    listed minutes later.
//! 3. A rental is closed only when the provider says that its machine is terminated, or hasn't listed it for long enough.
//! 4. Machines whose names are not this owner's are never touched.
//!
//! The key of a provider is a [`Key`], which cannot be printed. It is sent only to the provider.

mod api;
mod error;
mod lambda;
mod reconcile;
mod runpod;

use std::{fmt, time::Duration};

use serde::Serialize;
use utoipa::ToSchema;

pub use error::Error;
pub use lambda::Lambda;
pub use reconcile::{Limits, Owner, Step, reconcile};
pub use runpod::RunPod;

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// A machine type that can be rented now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Offer {
    /// The provider's name of the type, such as `gpu_1x_a10`.
    pub kind: String,
    /// For people.
    pub description: String,
    /// Where there is capacity for it.
    pub region: String,
    /// Price of an hour in cents of a US dollar.
    pub cents_per_hour: u32,
    /// GPUs that it has.
    pub gpus: u32,
}

/// A machine as the provider lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// The provider's id.
    pub id: String,
    /// The name that it was launched with.
    pub name: Option<String>,
    /// What it does.
    pub state: InstanceState,
    /// Where `ssh` reaches it, once it can: a host, or `ssh://user@host:port` if the provider names user and port.
    pub address: Option<String>,
    /// The provider's name of its type.
    pub kind: String,
    /// Where it is.
    pub region: String,
}

/// The state of a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstanceState {
    /// It starts.
    Booting,
    /// It runs.
    Active,
    /// It runs, and doesn't work.
    Unhealthy,
    /// It was told to terminate.
    Ending,
    /// It is gone.
    Terminated,
    /// Something that this version of Graft doesn't know: it may cost.
    Unknown,
}

/// What is launched.
#[derive(Clone, Debug)]
pub struct Launch<'a> {
    /// What, and where.
    pub offer: &'a Offer,
    /// The name by which the machine is found again.
    pub name: &'a str,
    /// The ssh key that may log in, as [`Provider::ensure_key`] returned it.
    pub ssh_key: &'a str,
}

/// The names of all providers, as in `--on`.
pub const PROVIDERS: [&str; 2] = ["lambda", "runpod"];

/// The environment's variables that may hold a key of a provider.
pub const KEY_VARIABLES: [&str; 3] = [lambda::VARIABLES[0], lambda::VARIABLES[1], runpod::VARIABLE];

/// The provider of a name, with the key that the environment holds.
///
/// # Errors
/// [`Error::NoKey`]; [`Error::BadKey`].
pub fn provider(name: &str, variable: impl Fn(&str) -> Option<String>) -> Result<Option<Box<dyn Provider>>> {
    match name {
        "lambda" => Ok(Some(Box::new(Lambda::from_env(variable)?))),
        "runpod" => Ok(Some(Box::new(RunPod::from_env(variable)?))),
        _ => Ok(None),
    }
}

/// Who rents out machines. Calls block, and end within a minute.
pub trait Provider: fmt::Debug + Send + Sync {
    /// Its name, as in `--on`.
    fn name(&self) -> &'static str;

    /// Seconds that are billed in full once they have begun.
    fn unit_seconds(&self) -> u32;

    /// How long a launched machine may take to become active.
    fn boot(&self) -> Duration;

    /// Shell commands by which a machine ends itself. They need no key of ours.
    fn end_itself(&self) -> &'static str;

    /// What can be had now, the cheapest first.
    ///
    /// # Errors
    /// The key is refused; the provider can't be reached.
    fn offers(&self) -> Result<Vec<Offer>>;

    /// Launches one machine, once: nothing is tried again here. Returns its id.
    ///
    /// # Errors
    /// After [`Error::NoAnswer`] a machine may run ([`Error::is_in_doubt`]); every other error says that nothing was
    /// launched.
    fn launch(&self, launch: &Launch<'_>) -> Result<String>;

    /// Every machine of the account, also those that Graft did not launch.
    ///
    /// # Errors
    /// As [`offers`](Self::offers).
    fn instances(&self) -> Result<Vec<Instance>>;

    /// Terminates a machine. One that is gone already is no error.
    ///
    /// # Errors
    /// As [`offers`](Self::offers).
    fn terminate(&self, id: &str) -> Result<()>;

    /// Whether a machine that isn't listed any more is known to be gone. Without that, it counts as gone after it stays
    /// unlisted.
    ///
    /// # Errors
    /// As [`offers`](Self::offers).
    fn is_gone(&self, _id: &str) -> Result<bool> {
        Ok(false)
    }

    /// Makes sure that machines can be launched with this public ssh key, and returns what a [`Launch`] names it by.
    ///
    /// # Errors
    /// As [`offers`](Self::offers); the name belongs to another key.
    fn ensure_key(&self, name: &str, public: &str) -> Result<String>;
}

/// The offers that are wanted, the cheapest first; all types or regions where none is named.
#[must_use]
pub fn choose(offers: Vec<Offer>, kinds: &[String], regions: &[String]) -> Vec<Offer> {
    let fits = |wanted: &[String], name: &String| wanted.is_empty() || wanted.contains(name);
    let mut offers: Vec<Offer> =
        offers.into_iter().filter(|offer| fits(kinds, &offer.kind) && fits(regions, &offer.region)).collect();
    offers.sort_by(|a, b| (a.cents_per_hour, &a.kind, &a.region).cmp(&(b.cents_per_hour, &b.kind, &b.region)));
    offers
}

/// The key of a provider's API. It can't be printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(String);

impl Key {
    /// The first variable that holds a key.
    ///
    /// # Errors
    /// [`Error::NoKey`], which says where to get one; [`Error::BadKey`] for what can't be one.
    pub fn find(
        provider: &'static str,
        names: &[&'static str],
        page: &'static str,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self> {
        let found = names.iter().filter_map(|name| variable(name)).map(|key| key.trim().to_owned());
        let Some(key) = found.into_iter().find(|key| !key.is_empty()) else {
            return Err(Error::NoKey { provider, variables: names.join(" or "), page });
        };
        // Anything else would break the request's header, or appear in an error message.
        if key.chars().all(|c| c.is_ascii_graphic()) { Ok(Self(key)) } else { Err(Error::BadKey { provider, page }) }
    }

    /// Removes the key from a message.
    fn hide(&self, text: &str) -> String {
        text.replace(&self.0, "…")
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn api_key_is_found_and_never_shown() {
        let of = |value: &'static str| {
            Key::find("Lambda", &["A", "B"], "https://x", move |name| (name == "B").then(|| value.to_owned()))
        };
        let key = of(" secret_abc ").unwrap();
        assert_eq!(format!("{key:?}"), "Key(…)");
        assert_eq!(key.hide("no secret_abc here"), "no … here");
        let error = of("").unwrap_err();
        assert!(error.to_string().contains("A or B") && error.hint().unwrap().contains("https://x"));
        let error = of("two\nlines").unwrap_err();
        assert!(!format!("{error} {error:?} {:?}", error.hint()).contains("lines"));
    }

    #[test]
    fn cheapest_allowed_offer_comes_first() {
        let offer = |kind: &str, region: &str, cents_per_hour| Offer {
            kind: kind.into(),
            description: String::new(),
            region: region.into(),
            cents_per_hour,
            gpus: 1,
        };
        let all = vec![offer("b", "x", 60), offer("a", "y", 50), offer("a", "x", 50), offer("c", "x", 10)];
        let kinds = ["a".to_owned(), "b".to_owned()];
        let chosen = choose(all.clone(), &kinds, &[]);
        let names: Vec<_> = chosen.iter().map(|offer| (offer.kind.as_str(), offer.region.as_str())).collect();
        assert_eq!(names, [("a", "x"), ("a", "y"), ("b", "x")]);
        assert_eq!(choose(all, &[], &["y".to_owned()]).len(), 1);
    }
}
