//! Decisions about a letter that has no copies yet, and about all of it.

use audit_core::Data;

use super::Ruling;
use crate::commit::{Work, WorkKind};
use crate::decision::Decision;
use crate::engine::Writer;
use crate::letter::LetterEvent;
use crate::record::{LetterRecord, Reroute, tell};
use crate::state::LetterState;

/// What a person must know when the version that took the place of another does not go.
const NOTHING_GOES: &str = "the version it replaced was superseded: nothing of the document goes";

impl Writer<'_> {
    pub(super) fn decide_letter(&mut self, letter: &mut LetterRecord, ruling: &Ruling<'_>) {
        let Some(event) = ruling.decision.letter_event() else {
            return;
        };
        let mut data = ruling.data.clone();
        match ruling.decision {
            Decision::Reroute(to) => {
                note_destination(&mut data, to);
                letter.reroute = Some(to.clone());
            }
            Decision::Resolve => {
                letter.alert = None;
                letter.vote = None;
            }
            _ => {}
        }
        self.letter(letter, event, Some(ruling.reason), data);
        self.after_letter(letter, ruling);
    }

    fn after_letter(&mut self, letter: &mut LetterRecord, ruling: &Ruling<'_>) {
        match letter.state {
            // A person vouches for what reading was not sure of.
            LetterState::SignedOff => {
                self.letter(
                    letter,
                    LetterEvent::Parsed,
                    Some(ruling.reason),
                    Data::new(),
                );
                self.work(Work::new(letter.key, WorkKind::Prepare, self.now));
            }
            LetterState::Parsed if !matches!(ruling.decision, Decision::Resolve) => {
                self.work(Work::new(letter.key, WorkKind::Prepare, self.now));
            }
            LetterState::Suppressed | LetterState::Withdrawn
                if !matches!(ruling.decision, Decision::Resolve) =>
            {
                self.done(letter.key);
                letter.vote = None;
                if letter.version > 1 && letter.state == LetterState::Suppressed {
                    tell(&mut letter.alert, NOTHING_GOES);
                }
            }
            _ => {}
        }
    }
}

pub(super) fn note_destination(data: &mut Data, to: &Reroute) {
    data.insert("practice", to.practice.as_str());
    if let Some(mailbox) = &to.mailbox {
        data.insert("mailbox", mailbox.as_str());
    }
}
