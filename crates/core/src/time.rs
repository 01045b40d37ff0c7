use jiff::tz::TimeZone;

use crate::Timestamp;

/// `2026-11-21T09:30:00Z`.
#[must_use]
pub fn iso8601(at: Timestamp) -> String {
    utc(at).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// `20261121_093000`, as in the names of runs.
#[must_use]
pub fn compact(at: Timestamp) -> String {
    utc(at).strftime("%Y%m%d_%H%M%S").to_string()
}

/// Times outside the supported years are clamped to them.
fn utc(at: Timestamp) -> jiff::Zoned {
    let (first, last) = (jiff::Timestamp::MIN, jiff::Timestamp::MAX);
    let nearest = if at < 0 { first } else { last };
    jiff::Timestamp::from_millisecond(at).unwrap_or(nearest).to_zoned(TimeZone::UTC)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_gregorian_and_in_utc() {
        let known = [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400_000, "2000-02-29T00:00:00Z"),
            (1_709_251_199_999, "2024-02-29T23:59:59Z"),
            (-1, "1969-12-31T23:59:59Z"),
        ];
        for (at, text) in known {
            assert_eq!(iso8601(at), text);
        }
        assert_eq!(compact(1_795_253_400_000), "20261121_093000");
        assert!(iso8601(Timestamp::MAX).starts_with("9999-12"));
    }
}
