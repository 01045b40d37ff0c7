use graft_core::Timestamp;
use serde_json::{Map, Value, json};

use crate::{Stage, Version};

/// One task's versions as the Slack system's `model_registry.json`: `versions` by name, each with `adapter_path`,
/// `created_at`, `metrics` and `base_model`, and `active_version`, which is null while none is.
#[must_use]
pub fn model_registry(versions: &[Version]) -> Value {
    let entries: Map<String, Value> = versions
        .iter()
        .map(|version| {
            let entry = json!({
                "adapter_path": version.adapter_dir,
                "created_at": iso8601(version.created_at),
                "metrics": version.metrics,
                "base_model": version.base,
            });
            (version.name.clone(), entry)
        })
        .collect();
    let active = versions.iter().find(|version| version.stage == Stage::Active).map(|version| &version.name);
    json!({"versions": entries, "active_version": active})
}

/// `2026-11-21T09:30:00Z`: date arithmetic on the proleptic Gregorian calendar with years from March
/// (Hinnant, "chrono-compatible low-level date algorithms").
fn iso8601(at: Timestamp) -> String {
    let seconds = at.div_euclid(1000);
    let (day, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
}

#[cfg(test)]
mod tests {
    use super::iso8601;

    #[test]
    fn times_are_written_as_iso_8601() {
        let known = [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400_000, "2000-02-29T00:00:00Z"),
            (1_709_251_199_999, "2024-02-29T23:59:59Z"),
            (1_795_253_400_000, "2026-11-21T09:30:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
        ];
        for (at, text) in known {
            assert_eq!(iso8601(at), text);
        }
    }
}
