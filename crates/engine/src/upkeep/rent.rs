use graft_core::Digest;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::Upkeep;
use crate::{Result, error::SettingProblem, now};

/// Price of the machine that trains; 0 for your own machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rent {
    /// Price of an hour, in `currency`; 0 where nothing is paid by the hour.
    #[schema(minimum = 0.0, maximum = 100_000.0)]
    pub price_per_hour: f64,
    /// Such as `USD` or `€`, 8 characters at most.
    pub currency: String,
}

impl Default for Rent {
    fn default() -> Self {
        Self { price_per_hour: 0.0, currency: "USD".into() }
    }
}

/// Name of the setting in the store.
const NAME: &str = "rent";
/// Highest price of an hour.
const HIGHEST: f64 = 100_000.0;
/// Longest name of a currency, in characters.
const LONGEST: usize = 8;

impl Rent {
    /// Names this exact state of the setting.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(json!(self).to_string().as_bytes())
    }

    /// Everything that is wrong with it.
    #[must_use]
    pub fn problems(&self) -> Vec<SettingProblem> {
        let mut problems = Vec::new();
        let mut wrong = |field, detail: &str| problems.push(SettingProblem { field, detail: detail.to_owned() });
        if !(0.0..=HIGHEST).contains(&self.price_per_hour) {
            wrong("price_per_hour", "it must be a price from 0 to 100000");
        }
        let currency = self.currency.trim();
        if currency.is_empty() || currency.chars().count() > LONGEST || currency.chars().any(char::is_control) {
            wrong("currency", "it must be a name of 1 to 8 characters, such as USD or €");
        }
        problems
    }
}

impl Upkeep<'_> {
    /// What the machine costs, as it was last set.
    pub async fn rent(self) -> Result<Rent> {
        let stored = self.engine.store.setting(NAME).await?;
        Ok(stored.and_then(|setting| serde_json::from_value(setting.value).ok()).unwrap_or_default())
    }

    /// Sets what the machine costs, without checking it.
    pub async fn set_rent(self, rent: &Rent) -> Result<()> {
        Ok(self.engine.store.set_setting(NAME, &json!(rent), &self.engine.by, now()).await?)
    }
}
