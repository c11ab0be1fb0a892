//! A letter's contents are destroyed: decided by two people, or by a rule about age.

use audit_core::Data;
use chrono::{DateTime, Utc};

use super::Engine;
use crate::actor::Actor;
use crate::commit::{Commit, Erasure};
use crate::letter::LetterEvent;
use crate::reason::Reason;
use crate::record::{CopyRecord, LetterRecord, Vote};
use crate::state::{LetterState, StateKind};

/// The name of the decision while it waits for a second person.
const ERASE: &str = "erase";

/// What a decision to erase leads to.
#[derive(Debug)]
#[non_exhaustive]
pub struct Erased {
    /// To be made durable.
    pub commit: Commit,
    /// Whether the contents are destroyed by it; else it waits for a second person.
    pub is_done: bool,
}

/// Why a letter cannot be erased.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EraseError {
    /// Only a person can.
    #[error("to erase is a person's decision: run it under an account of the operating system")]
    NotAPerson,
    /// The same person decided it before.
    #[error("to erase takes two people: this account decided it already, now a second one must")]
    SamePerson,
    /// It is still on its way, and what it is made of is needed.
    #[error(
        "the letter is not at its end ({state}): first have it collected, suppressed or withdrawn"
    )]
    StillOpen {
        /// The state of the letter, or of the copy that is open.
        state: &'static str,
    },
}

impl Engine {
    /// Destroys what a letter holds: contents, identifiers and the key of both. What stays are
    /// its events, which tell nothing of the patient. Two people must decide it.
    ///
    /// ```
    /// use audit_core::PseudonymKey;
    /// use letter_delivery::{Disposition, Engine, Entropy, EraseError, Intake, Policy, Reason, TrustKeys};
    /// use nhs_types::OdsCode;
    /// # struct Counting(u8);
    /// # impl Entropy for Counting {
    /// #     fn fill(&mut self, bytes: &mut [u8]) {
    /// #         self.0 += 1;
    /// #         bytes.fill(self.0);
    /// #     }
    /// # }
    /// # let key = |byte| PseudonymKey::new([byte; 32]);
    /// # let keys = TrustKeys::new(OdsCode::parse("RZZ")?, key(1), key(2), key(3));
    /// let (one, two) = (keys.account("unix:1001"), keys.account("unix:1002"));
    /// let mut engine = Engine::new(keys, Policy::default(), Box::new(Counting(0)));
    /// let now: chrono::DateTime<chrono::Utc> = "2026-02-03T10:10:00Z".parse()?;
    /// let withheld = Intake::new("epr", "DOC-1", Disposition::Suppress, "restricted", [1; 32], vec![]);
    /// let letter = engine.intake(now, withheld, None, None).commit.letters.remove(0);
    ///
    /// let reason = Reason::parse("wrong-patient")?;
    /// let first = engine.erase(now, &one, letter, Vec::new(), &reason)?;
    /// assert!(!first.is_done, "a second person must say so too");
    /// let letter = first.commit.letters[0].clone();
    /// let again = engine.erase(now, &one, letter.clone(), Vec::new(), &reason);
    /// assert_eq!(again.unwrap_err(), EraseError::SamePerson);
    /// let second = engine.erase(now, &two, letter, Vec::new(), &reason)?;
    /// assert!(second.is_done && second.commit.erase.len() == 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`EraseError`], by what the person can do.
    pub fn erase(
        &mut self,
        now: DateTime<Utc>,
        by: &Actor,
        mut letter: LetterRecord,
        copies: Vec<CopyRecord>,
        reason: &Reason,
    ) -> Result<Erased, EraseError> {
        if !by.is_person() {
            return Err(EraseError::NotAPerson);
        }
        require_ended(&letter, &copies)?;
        let vote = letter.vote.take().filter(|vote| vote.decision == ERASE);
        match vote {
            Some(vote) if vote.by == *by => Err(EraseError::SamePerson),
            Some(vote) => {
                let data = Data::new().with("proposed_by", vote.by.to_string());
                Ok(self.destroy(now, by, letter, copies, reason.as_str(), data))
            }
            None => Ok(self.propose(now, by, letter, reason)),
        }
    }

    /// Destroys what a letter holds by a rule that people configured: it was kept long enough, or
    /// was erased before the store was restored.
    ///
    /// # Errors
    ///
    /// [`EraseError::StillOpen`].
    pub fn expire(
        &mut self,
        now: DateTime<Utc>,
        letter: LetterRecord,
        copies: Vec<CopyRecord>,
        rule: &Reason,
    ) -> Result<Erased, EraseError> {
        require_ended(&letter, &copies)?;
        let by = Actor::SERVICE;
        Ok(self.destroy(now, &by, letter, copies, rule.as_str(), Data::new()))
    }

    fn propose(
        &mut self,
        now: DateTime<Utc>,
        by: &Actor,
        mut letter: LetterRecord,
        reason: &Reason,
    ) -> Erased {
        letter.vote = Some(Vote {
            decision: ERASE.to_owned(),
            copy: None,
            by: by.clone(),
            reason: reason.as_str().to_owned(),
            at: now,
        });
        let mut writer = self.writer(now);
        writer.actor = by.clone();
        let data = Data::new().with("decision", ERASE);
        let reason = Some(reason.as_str());
        writer.letter(&mut letter, LetterEvent::PersonProposed, reason, data);
        writer.commit.letters.push(letter);
        Erased {
            commit: writer.commit,
            is_done: false,
        }
    }

    fn destroy(
        &mut self,
        now: DateTime<Utc>,
        by: &Actor,
        mut letter: LetterRecord,
        copies: Vec<CopyRecord>,
        reason: &str,
        data: Data,
    ) -> Erased {
        let mut writer = self.writer(now);
        writer.actor = by.clone();
        writer.letter(&mut letter, LetterEvent::PayloadErased, Some(reason), data);
        letter.erased_at = Some(now);
        letter.content = None;
        writer.commit.erase.push(Erasure::new(letter.key, now));
        for mut copy in copies {
            copy.artefact = None;
            writer.commit.copies.push(copy);
        }
        writer.commit.letters.push(letter);
        Erased {
            commit: writer.commit,
            is_done: true,
        }
    }
}

/// What is on its way needs its contents, and its end must be known before they go.
fn require_ended(letter: &LetterRecord, copies: &[CopyRecord]) -> Result<(), EraseError> {
    let open = |state| Err(EraseError::StillOpen { state });
    let is_ended = letter.state.kind() == StateKind::Ended || letter.state == LetterState::Routed;
    if !is_ended {
        return open(letter.state.as_str());
    }
    match copies.iter().find(|copy| !has_ended(copy)) {
        Some(copy) => open(copy.state.as_str()),
        None => Ok(()),
    }
}

fn has_ended(copy: &CopyRecord) -> bool {
    match copy.state.kind() {
        StateKind::Ended => true,
        StateKind::Good => copy.closed_at.is_some(),
        StateKind::Open | StateKind::NeedsPerson => false,
    }
}
