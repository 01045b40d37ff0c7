use graft_core::Timestamp;
use jiff::{civil::Date, tz::TimeZone};

/// Reads `YYYY-MM-DD[ T]HH:MM[:SS[.fff]][Z|±HH[:MM]]` (no zone means UTC), or seconds or milliseconds since the epoch.
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(number) = text.parse::<f64>() {
        return epoch(number);
    }
    let (date, rest) = text.split_at_checked(10)?;
    let date: Date = (date.as_bytes().get(4) == Some(&b'-')).then(|| date.parse().ok())??;
    let (clock, offset) = split_zone(rest.trim_start_matches(['T', ' ']).trim_end_matches(" UTC"))?;
    Some(midnight(date)? - offset * 60_000 + clock_ms(clock)?)
}

/// Numbers below 10^11 are seconds (until the year 5138), above milliseconds.
fn epoch(number: f64) -> Option<Timestamp> {
    let ms = if number.abs() < 1e11 { number * 1000.0 } else { number };
    (ms.is_finite() && ms.abs() < 1e15).then(|| ms.round() as Timestamp)
}

/// Milliseconds into the day.
fn clock_ms(clock: &str) -> Option<i64> {
    if clock.is_empty() {
        return Some(0);
    }
    let mut parts = clock.split(':');
    let (hours, minutes) = (parts.next()?.parse::<u8>().ok()?, parts.next()?.parse::<u8>().ok()?);
    let seconds: f64 = parts.next().map_or(Some(0.0), |s| s.parse().ok())?;
    let valid = hours < 25 && minutes < 60 && (0.0..61.0).contains(&seconds) && parts.next().is_none();
    valid.then(|| i64::from(hours) * 3_600_000 + i64::from(minutes) * 60_000 + (seconds * 1000.0).round() as i64)
}

/// The clock part, and the zone's offset in minutes.
fn split_zone(text: &str) -> Option<(&str, i64)> {
    if let Some(clock) = text.strip_suffix(['Z', 'z']) {
        return Some((clock, 0));
    }
    let Some(at) = text.rfind(['+', '-']) else { return Some((text, 0)) };
    let sign = if text[at..].starts_with('-') { -1 } else { 1 };
    let digits: String = text[at + 1..].chars().filter(|c| *c != ':').collect();
    if !(digits.len() == 2 || digits.len() == 4) || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let minutes = digits.get(2..).and_then(|m| m.parse::<i64>().ok()).unwrap_or(0);
    Some((&text[..at], sign * (digits[..2].parse::<i64>().ok()? * 60 + minutes)))
}

/// When a date begins, in UTC.
pub(crate) fn midnight(date: Date) -> Option<Timestamp> {
    Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp().as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn timestamps_of_databases_and_sheets_are_read() {
        let noon = Some(1_748_779_200_000);
        assert_eq!(parse("2025-06-01 12:00:00"), noon);
        assert_eq!(parse("2025-06-01T12:00:00.000Z"), noon);
        assert_eq!(parse("2025-06-01T14:00:00+02:00"), noon);
        assert_eq!(parse("2025-06-01 05:00-07"), noon);
        assert_eq!(parse("1748779200"), noon);
        assert_eq!(parse("1748779200000"), noon);
        assert_eq!(parse("2025-06-01"), Some(1_748_736_000_000));
        for bad in [
            "",
            "yesterday",
            "2025-13-01",
            "2025-02-30",
            "2025-06-01 26:00",
            "2025-06-01 12",
            "nan",
            "2025-06-01T12:00+1",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    proptest::proptest! {
        #[test]
        fn never_panics(text in "\\PC{0,40}|[0-9TZ:+. -]{0,40}") {
            let _ = parse(&text);
        }
    }
}
