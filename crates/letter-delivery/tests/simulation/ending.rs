//! The end of a run: nothing is forgotten, and everything came to an end or to a person.

use letter_delivery::{CopyRecord, CopyState, LetterState, LocalId, StateKind};

use crate::check::{Held, must, rule};
use crate::world::World;

/// A person had the doubt, and decided.
const HELD_IN_DOUBT: &str = "send.unresolved_hold";
/// What a person was told of was looked into.
const RESOLVED: &str = "person.resolved";

impl World {
    pub(crate) fn ends(&self) -> Held {
        let rows = self.store.rows();
        self.check.whole(&rows)?;
        for submission in &self.source {
            must(submission.told, rule::LIVENESS, || {
                format!("{} was never taken", submission.intake.document)
            })?;
        }
        for letter in rows.letters.values() {
            let waits = matches!(letter.state, LetterState::SignedOff | LetterState::Parsed);
            must(!waits, rule::LIVENESS, || {
                format!(
                    "a letter is {} {:?}",
                    letter.state,
                    rows.work.get(&letter.key)
                )
            })?;
        }
        for copy in rows.copies.values() {
            // Of doubles no id is known, so MESH cannot be asked: a person is told instead.
            let asked = copy.state != CopyState::Accepted || copy.message_id.is_some();
            let open = copy.state.kind() == StateKind::Open && (asked || !copy.needs_person());
            // One person wants it suppressed: it waits for a second.
            let letter = rows.letters.get(&copy.letter);
            let voted = letter.is_some_and(|letter| letter.vote.is_some());
            let open = open && !(voted && copy.state == CopyState::Queued);
            must(!open, rule::LIVENESS, || {
                let kinds = rows.kinds(copy.key);
                format!(
                    "a copy is {}: {kinds:?} {:?}",
                    copy.state,
                    rows.work.get(&copy.key)
                )
            })?;
        }
        // What no copy is known for, as of a series that a person ended, is noted and left alone.
        for (id, letter) in &self.mesh.inbox {
            let noted = rows.seen.get(&(crate::net::MAILBOX.to_owned(), id.clone()));
            let done = letter.acknowledged || noted == Some(&false);
            must(done, rule::LIVENESS, || format!("never taken: {letter:?}"))?;
        }
        drop(rows);
        self.nothing_is_forgotten()?;
        let faults = self.store.audit();
        must(faults.is_empty(), rule::LEDGER, || format!("{faults:?}"))?;
        if self.plan.seed.is_multiple_of(16) {
            let verification = self.store.verify();
            must(verification.is_clean(), rule::LEDGER, || {
                format!("{:?}", verification.faults)
            })?;
        }
        Ok(())
    }

    /// The ledger knows of every message that MESH took, and a person of every double.
    fn nothing_is_forgotten(&self) -> Held {
        let rows = self.store.rows();
        for message in &self.mesh.messages {
            let copy = self.check.copy_of(&message.local_id);
            let copy = copy.and_then(|key| rows.copies.get(&key));
            let kinds = copy.map_or_else(Vec::new, |copy| rows.kinds(copy.key));
            let resolved = kinds.contains(&RESOLVED) || kinds.contains(&HELD_IN_DOUBT);
            let known = copy.is_some_and(|copy| is_known(copy, &message.local_id)) || resolved;
            must(known, rule::FORGOTTEN, || {
                let kinds = copy.map(|copy| rows.kinds(copy.key));
                format!("{} {:?} {kinds:?}", message.id, copy.map(|copy| copy.state))
            })?;
            let doubles = self.mesh.of_local(&message.local_id).count() > 1;
            let told = copy.is_some_and(|copy| copy.alert.is_some() || is_held_in_doubt(copy));
            let told = told || resolved;
            must(!doubles || told, rule::DOUBLE, || {
                format!("nobody is told that {} is a double", message.local_id)
            })?;
        }
        Ok(())
    }
}

fn is_held_in_doubt(copy: &CopyRecord) -> bool {
    copy.state == CopyState::Held && copy.resume == Some(CopyState::Uncertain)
}

/// It was taken by what is recorded, or a person is told of the doubt; or a later series took its
/// place, which a person decided.
fn is_known(copy: &CopyRecord, local_id: &str) -> bool {
    let of_series = LocalId::of(copy.letter, copy.number, copy.series);
    let is_told = copy
        .alert
        .as_ref()
        .is_some_and(|alert| alert.contains("double is possible"));
    copy.accepted_at.is_some()
        || is_held_in_doubt(copy)
        || is_told
        || of_series.as_str() != local_id
}
