//! A person decides about a letter or its copies.

mod copies;
mod letters;

use audit_core::Data;
use chrono::{DateTime, Utc};

use super::{Engine, Writer};
use crate::commit::Commit;
use crate::decision::{Decision, DecisionError, DecisionKind, Verdict};
use crate::letter::LetterEvent;
use crate::record::{CopyRecord, LetterRecord, Vote};
use crate::state::LetterState;

/// What a decision leads to.
#[derive(Debug)]
#[non_exhaustive]
pub struct Decided {
    /// To be made durable.
    pub commit: Commit,
    /// Whether it waits for a second person: nothing but the first one's vote is recorded.
    pub waits: bool,
    /// The copies it was carried out for, by number.
    pub copies: Vec<u32>,
}

/// A verdict as it is carried out, with what is recorded of it.
struct Ruling<'a> {
    decision: &'a Decision,
    reason: &'a str,
    data: Data,
}

impl Engine {
    /// Takes a person's decision about a letter and its copies, as the store holds them.
    ///
    /// On [`StoreError::Conflict`](crate::StoreError::Conflict) read both again and call again.
    ///
    /// # Errors
    ///
    /// [`DecisionError`]: the state does not allow it, which says what it allows; the second
    /// person is the first; there is no such copy; nobody but the software decides.
    pub fn decide(
        &mut self,
        now: DateTime<Utc>,
        verdict: &Verdict,
        letter: LetterRecord,
        copies: Vec<CopyRecord>,
    ) -> Result<Decided, DecisionError> {
        if !verdict.by.is_person() {
            return Err(DecisionError::NotAPerson);
        }
        match second_vote(verdict, &letter)? {
            Some(vote) => self.carry_out_vote(now, verdict, &vote, letter, copies),
            None => {
                let copies = chosen(&letter, copies, verdict.copy)?;
                self.take_vote(now, verdict, letter, copies)
            }
        }
    }

    /// Two have decided the same: it is carried out in the name of the second.
    fn carry_out_vote(
        &mut self,
        now: DateTime<Utc>,
        verdict: &Verdict,
        vote: &Vote,
        mut letter: LetterRecord,
        copies: Vec<CopyRecord>,
    ) -> Result<Decided, DecisionError> {
        let copies = chosen(&letter, copies, vote.copy)?;
        letter.vote = None;
        let ruling = Ruling {
            // Only this decision needs two.
            decision: &Decision::Suppress,
            reason: &vote.reason,
            data: Data::new()
                .with("first", vote.by.to_string())
                .with("agreed", verdict.reason.as_str()),
        };
        // What was voted on is carried out, however the second person named it.
        let verdict = verdict.clone().about(vote.copy);
        self.carry_out(now, &verdict, &ruling, letter, copies)
    }

    fn take_vote(
        &mut self,
        now: DateTime<Utc>,
        verdict: &Verdict,
        letter: LetterRecord,
        copies: Vec<CopyRecord>,
    ) -> Result<Decided, DecisionError> {
        let ruling = Ruling {
            decision: &verdict.decision,
            reason: verdict.reason.as_str(),
            data: Data::new(),
        };
        let needs_two = ruling.decision.kind() == DecisionKind::Suppress
            && self.policy.two_persons.contains(&letter.class);
        if needs_two && is_possible(ruling.decision, &letter, &copies) {
            return Ok(self.record_vote(now, verdict, letter));
        }
        self.carry_out(now, verdict, &ruling, letter, copies)
    }

    /// The first of two: recorded, and waiting on the work list.
    fn record_vote(
        &mut self,
        now: DateTime<Utc>,
        verdict: &Verdict,
        mut letter: LetterRecord,
    ) -> Decided {
        let kind = verdict.decision.kind();
        let mut data = Data::new().with("decision", kind.as_str());
        if let Some(copy) = verdict.copy {
            data.insert("of_copy", i64::from(copy));
        }
        letter.vote = Some(Vote {
            decision: kind.as_str().to_owned(),
            copy: verdict.copy,
            by: verdict.by.clone(),
            reason: verdict.reason.as_str().to_owned(),
            at: now,
        });
        let mut writer = self.writer(now);
        writer.actor = verdict.by.clone();
        let reason = Some(verdict.reason.as_str());
        writer.letter(&mut letter, LetterEvent::PersonProposed, reason, data);
        writer.commit.letters.push(letter);
        Decided {
            commit: writer.commit,
            waits: true,
            copies: Vec::new(),
        }
    }

    fn carry_out(
        &mut self,
        now: DateTime<Utc>,
        verdict: &Verdict,
        ruling: &Ruling<'_>,
        mut letter: LetterRecord,
        copies: Vec<CopyRecord>,
    ) -> Result<Decided, DecisionError> {
        if !is_possible(ruling.decision, &letter, &copies) {
            return Err(refusal(ruling.decision, &letter, &copies));
        }
        let is_whole = verdict.copy.is_none();
        let mut writer = self.writer(now);
        writer.actor = verdict.by.clone();
        if letter.state != LetterState::Routed || (is_whole && marks_letter(ruling, &letter)) {
            writer.decide_letter(&mut letter, ruling);
        }
        let mut done = Vec::new();
        for mut copy in copies {
            if copy.allows(ruling.decision) {
                done.push(copy.number);
                writer.decide_copy(&mut copy, ruling);
                writer.commit.copies.push(copy);
            }
        }
        writer.commit.letters.push(letter);
        Ok(Decided {
            commit: writer.commit,
            waits: false,
            copies: done,
        })
    }
}

/// Whether a decision about all copies is one about the letter, too.
const fn marks_letter(ruling: &Ruling<'_>, letter: &LetterRecord) -> bool {
    match ruling.decision {
        Decision::Suppress | Decision::Withdraw => true,
        Decision::Resolve => letter.alert.is_some() || letter.vote.is_some(),
        _ => false,
    }
}

/// The copies a decision is about.
fn chosen(
    letter: &LetterRecord,
    mut copies: Vec<CopyRecord>,
    number: Option<u32>,
) -> Result<Vec<CopyRecord>, DecisionError> {
    let Some(number) = number else {
        return Ok(copies);
    };
    copies.retain(|copy| copy.number == number);
    if copies.is_empty() {
        return Err(DecisionError::NoSuchCopy {
            copy: number,
            copies: letter.copies,
        });
    }
    Ok(copies)
}

/// The vote that this verdict is the second to: an approval, or the same decision again.
fn second_vote(verdict: &Verdict, letter: &LetterRecord) -> Result<Option<Vote>, DecisionError> {
    let vote = letter.vote.as_ref().filter(|vote| vote.is_to_suppress());
    let Some(vote) = vote else {
        return Ok(None);
    };
    let same = verdict.decision.kind().as_str() == vote.decision && verdict.copy == vote.copy;
    let agrees = verdict.decision == Decision::Approve
        && (verdict.copy.is_none() || verdict.copy == vote.copy);
    if !same && !agrees {
        return Ok(None);
    }
    if verdict.by == vote.by {
        return Err(DecisionError::SamePerson {
            decision: DecisionKind::Suppress,
        });
    }
    Ok(Some(vote.clone()))
}

fn is_possible(decision: &Decision, letter: &LetterRecord, copies: &[CopyRecord]) -> bool {
    let of_copies = copies.iter().any(|copy| copy.allows(decision));
    // To agree to a vote is no decision of its own: what comes here does not agree to it.
    let of_letter = match decision {
        Decision::Approve => letter.state == LetterState::Held && letter.content.is_some(),
        other => letter.allows(other.kind()),
    };
    of_copies || of_letter
}

fn refusal(decision: &Decision, letter: &LetterRecord, copies: &[CopyRecord]) -> DecisionError {
    let mut allowed = letter.decisions();
    allowed.extend(copies.iter().flat_map(CopyRecord::decisions));
    allowed.sort_unstable();
    allowed.dedup();
    let held = letter.state == LetterState::Held && letter.content.is_none();
    if held && matches!(decision, Decision::Approve | Decision::Reroute(_)) {
        return DecisionError::NothingToSend { allowed };
    }
    let state = match (letter.state, copies) {
        (LetterState::Routed, [copy, ..]) => copy.state.as_str(),
        (state, _) => state.as_str(),
    };
    DecisionError::NotAllowed {
        decision: decision.kind(),
        state,
        allowed,
    }
}

impl Writer<'_> {
    /// Follows a decision with what the software does about it.
    fn by_service(&mut self, what: impl FnOnce(&mut Self)) {
        let person = std::mem::replace(&mut self.actor, crate::actor::Actor::SERVICE);
        what(self);
        self.actor = person;
    }
}
