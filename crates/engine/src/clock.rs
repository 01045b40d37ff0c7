use std::time::{SystemTime, UNIX_EPOCH};

use graft_core::Timestamp;

/// Milliseconds since 1970, UTC.
#[must_use]
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::try_from(since.as_millis()).unwrap_or(Timestamp::MAX)
}

/// The time zone of this machine.
pub(crate) fn local_zone() -> String {
    jiff::tz::TimeZone::try_system()
        .ok()
        .and_then(|zone| zone.iana_name().map(str::to_owned))
        .unwrap_or_else(|| "UTC".into())
}
