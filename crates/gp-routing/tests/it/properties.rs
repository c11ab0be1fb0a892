//! What holds for every case: gp-routing section 1, issue "what must be shown" 2.

use gp_routing::{
    Case, Demographics, DemographicsPolicy, GpCopy, LetterFacts, LetterKind, Lookup, Outcome,
    PatientFacts, Policy, PracticeStatus, PracticeTable, SAMPLE_TABLE, Successor, TableLimits,
    WorkflowChoice, decide, decide_all,
};
use nhs_types::{BirthDate, MailboxId, NhsNumber, OdsCode, WorkflowId};
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::support::{NOW, sample};

const WORKFLOWS: [&str; 3] = ["TOC_FHIR_OP_ATTEN", "KETTERING_OP", "PDF_OP"];
const LOOKUPS_MAX: usize = 1 + WORKFLOWS.len();

fn code(text: &str) -> OdsCode {
    OdsCode::parse(text).unwrap()
}

fn any_practice_text() -> impl Strategy<Value = Option<String>> {
    let known: Vec<_> = sample()
        .practices()
        .map(|practice| practice.code().to_string())
        .collect();
    prop_oneof![
        8 => select(known).prop_map(Some),
        1 => select(vec!["V81997", "Y98765", "", "Y99901001", "see notes"]).prop_map(|text| Some(text.to_owned())),
        1 => Just(None),
    ]
}

fn any_number() -> impl Strategy<Value = Option<String>> {
    let numbers = vec![
        "4010232137",
        "4010232137",
        "4010232137",
        "9990000018",
        "0607230002",
        "4010232138",
        "0000000000",
        "1111111111",
        "8000000016",
        "",
    ];
    prop_oneof![9 => select(numbers).prop_map(|text| Some(text.to_owned())), 1 => "\\PC{0,12}".prop_map(Some), 1 => Just(None)]
}

prop_compose! {
    fn any_letter()(
        signed_off in prop::bool::weighted(0.9),
        gp_copy in select(vec![GpCopy::Unset, GpCopy::Send, GpCopy::Send, GpCopy::Declined]),
        specialty in select(vec![None, Some("410"), Some("360")]),
        consent in any::<Option<bool>>(),
        size_bytes in select(vec![None, Some(20_000), Some(5_000_000), Some(5_000_001)]),
        kind in select(vec![LetterKind::Discharge, LetterKind::Outpatient, LetterKind::Unknown]),
    ) -> LetterFacts {
        let mut letter = LetterFacts::new(kind);
        letter.signed_off = signed_off;
        letter.gp_copy = gp_copy;
        letter.specialty = specialty.map(str::to_owned);
        letter.consent = consent;
        letter.size_bytes = size_bytes;
        letter.event_at = Some(NOW.parse().unwrap());
        letter
    }
}

prop_compose! {
    fn any_patient()(
        number in any_number(),
        status in select(vec![None, Some("01"), Some("02"), Some("04"), Some("07")]),
        practice in any_practice_text(),
        address in any::<bool>(),
    ) -> PatientFacts {
        let mut patient = PatientFacts::default();
        patient.nhs_number = number.map(Into::into);
        patient.number_status = status.map(str::to_owned);
        patient.family = Some(String::from("ASHWORTH").into());
        patient.birth_date = BirthDate::parse("1951-03-07").ok();
        patient.hospital_practice = practice;
        patient.practice_address_known = address;
        patient
    }
}

prop_compose! {
    fn any_person()(
        status in select(vec![200, 200, 200, 200, 404, 503, 0]),
        number in any_number(),
        same_number in prop::bool::weighted(0.8),
        security in select(vec!["U", "U", "U", "R", "V"]),
        practice in any_practice_text(),
        family in select(vec!["Ashworth", "Ashworth", "HOLDEN"]),
        born in select(vec!["1951-03-07", "1951-03-07", "1951-03-08"]),
        end in select(vec![None, Some("2026-11-18"), Some("2026-11-19")]),
    ) -> Demographics {
        let mut person = Demographics::default();
        person.status = status;
        person.nhs_number = if same_number { Some(String::from("4010232137").into()) } else { number.map(Into::into) };
        person.security = Some(security.to_owned());
        person.practice = practice;
        person.family = Some(String::from(family).into());
        person.birth_date = BirthDate::parse(born).ok();
        person.practice_end = end.map(|end| end.parse().unwrap());
        person
    }
}

prop_compose! {
    fn any_policy()(
        is_required in any::<bool>(),
        allow_synthetic in any::<bool>(),
        allow_secure_settings in any::<bool>(),
        mergers in prop::collection::vec((select(vec!["Y99910", "Y99911"]), select(vec!["Y99901", "Y99910", "Y99911", "Y99912", "Y98765"])), 0..3),
        workflows in 0..=WORKFLOWS.len(),
    ) -> Policy {
        let mut policy = Policy::default();
        policy.demographics = if is_required { DemographicsPolicy::Required } else { DemographicsPolicy::Source };
        policy.allow_synthetic = allow_synthetic;
        policy.allow_secure_settings = allow_secure_settings;
        policy.successors = mergers.into_iter().map(|(closed, successor)| Successor::new(code(closed), code(successor), "2025-10-01".parse().unwrap())).collect();
        policy.workflows = WORKFLOWS[..workflows].iter().map(|id| WorkflowChoice::new(WorkflowId::parse(id).unwrap(), "any")).collect();
        policy
    }
}

prop_compose! {
    fn any_case()(letter in any_letter(), patient in any_patient(), policy in any_policy()) -> Case {
        Case::new(NOW.parse().unwrap(), letter, patient, policy)
    }
}

/// What a world answers to every lookup; how many mailboxes each workflow has.
#[derive(Clone, Debug)]
struct World {
    person: Demographics,
    mailboxes: Vec<Option<usize>>,
}

prop_compose! {
    fn any_world()(person in any_person(), mailboxes in prop::collection::vec(prop_oneof![Just(None), (0_usize..4).prop_map(Some)], WORKFLOWS.len())) -> World {
        World { person, mailboxes }
    }
}

impl World {
    fn answer(&self, case: &mut Case, lookup: &Lookup) {
        match lookup {
            Lookup::Demographics => case.demographics = Some(self.person.clone()),
            Lookup::Mailbox { practice, workflow } => {
                let index = WORKFLOWS
                    .iter()
                    .position(|id| *id == workflow.as_str())
                    .unwrap();
                match self.mailboxes[index] {
                    None => case.mailboxes.failed(practice, workflow),
                    Some(count) => case
                        .mailboxes
                        .found(practice, workflow, mailboxes(count), None),
                }
            }
        }
    }

    /// Decides, answering what is asked, and gives the last decision with the lookups it took.
    fn decided(
        &self,
        mut case: Case,
        table: &PracticeTable,
    ) -> (gp_routing::Decision, Case, usize) {
        for lookups in 0..=LOOKUPS_MAX {
            let decision = decide(&case, table);
            match &decision.lookup {
                Some(lookup) => self.answer(&mut case, lookup),
                None => return (decision, case, lookups),
            }
        }
        panic!("more lookups than there are questions");
    }
}

fn mailboxes(count: usize) -> Vec<MailboxId> {
    (0..count)
        .map(|n| MailboxId::parse(&format!("GPMB{n}")).unwrap())
        .collect()
}

fn is_known_and_real(text: Option<&nhs_types::Sensitive<String>>) -> bool {
    text.is_some_and(|text| NhsNumber::parse(text.expose()).is_ok())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn every_case_ends_within_its_lookups_and_every_send_is_safe(case in any_case(), world in any_world()) {
        let table = sample();
        let (decision, case, _) = world.decided(case, &table);
        prop_assert_ne!(decision.outcome, Outcome::Need);
        prop_assert!(!decision.explanation.is_empty());
        prop_assert_eq!(decision.review_at.is_some(), decision.outcome == Outcome::Hold);
        if decision.outcome != Outcome::Send {
            prop_assert!(decision.mailbox.is_none() && decision.workflow.is_none());
            return Ok(());
        }
        prop_assert!(case.letter.signed_off, "R1");
        prop_assert!(case.letter.gp_copy != GpCopy::Declined, "R2");
        prop_assert!(case.letter.specialty.as_deref() != Some("360") || case.letter.consent == Some(true), "R2c");
        prop_assert!(is_known_and_real(case.patient.nhs_number.as_ref()), "R3, R4");
        let practice = table.practice(&decision.practice.unwrap().code).unwrap().clone();
        prop_assert!(matches!(practice.status(), PracticeStatus::Active | PracticeStatus::Dormant), "R12b, R12d");
        prop_assert!(decision.evidence.succeeded_from.iter().all(|closed| case.policy.successors.iter().any(|row| row.closed == *closed)));
        let index = WORKFLOWS.iter().position(|id| Some(*id) == decision.workflow.as_ref().map(WorkflowId::as_str)).unwrap();
        prop_assert_eq!(world.mailboxes[index], Some(1), "R14");
        prop_assert!(case.letter.size_bytes.unwrap_or_default() <= case.policy.receiver_limit_bytes, "R15");
        if case.policy.demographics == DemographicsPolicy::Required {
            prop_assert_eq!(world.person.status, 200);
            prop_assert_eq!(world.person.security.as_deref(), Some("U"), "R11");
            prop_assert_eq!(world.person.birth_date, case.patient.birth_date, "R10");
            prop_assert_eq!(world.person.family.unwrap().expose().to_uppercase(), "ASHWORTH", "R10");
            prop_assert!(world.person.practice_end != Some("2026-11-18".parse().unwrap()), "R11d");
        }
    }

    #[test]
    fn a_restricted_record_is_never_sent_even_where_the_source_decides(case in any_case(), world in any_world()) {
        let mut case = case;
        case.demographics = Some(world.person.clone());
        let (decision, _, _) = world.decided(case, &sample());
        if world.person.status == 200 && world.person.security.as_deref() != Some("U") {
            prop_assert_ne!(decision.outcome, Outcome::Send);
        }
    }

    #[test]
    fn the_same_inputs_give_the_same_bytes(case in any_case(), world in any_world()) {
        let table = sample();
        let (one, answered, _) = world.decided(case, &table);
        let two = decide(&answered, &table);
        prop_assert_eq!(serde_json::to_vec(&one).unwrap(), serde_json::to_vec(&two).unwrap());
        let all = decide_all(&answered, &table);
        prop_assert_eq!(&all[0], &one);
    }

    #[test]
    fn the_order_of_answers_does_not_matter(case in any_case(), order in Just(mailboxes(3)).prop_shuffle(), world in any_world()) {
        let table = sample();
        let answered = |mailboxes: &[MailboxId], workflows: &mut dyn Iterator<Item = &&str>| {
            let mut case = case.clone();
            case.demographics = Some(world.person.clone());
            for id in workflows {
                for practice in table.practices() {
                    let workflow = WorkflowId::parse(id).unwrap();
                    case.mailboxes.found(practice.code(), &workflow, mailboxes.to_vec(), None);
                }
            }
            decide(&case, &table)
        };
        for count in 0..=3 {
            let there = answered(&mailboxes(3)[..count], &mut WORKFLOWS.iter());
            let mut same = mailboxes(3)[..count].to_vec();
            same.sort_by_key(|id| order.iter().position(|other| other == id));
            let back = answered(&same, &mut WORKFLOWS.iter().rev());
            prop_assert_eq!(there, back);
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        if let Err(refusal) = PracticeTable::read(&bytes, &TableLimits::at_least(1)) {
            prop_assert!(!refusal.findings.is_empty());
        }
    }

    #[test]
    fn a_changed_table_is_never_read_as_a_shorter_one(at in any::<Index>(), cut in any::<Index>(), byte in any::<u8>()) {
        let bytes = SAMPLE_TABLE.as_bytes();
        let mut changed = bytes.to_vec();
        changed[at.index(bytes.len())] = byte;
        if let Ok(table) = PracticeTable::read(&changed, &TableLimits::at_least(22)) {
            prop_assert_eq!(table.len(), 22);
        }
        let cut = cut.index(bytes.len());
        let read = PracticeTable::read(&bytes[..cut], &TableLimits::at_least(22));
        prop_assert!(read.is_err());
    }
}
