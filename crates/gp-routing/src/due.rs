//! By when a letter must be at the practice (gp-routing section 11). England only.

use chrono::{
    DateTime, Days, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc,
};
use chrono_tz::Europe::London;

use crate::{LetterKind, Policy};

/// The calendar day in London.
pub(crate) fn london_day(at: DateTime<Utc>) -> NaiveDate {
    at.with_timezone(&London).date_naive()
}

/// The first moment of a day in London.
pub(crate) fn start_of_day(day: NaiveDate) -> DateTime<Utc> {
    from_london(day.and_time(NaiveTime::MIN))
}

/// The due time, counted from the event and not from the signature.
pub(crate) fn due_at(
    kind: LetterKind,
    event_at: DateTime<Utc>,
    policy: &Policy,
) -> Option<DateTime<Utc>> {
    match kind {
        LetterKind::Discharge | LetterKind::Unknown => {
            after_hours(event_at, policy.due_discharge_hours)
        }
        LetterKind::Emergency => after_hours(event_at, policy.due_emergency_hours),
        LetterKind::Outpatient => after_days(event_at, policy.due_outpatient_days),
        LetterKind::Other => after_days(event_at, policy.due_other_days),
    }
}

/// Elapsed hours: 24 hours stay 24 hours when the clocks change.
fn after_hours(at: DateTime<Utc>, hours: u32) -> Option<DateTime<Utc>> {
    at.checked_add_signed(TimeDelta::try_hours(i64::from(hours))?)
}

/// The same time of day in London, some days later.
fn after_days(at: DateTime<Utc>, days: u32) -> Option<DateTime<Utc>> {
    let local = at.with_timezone(&London).naive_local();
    local
        .checked_add_days(Days::new(u64::from(days)))
        .map(from_london)
}

/// Of a time that occurs twice the first counts; one that the clocks skip is the hour after it.
fn from_london(local: NaiveDateTime) -> DateTime<Utc> {
    match London.from_local_datetime(&local) {
        LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => at.to_utc(),
        LocalResult::None => local.and_utc(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(kind: LetterKind, event: &str) -> String {
        let event = event.parse().unwrap();
        due_at(kind, event, &Policy::default())
            .unwrap()
            .to_rfc3339()
    }

    #[test]
    fn gp_routing_11_a_day_for_discharge_and_emergency() {
        let event = "2026-11-18T10:30:00Z";
        assert_eq!(
            due(LetterKind::Discharge, event),
            "2026-11-19T10:30:00+00:00"
        );
        assert_eq!(
            due(LetterKind::Emergency, event),
            "2026-11-19T10:30:00+00:00"
        );
        assert_eq!(due(LetterKind::Unknown, event), "2026-11-19T10:30:00+00:00");
    }

    #[test]
    fn gp_routing_11_seven_days_for_clinic_letters() {
        let event = "2026-11-18T10:30:00Z";
        assert_eq!(
            due(LetterKind::Outpatient, event),
            "2026-11-25T10:30:00+00:00"
        );
        assert_eq!(due(LetterKind::Other, event), "2026-11-25T10:30:00+00:00");
    }

    #[test]
    fn gp_routing_11_both_clock_changes() {
        let spring = "2026-03-28T12:00:00Z";
        assert_eq!(
            due(LetterKind::Discharge, spring),
            "2026-03-29T12:00:00+00:00"
        );
        assert_eq!(
            due(LetterKind::Outpatient, spring),
            "2026-04-04T11:00:00+00:00"
        );
        let autumn = "2026-10-24T11:00:00Z";
        assert_eq!(
            due(LetterKind::Outpatient, autumn),
            "2026-10-31T12:00:00+00:00"
        );
        let skipped = "2026-03-22T01:30:00Z";
        assert_eq!(
            due(LetterKind::Outpatient, skipped),
            "2026-03-29T01:30:00+00:00"
        );
        let twice = "2026-10-18T00:30:00Z";
        assert_eq!(
            due(LetterKind::Outpatient, twice),
            "2026-10-25T00:30:00+00:00"
        );
    }

    #[test]
    fn the_day_is_londons() {
        assert_eq!(
            london_day("2026-07-01T23:30:00Z".parse().unwrap()).to_string(),
            "2026-07-02"
        );
        let day = NaiveDate::from_ymd_opt(2026, 7, 2).unwrap();
        assert_eq!(start_of_day(day).to_rfc3339(), "2026-07-01T23:00:00+00:00");
    }
}
