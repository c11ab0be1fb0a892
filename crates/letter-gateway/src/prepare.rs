//! A letter is routed and shaped.

use std::panic::{AssertUnwindSafe, catch_unwind};

use audit_core::{Data, StreamKey};
use chrono::Duration;
use clinical_letter::Letter;
use gp_routing::{Case, Decision, LetterFacts, Lookup, Outcome, PatientFacts, ReasonCode, decide};
use letter_delivery::{
    Address, Claimed, Prepared, PreparedCopy, Reroute, Route, ShapedCopy, Store,
};
use letter_shape::{Envelope, ReceiverProfile, ShapeError, Shaped, shape};
use nhs_types::{Sensitive, Severity};

use crate::take::{event_at, letter_kind};
use crate::{Gateway, GatewayError};

/// How soon a lookup that failed for the moment is tried again.
const LOOKUP_AGAIN: Duration = Duration::minutes(1);
/// More lookups than any policy has workflows: a decision always ends before.
const LOOKUPS_MAX: usize = 64;
/// The copy that every letter has: the one for the registered practice.
const FIRST_COPY: u32 = 1;
/// The reason of a letter that broke what was to route or shape it.
const PREPARATION_FAILED: &str = "preparation-failed";

impl<S: Store + 'static> Gateway<S> {
    /// Routes a letter and shapes its copies.
    pub(crate) async fn prepare(&self, claimed: &Claimed) -> Result<Prepared, GatewayError> {
        let stopped = |reason: &str| Prepared::Stopped {
            route: Route::Hold,
            reason: reason.to_owned(),
            evidence: Data::new(),
        };
        let Some(content) = claimed.letter.content else {
            return Ok(stopped("no-content"));
        };
        let bytes = self.store.payload(claimed.letter.key, content).await?;
        let Ok(letter) = serde_json::from_slice::<Letter>(&bytes) else {
            return Ok(stopped("letter-unreadable"));
        };
        let named = named(claimed);
        let Some(decision) = self.route(&letter, named).await else {
            return Ok(stopped(PREPARATION_FAILED));
        };
        Ok(match decision.outcome {
            Outcome::Send => unbroken(|| self.send_to(claimed, &letter, &decision))
                .unwrap_or_else(|| stopped(PREPARATION_FAILED)),
            Outcome::Need => later(&decision),
            _ if decision.reason == ReasonCode::MeshLookupFailed => later(&decision),
            outcome => Prepared::Stopped {
                route: route_of(outcome, decision.reason),
                reason: decision.reason.as_str().to_owned(),
                evidence: evidence(&decision),
            },
        })
    }

    /// Decides, asking MESH for each mailbox that the decision wants to know.
    /// Where a person named a practice, that one is decided on, by the same rules.
    async fn route(&self, letter: &Letter, named: Option<&Reroute>) -> Option<Decision> {
        let practices = self.practices();
        let mut case = self.case(letter);
        if let Some(named) = named {
            self.name_practice(&mut case, named);
        }
        let mut decision = unbroken(|| decide(&case, &practices))?;
        for _ in 0..LOOKUPS_MAX {
            let Some(Lookup::Mailbox { practice, workflow }) = decision.lookup.clone() else {
                break;
            };
            match self.mailboxes(&practice, &workflow).await {
                Some(known) => {
                    case.mailboxes
                        .found(&practice, &workflow, known.mailboxes, Some(known.at));
                }
                None => case.mailboxes.failed(&practice, &workflow),
            }
            decision = unbroken(|| decide(&case, &practices))?;
        }
        Some(decision)
    }

    fn name_practice(&self, case: &mut Case, named: &Reroute) {
        case.patient.hospital_practice = Some(named.practice.to_string());
        let Some(mailbox) = &named.mailbox else {
            return;
        };
        for choice in &self.trust.routing.workflows {
            let known = [mailbox.clone()];
            case.mailboxes
                .found(&named.practice, &choice.workflow, known, Some(self.now()));
        }
    }

    fn case(&self, letter: &Letter) -> Case {
        let document = &letter.document;
        let mut facts = LetterFacts::new(letter_kind(Some(&document.kind)));
        facts.signed_off = true;
        facts.event_at = event_at(
            document.event_at.map(|at| at.to_utc()),
            Some(document.event_date),
            Some(document.signed_at.to_utc()),
        );
        let attached = letter
            .attachment
            .as_ref()
            .map(|file| file.expose_bytes().len());
        facts.specialty.clone_from(&letter.encounter.specialty);
        facts.size_bytes = attached.and_then(|size| u64::try_from(size).ok());
        let mut patient = PatientFacts::default();
        patient.nhs_number = Some(Sensitive::new(
            letter.patient.nhs_number.expose().to_owned(),
        ));
        patient.family = Some(Sensitive::new(
            letter.patient.name.expose().family.to_owned(),
        ));
        patient.birth_date = Some(letter.patient.birth_date);
        patient.hospital_practice = letter.practice.code.as_ref().map(ToString::to_string);
        Case::new(self.now(), facts, patient, self.trust.routing.clone())
    }

    fn send_to(&self, claimed: &Claimed, letter: &Letter, decision: &Decision) -> Prepared {
        let parts = (&decision.practice, &decision.mailbox, &decision.workflow);
        let (Some(practice), Some(mailbox), Some(workflow)) = parts else {
            return later(decision);
        };
        let Some(profile) = self.trust.profile(decision.format.as_deref()) else {
            return Prepared::Stopped {
                route: Route::Hold,
                reason: "profile-unknown".to_owned(),
                evidence: evidence(decision),
            };
        };
        let mut address = Address::new(
            practice.code.clone(),
            mailbox.clone(),
            workflow.clone(),
            &profile.name,
        );
        address.closes_on = self.trust.promise(&profile.name);
        let copy = claimed.copy.as_ref().map_or(FIRST_COPY, |copy| copy.number);
        let envelope = self.envelope(
            (claimed.letter.key, copy),
            &address,
            practice.name.as_deref(),
        );
        let shaped = shape(letter, profile, &envelope);
        let shaped = shaped
            .map(|shaped| shaped_copy(shaped, profile))
            .map_err(|e| reason_of(&e));
        Prepared::Copies(vec![PreparedCopy::new(address, evidence(decision), shaped)])
    }

    /// Ids come from the letter's and the copy's keys: built again, they are the same.
    fn envelope(
        &self,
        (key, copy): (StreamKey, u32),
        address: &Address,
        name: Option<&str>,
    ) -> Envelope {
        let copy = self.decide(|engine| engine.keys().copy(key, copy));
        let trust = (self.trust.code.clone(), self.trust.name.as_str());
        let practice = address.practice.clone();
        let department = self.trust.department.as_str();
        let mut envelope = Envelope::new(
            &uuid_of(copy),
            &uuid_of(key),
            trust,
            practice,
            department,
            self.now(),
        );
        envelope.sender_link = self.mailbox().to_string();
        envelope.recipient_link = address.mailbox.to_string();
        envelope.practice_name = name.map(str::to_owned);
        if !self.trust.live {
            envelope.status = kettering_xml::MessageStatus::Test;
        }
        envelope
    }
}

/// The practice that a person named for this copy, or for its letter.
fn named(claimed: &Claimed) -> Option<&Reroute> {
    let of_copy = claimed.copy.as_ref().and_then(|copy| copy.reroute.as_ref());
    of_copy.or(claimed.letter.reroute.as_ref())
}

/// What breaks on one letter holds that letter, instead of being tried for ever.
pub(crate) fn unbroken<T>(what: impl FnOnce() -> T) -> Option<T> {
    let done = catch_unwind(AssertUnwindSafe(what)).ok();
    if done.is_none() {
        tracing::error!("routing or shaping broke on a letter; a person must look at it");
    }
    done
}

fn later(decision: &Decision) -> Prepared {
    Prepared::Later {
        reason: decision.reason.as_str().to_owned(),
        after: LOOKUP_AGAIN,
    }
}

const fn route_of(outcome: Outcome, reason: ReasonCode) -> Route {
    match (outcome, reason) {
        (_, ReasonCode::MeshMultipleMailboxes) => Route::Ambiguous,
        (Outcome::Withhold, _) => Route::Withhold,
        (Outcome::Alt, _) => Route::OtherRoad,
        _ => Route::Hold,
    }
}

fn evidence(decision: &Decision) -> Data {
    let mut data = Data::new().with("rules", decision.rules_version);
    for (key, value) in decision.ledger_codes() {
        data.insert(key, value);
    }
    data
}

/// Counts and versions only: a digest without salt could be confirmed by guessing the text.
fn shaped_copy(shaped: Shaped, profile: &ReceiverProfile) -> ShapedCopy {
    let proof = Data::new()
        .with("profile", profile.name.as_str())
        .with("proof_rules", i64::from(shaped.proof.rules_version))
        .with(
            "words",
            i64::try_from(shaped.proof.source_words).unwrap_or(i64::MAX),
        );
    ShapedCopy::new(shaped.artefact.bytes, shaped.artefact.content_type, proof)
}

fn reason_of(error: &ShapeError) -> String {
    tracing::warn!(%error, "a letter could not be shaped");
    match error {
        ShapeError::Refused { findings } => {
            let mut errors = findings
                .findings()
                .iter()
                .filter(|finding| finding.severity == Severity::Error);
            errors
                .next()
                .map_or("shape-refused", |finding| finding.rule.as_str())
                .to_owned()
        }
        ShapeError::Differs(_) => "proof-differs".to_owned(),
        _ => "shape-unsupported".to_owned(),
    }
}

/// A key in the form of a UUID, version 8: a name-based one of our own making.
fn uuid_of(key: StreamKey) -> String {
    let id = uuid::Builder::from_custom_bytes(*key.as_bytes()).into_uuid();
    id.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_becomes_a_uuid_of_its_own() {
        let id = uuid_of(StreamKey::from_bytes([0xEC; 16]));
        assert_eq!(id, "ecececec-ecec-8cec-acec-ecececececec");
    }

    #[test]
    fn what_breaks_on_one_letter_is_told_and_goes_no_further() {
        assert_eq!(unbroken(|| 7), Some(7));
        assert_eq!(unbroken(|| -> u8 { panic!("of a test") }), None);
    }
}
