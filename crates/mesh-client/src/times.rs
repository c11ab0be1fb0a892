use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, Utc};

/// The longest wait that a `Retry-After` is believed for.
pub(crate) const RETRY_AFTER_MAX: Duration = Duration::from_secs(3600);

/// Reads a time of the service: `yyyyMMddHHmmss`, or ISO with or without fraction and zone; a
/// time without zone is UTC (mesh-api section 14).
pub(crate) fn parse_time(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Some(at.with_timezone(&Utc));
    }
    const FORMS: [&str; 4] = [
        "%Y%m%d%H%M%S",
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%dT%H:%M",
    ];
    FORMS
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
        .map(|at| at.and_utc())
}

/// Reads the date of an HTTP header.
pub(crate) fn parse_http_date(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc2822(text.trim())
        .ok()
        .map(|at| at.with_timezone(&Utc))
}

/// Reads `Retry-After`: seconds or a date, at most [`RETRY_AFTER_MAX`] (mesh-api section 17).
pub(crate) fn parse_retry_after(text: &str, now: DateTime<Utc>) -> Option<Duration> {
    let text = text.trim();
    let wait = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => parse_http_date(text)?
            .signed_duration_since(now)
            .to_std()
            .unwrap_or_default(),
    };
    Some(wait.min(RETRY_AFTER_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_in_every_form_that_was_seen() {
        let expected = "2020-06-06T12:21:53Z".parse::<DateTime<Utc>>().unwrap();
        for text in [
            "20200606122153",
            "2020-06-06T12:21:53",
            "2020-06-06T12:21:53Z",
            "2020-06-06T13:21:53+01:00",
            "2020-06-06 12:21:53",
        ] {
            assert_eq!(parse_time(text), Some(expected), "{text}");
        }
        let fraction = parse_time("2026-11-26T19:15:44.653688").unwrap();
        assert_eq!(fraction.timestamp_subsec_micros(), 653_688);
        assert_eq!(parse_time("yesterday"), None);
        assert_eq!(parse_time(""), None);
    }

    #[test]
    fn retry_after_at_its_limit() {
        let now = "2026-11-06T08:49:37Z".parse().unwrap();
        let read = |text: &str| parse_retry_after(text, now);
        assert_eq!(read("3600"), Some(RETRY_AFTER_MAX));
        assert_eq!(read("3601"), Some(RETRY_AFTER_MAX));
        assert_eq!(read("18446744073709551615"), Some(RETRY_AFTER_MAX));
        assert_eq!(
            read("Fri, 06 Nov 2026 08:50:07 GMT"),
            Some(Duration::from_secs(30))
        );
        assert_eq!(read("Fri, 06 Nov 2026 08:40:07 GMT"), Some(Duration::ZERO));
        assert_eq!(read("soon"), None);
        assert_eq!(read("-1"), None);
    }
}
