//! The ordered rules (gp-routing 12.2): the first that applies decides; one pass per recipient.

mod demographics;
mod identity;
mod mailbox;
mod practice;
mod release;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use nhs_types::{MailboxId, OdsCode};

use crate::decision::explanation;
use crate::practice_code::GivenCode;
use crate::{
    Case, Decision, Evidence, LetterKind, Lookup, Outcome, Practice, PracticeRef, PracticeSource,
    PracticeTable, RULES_VERSION, ReasonCode, Recipient, RecipientRef, WarningCode, WorkflowChoice,
    due,
};

/// A hold of a letter without due time is looked at within this time.
const REVIEW_HOURS: i64 = 24;

/// Decides what becomes of a letter for its primary recipient, the registered practice.
///
/// The same case and table always give the same decision. [`Outcome::Need`] names one lookup:
/// add its answer to the case and decide again; there are at most one for the patient and one
/// for each workflow.
///
/// ```
/// use gp_routing::{CaseFile, Outcome, PracticeTable, SAMPLE_TABLE, TableLimits, decide};
///
/// let table = PracticeTable::read(SAMPLE_TABLE.as_bytes(), &TableLimits::at_least(1))?;
/// let file: CaseFile = serde_json::from_str(r#"{
///     "today": "2026-11-19",
///     "letter": {"kind": "outpatient", "signed_off": true, "event_at": "2026-11-18"},
///     "patient": {"nhs_number": "9434765919", "hospital_practice": "Y99901"},
///     "mailboxes": {"*": {"KETTERING_OP": ["Y99901OT001"]}},
///     "policy": {"demographics": "source", "allow_synthetic": true, "workflows": ["KETTERING_OP"]}
/// }"#)?;
/// let decision = decide(&file.into_case("2026-11-19T09:00:00Z".parse()?), &table);
/// assert_eq!(decision.outcome, Outcome::Send);
/// assert_eq!(decision.mailbox.unwrap().as_str(), "Y99901OT001");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn decide(case: &Case, table: &PracticeTable) -> Decision {
    decide_for(&Recipient::RegisteredPractice, case, table)
}

/// Decides for every recipient of the letter: the registered practice first, then the others in
/// the order of the letter.
///
/// The registered practice has its decision even where the letter's list leaves it out: only a
/// recorded decline withholds its copy. An organisation that is reached already, as the
/// registered practice or by another entry of the list, gets no second decision. A list that is
/// there and empty is a hold.
pub fn decide_all(case: &Case, table: &PracticeTable) -> Vec<Decision> {
    let named = case.letter.recipients.as_deref();
    if named.is_some_and(<[Recipient]>::is_empty) {
        return vec![nobody(case, table)];
    }
    let mut decisions = vec![decide(case, table)];
    for recipient in named.unwrap_or_default() {
        let decision = decide_for(recipient, case, table);
        if !decisions
            .iter()
            .any(|earlier| is_same_road(earlier, &decision))
        {
            decisions.push(decision);
        }
    }
    decisions
}

/// Whether two decisions bring the letter to one organisation (gp-routing 17: one send).
fn is_same_road(earlier: &Decision, later: &Decision) -> bool {
    let code = |decision: &Decision| {
        decision
            .practice
            .as_ref()
            .map(|practice| practice.code.clone())
    };
    earlier.recipient == later.recipient || (code(later).is_some() && code(earlier) == code(later))
}

fn decide_for(recipient: &Recipient, case: &Case, table: &PracticeTable) -> Decision {
    let mut trail = Trail::new(case, table);
    trail.due_time();
    let verdict = match recipient {
        Recipient::RegisteredPractice => registered_practice(&mut trail),
        Recipient::Organisation { ods_code, workflow } => {
            organisation(&mut trail, ods_code, workflow.as_ref())
        }
        Recipient::Patient => patient(&mut trail),
    };
    trail.into_decision(RecipientRef::from(recipient), verdict)
}

fn nobody(case: &Case, table: &PracticeTable) -> Decision {
    let mut trail = Trail::new(case, table);
    trail.due_time();
    trail.into_decision(
        RecipientRef::Nobody,
        Err(Stop::hold(ReasonCode::NoRecipient)),
    )
}

/// R1 to R16 for the practice at which the patient is registered.
fn registered_practice(trail: &mut Trail<'_>) -> Ruled<Road> {
    release::r1_signed_off(trail)?;
    release::r2_gp_copy(trail)?;
    release::r2c_consent(trail)?;
    let number = identity::number(trail)?;
    identity::r6_jurisdiction(trail, &number)?;
    let (given, from) = demographics::practice(trail, &number)?;
    let practice = practice::destination(trail, given, from)?;
    let workflows = trail.case.policy.workflows.as_slice();
    let road = mailbox::road(trail, practice.code(), workflows, Some(practice))?;
    mailbox::r15_size(trail)?;
    Ok(road)
}

/// The rules that hold for a copy to an organisation named by its code.
fn organisation(
    trail: &mut Trail<'_>,
    code: &OdsCode,
    workflow: Option<&WorkflowChoice>,
) -> Ruled<Road> {
    release::r1_signed_off(trail)?;
    release::r2c_consent(trail)?;
    let number = identity::number(trail)?;
    let person = demographics::person(trail, &number)?;
    demographics::r11_restricted(person)?;
    let practice = practice::organisation(trail, code)?;
    let code = practice.map_or(code, Practice::code);
    release::r2_copy_is_the_gps(trail, code)?;
    let workflows = workflow.map_or(trail.case.policy.workflows.as_slice(), std::slice::from_ref);
    let mut road = mailbox::road(trail, code, workflows, practice)?;
    mailbox::r15_size(trail)?;
    road.reason = ReasonCode::OkCcRecipient;
    Ok(road)
}

/// A copy to the patient goes by paper or portal, or is suppressed (gp-routing section 10).
fn patient(trail: &mut Trail<'_>) -> Ruled<Road> {
    release::r1_signed_off(trail)?;
    release::patient_copies(trail)?;
    let number = identity::number(trail)?;
    let person = demographics::person(trail, &number)?;
    let suppressed = trail.case.patient.deceased
        || person.is_some_and(|person| person.deceased)
        || demographics::r11_restricted(person).is_err();
    if suppressed {
        return Err(Stop::withhold(ReasonCode::PatientCopySuppressed));
    }
    Err(Stop::alt(ReasonCode::OkCcRecipient))
}

/// Where a letter goes when nothing stopped it.
struct Road {
    reason: ReasonCode,
    mailbox: MailboxId,
    workflow: WorkflowChoice,
}

/// A rule that applied: the decision is made.
#[derive(Debug)]
struct Stop {
    outcome: Outcome,
    reason: ReasonCode,
    lookup: Option<Lookup>,
    is_passing: bool,
}

type Ruled<T = ()> = Result<T, Stop>;

impl Stop {
    const fn new(outcome: Outcome, reason: ReasonCode) -> Self {
        Self {
            outcome,
            reason,
            lookup: None,
            is_passing: false,
        }
    }

    const fn hold(reason: ReasonCode) -> Self {
        Self::new(Outcome::Hold, reason)
    }

    const fn alt(reason: ReasonCode) -> Self {
        Self::new(Outcome::Alt, reason)
    }

    const fn withhold(reason: ReasonCode) -> Self {
        Self::new(Outcome::Withhold, reason)
    }

    /// A hold that may pass by itself: worth another try until the due time (design rule 5).
    fn passing(reason: ReasonCode) -> Self {
        Self {
            is_passing: true,
            ..Self::hold(reason)
        }
    }

    fn need(reason: ReasonCode, lookup: Lookup) -> Self {
        Self {
            lookup: Some(lookup),
            ..Self::new(Outcome::Need, reason)
        }
    }
}

/// What the rules found on their way, beside the verdict.
struct Trail<'a> {
    case: &'a Case,
    table: &'a PracticeTable,
    today: NaiveDate,
    due_at: Option<DateTime<Utc>>,
    warnings: Vec<WarningCode>,
    practice: Option<PracticeRef>,
    evidence: Evidence,
}

impl<'a> Trail<'a> {
    fn new(case: &'a Case, table: &'a PracticeTable) -> Self {
        let evidence = Evidence {
            table_digest: table.digest().to_owned(),
            table_date: table.date(),
            ..Evidence::default()
        };
        Self {
            case,
            table,
            today: due::london_day(case.now),
            due_at: None,
            warnings: Vec::new(),
            practice: None,
            evidence,
        }
    }

    fn warn(&mut self, code: WarningCode) {
        if !self.warnings.contains(&code) {
            self.warnings.push(code);
        }
    }

    /// gp-routing section 11.
    fn due_time(&mut self) {
        let letter = &self.case.letter;
        self.due_at = letter
            .event_at
            .and_then(|at| due::due_at(letter.kind, at, &self.case.policy));
        if letter.kind == LetterKind::Unknown {
            self.warn(WarningCode::LetterKindUnknown);
        }
        if self.due_at.is_some_and(|due| due < self.case.now) {
            self.warn(WarningCode::DueBreached);
        }
    }

    /// Names the organisation that the decision has come to.
    fn reaches(&mut self, practice: &Practice, from: PracticeSource) {
        self.evidence.practice_from = Some(from);
        self.practice = Some(PracticeRef {
            code: practice.code().clone(),
            name: Some(practice.name().to_owned()),
            status: Some(practice.status()),
        });
    }

    /// gp-routing 16: too old to be relied on alone.
    fn table_is_stale(&self) -> bool {
        self.table_is_older_than(self.case.policy.table_hold_days)
    }

    fn table_is_older_than(&self, days: u32) -> bool {
        let age = self.table.date().map(|date| (self.today - date).num_days());
        age.is_some_and(|age| age > i64::from(days))
    }

    fn into_decision(self, recipient: RecipientRef, verdict: Ruled<Road>) -> Decision {
        let (stop, road) = match verdict {
            Ok(road) => (Stop::new(Outcome::Send, road.reason), Some(road)),
            Err(stop) => (stop, None),
        };
        let (mailbox, choice) = road.map(|road| (road.mailbox, road.workflow)).unzip();
        let (workflow, format) = choice
            .map(|choice| (choice.workflow, choice.format))
            .unzip();
        let due_ahead = self.due_at.filter(|due| *due > self.case.now);
        let mut decision = Decision {
            recipient,
            outcome: stop.outcome,
            reason: stop.reason,
            warnings: self.warnings,
            lookup: stop.lookup,
            practice: self.practice,
            mailbox,
            workflow,
            format: format.flatten(),
            due_at: self.due_at,
            retry_until: due_ahead.filter(|_| stop.is_passing),
            next_action: stop.reason.next_action(),
            review_at: (stop.outcome == Outcome::Hold)
                .then(|| review_at(self.case.now, self.due_at)),
            evidence: self.evidence,
            explanation: String::new(),
            decided_at: self.case.now,
            rules_version: RULES_VERSION,
        };
        decision.explanation = explanation(&decision);
        decision
    }
}

/// A hold is looked at within a day, sooner when it is due sooner, at once when it is late.
fn review_at(now: DateTime<Utc>, due_at: Option<DateTime<Utc>>) -> DateTime<Utc> {
    let within_a_day = now
        .checked_add_signed(TimeDelta::hours(REVIEW_HOURS))
        .unwrap_or(now);
    due_at.map_or(within_a_day, |due| due.clamp(now, within_a_day))
}
