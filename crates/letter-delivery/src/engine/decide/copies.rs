//! Decisions about one copy.

use audit_core::Data;

use super::Ruling;
use super::letters::note_destination;
use crate::commit::WorkKind;
use crate::copy::CopyEvent;
use crate::decision::Decision;
use crate::engine::Writer;
use crate::keys::LocalId;
use crate::record::{CopyRecord, Pending};
use crate::state::CopyState;

impl Writer<'_> {
    pub(super) fn decide_copy(&mut self, copy: &mut CopyRecord, ruling: &Ruling<'_>) {
        let event = ruling.decision.copy_event(copy.state);
        let mut data = ruling.data.clone();
        match ruling.decision {
            Decision::Resend => copy.new_series(),
            Decision::Reroute(to) => {
                copy.new_series();
                note_destination(&mut data, to);
                copy.reroute = Some(to.clone());
            }
            Decision::Resolve => copy.alert = None,
            _ => {}
        }
        if matches!(ruling.decision, Decision::Resend | Decision::Reroute(_)) {
            data.insert("series", i64::from(copy.series));
        }
        self.copy(copy, event, Some(ruling.reason), data);
        self.after_copy(copy, ruling);
    }

    fn after_copy(&mut self, copy: &mut CopyRecord, ruling: &Ruling<'_>) {
        match ruling.decision {
            Decision::Resend if copy.artefact.is_some() => {
                self.by_service(|writer| writer.queue_again(copy));
            }
            Decision::Resend | Decision::Reroute(_) => {
                self.work(copy.work(WorkKind::Reroute, self.now));
            }
            Decision::Approve if copy.state == CopyState::Uncertain => {
                copy.asked = 0;
                copy.doubt_since = Some(self.now);
                self.work(copy.work(WorkKind::Ask, self.now));
            }
            Decision::Approve => self.work(copy.work(WorkKind::Reroute, self.now)),
            Decision::Suppress => {
                copy.pending = copy.is_in_doubt().then_some(Pending::Suppress);
                self.done_unless_in_doubt(copy);
            }
            Decision::Withdraw => {
                copy.withdraw_pending = copy.is_in_doubt();
                copy.pending = copy.withdraw_pending.then_some(Pending::Withdraw);
                if copy.state == CopyState::Withdrawn {
                    self.tell_of_earlier_series(copy);
                    self.done(copy.key);
                }
            }
            Decision::Rejected { .. } | Decision::Telephoned(_) => {
                copy.doubt_since = None;
                copy.accepted_at = copy.accepted_at.or(Some(self.now));
                self.done(copy.key);
            }
            Decision::Resolve => {}
        }
    }

    fn done_unless_in_doubt(&mut self, copy: &CopyRecord) {
        if !copy.is_in_doubt() {
            self.done(copy.key);
        }
    }

    /// The same bytes, under a local id of their own.
    fn queue_again(&mut self, copy: &mut CopyRecord) {
        let same = Data::new().with("artefact", "same");
        self.copy(copy, CopyEvent::Rendered, None, same);
        let queue = Data::new().with("queue", "mesh");
        self.copy(copy, CopyEvent::Queued, None, queue);
        self.work(copy.work(WorkKind::Send, self.now));
    }
}

impl CopyRecord {
    /// Begins a series: its attempts, its doubts and its ids are its own.
    pub(crate) fn new_series(&mut self) {
        self.series = self.series.saturating_add(1);
        self.attempts = 0;
        self.spent = 0;
        self.first_attempt_at = None;
        self.asked = 0;
        self.doubt_since = None;
        self.tracked = 0;
        self.local_id = LocalId::of(self.letter, self.number, self.series);
        self.message_id = None;
    }
}
