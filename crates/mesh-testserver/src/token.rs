use chrono::{NaiveDateTime, TimeDelta};
use mesh_client::authorization;
use nhs_types::MailboxId;

use crate::state::State;

/// A token is good for this long before and after the server's time.
const SKEW_MAX: TimeDelta = TimeDelta::hours(2);

const SHAPE: &str = "Error reading from Authorization header";

/// Checks a token and notes it as used; the texts are the official sandbox's
/// (mesh-api section 4).
pub(crate) fn check(
    state: &mut State,
    mailbox: &MailboxId,
    header: Option<&str>,
) -> Result<(), &'static str> {
    let token = header
        .and_then(|header| header.strip_prefix("NHSMESH "))
        .ok_or(SHAPE)?;
    let fields: Vec<&str> = token.split(':').collect();
    let [claimed, nonce, count, stamp, _] = fields.as_slice() else {
        return Err(SHAPE);
    };
    let count = count.parse::<u64>().map_err(|_| SHAPE)?;
    let at = NaiveDateTime::parse_from_str(&format!("{stamp}00"), "%Y%m%d%H%M%S")
        .map_err(|_| SHAPE)?
        .and_utc();
    if state.now().signed_duration_since(at).abs() > SKEW_MAX {
        return Err(SHAPE);
    }
    if *claimed != mailbox.as_str() {
        return Err("Mailbox id does not match token");
    }
    let known = state.store.mailbox(mailbox).ok_or("No mailbox matched")?;
    let expected = authorization(&known.credentials(&state.shared_key), nonce, count, at);
    if header.is_none_or(|header| !header.eq_ignore_ascii_case(expected.expose())) {
        return Err("Invalid Authentication Token");
    }
    if !state.used_tokens.insert(token.to_ascii_lowercase()) {
        return Err("Error Duplicated Authentication Token");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Mailbox;
    use chrono::{DateTime, Utc};
    use mesh_client::{Credentials, Secret};

    fn state(now: &str) -> (State, MailboxId) {
        let id = MailboxId::parse("X26ABC1").unwrap();
        let mut state = State {
            shared_key: b"key".to_vec(),
            ..State::default()
        };
        state.fixed_time = Some(now.parse().unwrap());
        state.store.add(Mailbox::new(id.clone(), "pass:word"));
        (state, id)
    }

    fn token(id: &MailboxId, password: &str, at: &str) -> String {
        let credentials = Credentials::new(id.clone(), Secret::new(password), Secret::new("key"));
        let at: DateTime<Utc> = at.parse().unwrap();
        authorization(&credentials, "n", 0, at).expose().to_owned()
    }

    #[test]
    fn a_token_is_good_once() {
        let (mut state, id) = state("2026-11-21T21:00:00Z");
        let token = token(&id, "pass:word", "2026-11-21T21:00:00Z");
        assert_eq!(check(&mut state, &id, Some(&token)), Ok(()));
        let again = check(&mut state, &id, Some(&token));
        assert_eq!(again, Err("Error Duplicated Authentication Token"));
    }

    #[test]
    fn a_token_is_good_for_two_hours_and_not_longer() {
        let (mut state, id) = state("2026-11-21T21:00:00Z");
        for (at, good) in [
            ("2026-11-21T19:00:00Z", true),
            ("2026-11-21T18:59:00Z", false),
            ("2026-11-21T23:00:00Z", true),
            ("2026-11-21T23:01:00Z", false),
        ] {
            let token = token(&id, "pass:word", at);
            assert_eq!(check(&mut state, &id, Some(&token)).is_ok(), good, "{at}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        let (mut state, id) = state("2026-11-21T21:00:00Z");
        let at = "2026-11-21T21:00:00Z";
        let wrong = token(&id, "password", at);
        let invalid = Err("Invalid Authentication Token");
        assert_eq!(check(&mut state, &id, Some(&wrong)), invalid);
        let other = MailboxId::parse("X26ABC2").unwrap();
        let foreign = token(&other, "pass:word", at);
        assert_eq!(
            check(&mut state, &id, Some(&foreign)),
            Err("Mailbox id does not match token")
        );
        assert_eq!(
            check(&mut state, &other, Some(&foreign)),
            Err("No mailbox matched")
        );
        for header in [
            None,
            Some("Basic x"),
            Some("NHSMESH a:b"),
            Some("NHSMESH a:b:c:d:e"),
        ] {
            assert_eq!(check(&mut state, &id, header), Err(SHAPE));
        }
    }
}
