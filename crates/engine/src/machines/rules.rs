//! The limits for rented machines: types, regions, cost, time.

use std::time::Duration;

use graft_cloud::{Error, Limits};

use crate::Result;

/// The types that may be rented unless others of their provider are named.
pub const RENTAL_TYPES: &str = "gpu_1x_rtx6000,gpu_1x_a10,gpu_1x_a6000,runpod/NVIDIA RTX A5000,runpod/NVIDIA L4,\
                                runpod/NVIDIA A40,runpod/NVIDIA RTX A6000,runpod/NVIDIA GeForce RTX 4090";
/// The provider of names without one: it was the only one once.
const FIRST: &str = "lambda";

/// The variables that say what may be rented, and what holds without them.
pub const RENTAL_SETTINGS: [(&str, &str); 7] = [
    ("GRAFT_RENT_TYPES", RENTAL_TYPES),
    ("GRAFT_RENT_REGIONS", ""),
    ("GRAFT_RENT_RUN_LIMIT", "5"),
    ("GRAFT_RENT_MONTH_LIMIT", "50"),
    ("GRAFT_RENT_MINUTES", "120"),
    ("GRAFT_RENT_SILENCE", "900"),
    ("GRAFT_RENT_USER", "ubuntu"),
];

/// Whether these settings can be used.
///
/// # Errors
/// The first that can't.
pub fn check_rental_settings(given: &[(&'static str, String)]) -> Result<()> {
    Rules::read(given).map(drop)
}

/// What may be rented.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rules {
    /// Types of machines.
    pub(crate) types: Names,
    /// Where they may be; anywhere if none of a provider is named.
    pub(crate) regions: Names,
    /// What they may cost.
    pub(crate) limits: Limits,
    /// How long a machine waits for a sign of life before it shuts itself down.
    pub(crate) silence: Duration,
    /// Who logs in there, if the provider doesn't say so.
    pub(crate) user: String,
}

/// Names at providers, as `PROVIDER/NAME`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Names(Vec<(String, String)>);

impl Names {
    /// Names are separated by commas. Those without a provider have no spaces and may be separated by them.
    fn read(text: &str) -> Option<Self> {
        let mut names = Vec::new();
        for part in text.split(',').map(str::trim) {
            match part.split_once('/') {
                Some((provider, name)) if super::is_provider(provider) && !name.trim().is_empty() => {
                    names.push((provider.to_owned(), name.trim().to_owned()));
                }
                Some(_) => return None,
                None => names.extend(part.split_whitespace().map(|word| (FIRST.to_owned(), word.to_owned()))),
            }
        }
        Some(Self(names))
    }

    /// Those of a provider.
    pub(crate) fn of(&self, provider: &str) -> Vec<String> {
        self.0.iter().filter(|(of, _)| of == provider).map(|(_, name)| name.clone()).collect()
    }

    /// With those of `usual` whose providers have none here.
    fn or(mut self, usual: &Self) -> Self {
        let missing: Vec<_> = usual.0.iter().filter(|(provider, _)| self.of(provider).is_empty()).cloned().collect();
        self.0.extend(missing);
        self
    }
}

impl Rules {
    /// Reads the settings; those that aren't given hold as they are.
    ///
    /// # Errors
    /// [`Error::BadSetting`].
    pub(crate) fn read(given: &[(&'static str, String)]) -> Result<Self> {
        let text = |index: usize| {
            let (name, usual) = RENTAL_SETTINGS[index];
            let given = given.iter().find(|(known, value)| *known == name && !value.trim().is_empty());
            (name, given.map_or_else(|| usual.to_owned(), |(_, value)| value.trim().to_owned()))
        };
        let names = |index| {
            let (variable, value) = text(index);
            let hint = "names of Lambda Cloud, or PROVIDER/NAME, such as runpod/NVIDIA L4, separated by commas";
            match (Names::read(&value), Names::read(RENTAL_SETTINGS[index].1)) {
                (Some(given), Some(usual)) => Ok(given.or(&usual)),
                _ => Err(Error::BadSetting { variable, value, hint }),
            }
        };
        let cents = |index| {
            let (variable, value) = text(index);
            let hint = "an amount of US dollars, such as 5 or 2.50";
            match value.parse::<f64>() {
                Ok(dollars) if (0.0..=1e6).contains(&dollars) => Ok((dollars * 100.0).round() as u64),
                _ => Err(Error::BadSetting { variable, value, hint }),
            }
        };
        let number = |index, most: u32, hint| {
            let (variable, value) = text(index);
            value.parse().ok().filter(|number| (1..=most).contains(number)).ok_or(Error::BadSetting {
                variable,
                value,
                hint,
            })
        };
        let user = {
            let (variable, value) = text(6);
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            let is_name = value.starts_with(|c: char| c.is_ascii_alphanumeric()) && value.chars().all(plain);
            let hint = "the name of a user of the rented machine";
            if is_name { Ok(value) } else { Err(Error::BadSetting { variable, value, hint }) }
        }?;
        Ok(Self {
            types: names(0)?,
            regions: names(1)?,
            limits: Limits {
                run_cents: cents(2)?,
                month_cents: cents(3)?,
                minutes: number(4, 10_080, "minutes, from 1 to 10080")?,
            },
            silence: Duration::from_secs(u64::from(number(5, 86_400, "seconds, from 1 to 86400")?)),
            user,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unset_limits_keep_defaults_and_invalid_values_are_errors() {
        let rules = Rules::read(&[]).unwrap();
        let (types, regions) = (rules.types.of("lambda"), rules.regions.of("lambda"));
        assert_eq!((types.len(), regions.len(), rules.user.as_str()), (3, 0, "ubuntu"));
        assert!(rules.types.of("runpod").contains(&"NVIDIA L4".to_owned()));
        assert_eq!(rules.limits, Limits { run_cents: 500, month_cents: 5000, minutes: 120 });
        let given = |name, value: &str| Rules::read(&[(name, value.to_owned())]);
        assert_eq!(given("GRAFT_RENT_RUN_LIMIT", "2.5").unwrap().limits.run_cents, 250);
        let regions = given("GRAFT_RENT_REGIONS", "us-east-1, us-west-1").unwrap().regions;
        assert_eq!((regions.of("lambda").len(), regions.of("runpod").len()), (2, 0));
        // Names without a provider are Lambda's; a provider that isn't mentioned keeps what is usual.
        let old = given("GRAFT_RENT_TYPES", "gpu_1x_a10 gpu_1x_a6000").unwrap().types;
        assert_eq!((old.of("lambda").len(), old.of("runpod")), (2, rules.types.of("runpod")));
        let new = given("GRAFT_RENT_TYPES", "gpu_1x_a10, runpod/NVIDIA L4").unwrap().types;
        assert_eq!((new.of("lambda"), new.of("runpod")), (vec!["gpu_1x_a10".to_owned()], vec!["NVIDIA L4".to_owned()]));
        for (name, bad) in [
            ("GRAFT_RENT_TYPES", "elsewhere/gpu"),
            ("GRAFT_RENT_RUN_LIMIT", "much"),
            ("GRAFT_RENT_MONTH_LIMIT", "-1"),
            ("GRAFT_RENT_MINUTES", "0"),
            ("GRAFT_RENT_SILENCE", "1h"),
            ("GRAFT_RENT_USER", "-oProxyCommand=x"),
        ] {
            let error = given(name, bad).unwrap_err();
            assert!(error.to_string().contains(name) && error.hint().is_some(), "{error}");
        }
    }
}
