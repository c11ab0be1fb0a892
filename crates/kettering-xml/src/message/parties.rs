use std::fmt;

use nhs_types::OdsCode;

use crate::Element;
use crate::names::{AGENT_ID, ID_TYPE, PARTIES, PARTY, RECIPIENT_KEY, SENDER_KEY};
use crate::rule::{Findings, S02, V07, V08, V13, V14, V17, V18};
use crate::schema::{AttributeSpec, Need, Spec, report_missing};

/// The practice the letter is for: `Party` 1 (facts 3.4). `Debug` does not name the GP.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecipientParty {
    /// `HcpCode`: the GMP code of the GP, `G` and 7 digits.
    pub gp_code: Option<String>,
    /// `HcpName`: the GP's name.
    pub gp_name: Option<String>,
    /// `OrgCode`: the practice.
    pub practice: OdsCode,
    /// `OrgName`: the practice's name.
    pub practice_name: Option<String>,
}

/// The trust the letter is from: `Party` 2 (facts 3.4).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SenderParty {
    /// Who wrote the letter; the consultant unless `boss` is given.
    pub clinician: Option<Clinician>,
    /// The responsible consultant, when a junior wrote the letter.
    pub boss: Option<Clinician>,
    /// `DepartmentCode`.
    pub department_code: Option<String>,
    /// `DepartmentName`: practices file by it.
    pub department: String,
    /// `OrgCode`: the trust.
    pub org: OdsCode,
    /// `OrgName`: the trust's name.
    pub org_name: String,
}

/// A clinician of the sender. `Debug` does not name them.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Clinician {
    /// A consultant code, or a local code of a junior.
    pub code: Option<String>,
    /// The name as it is shown.
    pub name: String,
}

impl RecipientParty {
    /// A practice of which the code is known.
    pub const fn new(practice: OdsCode) -> Self {
        Self {
            gp_code: None,
            gp_name: None,
            practice,
            practice_name: None,
        }
    }

    pub(crate) fn compose(&self) -> Element {
        Element::new(PARTY)
            .with(AGENT_ID, RECIPIENT_KEY)
            .maybe(coded(HCP_CODE, GP, self.gp_code.as_deref()))
            .maybe(named(HCP_NAME, self.gp_name.as_deref()))
            .maybe(coded(ORG_CODE, "PRA", Some(self.practice.as_str())))
            .maybe(named(ORG_NAME, self.practice_name.as_deref()))
    }

    pub(crate) fn read(party: &Element) -> Option<Self> {
        let owned = |name| party.text_at(name).map(str::to_owned);
        Some(Self {
            gp_code: owned(HCP_CODE),
            gp_name: owned(HCP_NAME),
            practice: OdsCode::parse(party.text_at(ORG_CODE)?).ok()?,
            practice_name: owned(ORG_NAME),
        })
    }
}

impl SenderParty {
    /// A trust's department; a clinician is to be named too (`K-V17`).
    pub fn new(department: &str, org: OdsCode, org_name: &str) -> Self {
        Self {
            clinician: None,
            boss: None,
            department_code: None,
            department: department.to_owned(),
            org,
            org_name: org_name.to_owned(),
        }
    }

    pub(crate) fn compose(&self) -> Element {
        let kind = if self.boss.is_some() {
            INTERNAL
        } else {
            SPECIALIST
        };
        let (clinician, boss) = (self.clinician.as_ref(), self.boss.as_ref());
        let code = |person: Option<&Clinician>| person.and_then(|p| p.code.clone());
        let name = |person: Option<&Clinician>| person.map(|p| p.name.clone());
        Element::new(PARTY)
            .with(AGENT_ID, SENDER_KEY)
            .maybe(coded(HCP_CODE, kind, code(clinician).as_deref()))
            .maybe(named(HCP_NAME, name(clinician).as_deref()))
            .maybe(coded(BOSS_CODE, SPECIALIST, code(boss).as_deref()))
            .maybe(named(BOSS_NAME, name(boss).as_deref()))
            .maybe(coded(
                DEPARTMENT_CODE,
                INTERNAL,
                self.department_code.as_deref(),
            ))
            .maybe(named(DEPARTMENT_NAME, Some(&self.department)))
            .maybe(coded(ORG_CODE, PROVIDER, Some(self.org.as_str())))
            .maybe(named(ORG_NAME, Some(&self.org_name)))
    }

    pub(crate) fn read(party: &Element) -> Option<Self> {
        let person = |code, name| {
            let mut person = Clinician::new(party.text_at(name)?);
            person.code = party.text_at(code).map(str::to_owned);
            Some(person)
        };
        Some(Self {
            clinician: person(HCP_CODE, HCP_NAME),
            boss: person(BOSS_CODE, BOSS_NAME),
            department_code: party.text_at(DEPARTMENT_CODE).map(str::to_owned),
            department: party.text_at(DEPARTMENT_NAME)?.to_owned(),
            org: OdsCode::parse(party.text_at(ORG_CODE)?).ok()?,
            org_name: party.text_at(ORG_NAME)?.to_owned(),
        })
    }
}

impl Clinician {
    /// A clinician whose name is known.
    pub fn new(name: &str) -> Self {
        Self {
            code: None,
            name: name.to_owned(),
        }
    }
}

impl fmt::Debug for RecipientParty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecipientParty")
            .field("practice", &self.practice)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Clinician {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clinician([redacted])")
    }
}

fn named(name: &str, text: Option<&str>) -> Option<Element> {
    let text = text.filter(|text| !text.trim().is_empty());
    text.map(|text| Element::leaf(name, text))
}

fn coded(name: &str, kind: &str, text: Option<&str>) -> Option<Element> {
    named(name, text).map(|element| element.with(ID_TYPE, kind))
}

const HCP_CODE: &str = "HcpCode";
const HCP_NAME: &str = "HcpName";
const BOSS_CODE: &str = "BossCode";
const BOSS_NAME: &str = "BossName";
const DEPARTMENT_CODE: &str = "DepartmentCode";
const DEPARTMENT_NAME: &str = "DepartmentName";
const ORG_CODE: &str = "OrgCode";
const ORG_NAME: &str = "OrgName";
const GP: &str = "GP";
const SPECIALIST: &str = "Specialist";
const INTERNAL: &str = "Internal";
const PROVIDER: &str = "Provider";

const TYPED: &[AttributeSpec] = &[AttributeSpec {
    name: ID_TYPE,
    need: Need::Required,
    values: &[],
}];

pub(crate) const SPEC: Spec = Spec::required(PARTIES).of(&[Spec::required(PARTY)
    .repeating()
    .with(&[AttributeSpec {
        name: AGENT_ID,
        need: Need::Required,
        values: &[],
    }])
    .of(&[
        Spec::optional(HCP_CODE).with(TYPED),
        Spec::optional(HCP_NAME).at_most(255),
        Spec::optional(BOSS_CODE).with(TYPED),
        Spec::optional(BOSS_NAME).at_most(255),
        Spec::optional(DEPARTMENT_CODE).with(TYPED),
        Spec::optional(DEPARTMENT_NAME).at_most(255),
        Spec::required(ORG_CODE).at_most(10).with(TYPED),
        Spec::optional(ORG_NAME).at_most(255),
        Spec::optional("LogicalAddress"),
    ])]);

/// The party that `ServiceRequester` points at, or the one with the conventional key.
pub(crate) fn recipient_of(root: &Element) -> Option<&Element> {
    party(
        root,
        root.text_at("ServiceRequester/IdValue"),
        RECIPIENT_KEY,
    )
}

/// The party that `ServiceProvider` points at, or the one with the conventional key.
pub(crate) fn sender_of(root: &Element) -> Option<&Element> {
    let key = root.text_at("ServiceProvider/IdValue");
    // One party in both parts is a fault of its own (K-S07).
    let key = key.filter(|key| root.text_at("ServiceRequester/IdValue") != Some(key));
    party(root, key, SENDER_KEY)
}

fn party<'a>(root: &'a Element, key: Option<&str>, convention: &str) -> Option<&'a Element> {
    let parties = root.find(PARTIES)?.children();
    let with = |key: &str| {
        let mut same = parties.iter().filter(|party| party.name() == PARTY);
        same.find(|party| party.attribute(AGENT_ID).map(str::trim) == Some(key))
    };
    key.and_then(with).or_else(|| with(convention))
}

/// `K-V07`, `K-V13`, `K-V14` of both parties; `K-V17`, `K-V18` and names of the sender.
pub(crate) fn check(root: &Element, findings: &mut Findings<'_>) {
    if let Some(recipient) = recipient_of(root) {
        let place = "Parties/Party[1]";
        check_id_types(
            recipient,
            &[(HCP_CODE, &[GP]), (ORG_CODE, &["PRA", "Practice"])],
            place,
            findings,
        );
        check_gmp(recipient, place, findings);
        if recipient.text_at(HCP_NAME).is_none() {
            let message = "HcpName of the recipient is missing".to_owned();
            report_missing(Need::Dtd, place, message, findings);
        }
        check_ods(recipient.text_at(ORG_CODE), place, findings);
    }
    let Some(sender) = sender_of(root) else {
        return;
    };
    let place = "Parties/Party[2]";
    check_id_types(
        sender,
        &[
            (HCP_CODE, &[SPECIALIST, INTERNAL]),
            (BOSS_CODE, &[SPECIALIST]),
            (DEPARTMENT_CODE, &[INTERNAL]),
            (ORG_CODE, &[PROVIDER]),
        ],
        place,
        findings,
    );
    check_ods(sender.text_at(ORG_CODE), place, findings);
    if sender
        .text_at(HCP_NAME)
        .or_else(|| sender.text_at(BOSS_NAME))
        .is_none()
    {
        findings.add(V17, place, "neither HcpName nor BossName of the sender");
    }
    if sender.text_at(DEPARTMENT_NAME).is_none() {
        findings.add(V18, place, "DepartmentName of the sender is missing");
    }
    if sender.text_at(ORG_NAME).is_none() {
        findings.add(S02, place, "OrgName of the sender is missing");
    }
}

fn check_id_types(
    party: &Element,
    known: &[(&str, &[&str])],
    place: &str,
    findings: &mut Findings<'_>,
) {
    for (name, kinds) in known {
        let kind = party.find(name).and_then(|code| code.attribute(ID_TYPE));
        if kind.is_some_and(|kind| !kinds.contains(&kind)) {
            let message = format!("IdType of {name}: expected exactly {}", kinds.join(" or "));
            findings.add(V07, place, message);
        }
    }
}

fn check_gmp(party: &Element, place: &str, findings: &mut Findings<'_>) {
    let code = party
        .find(HCP_CODE)
        .filter(|code| code.attribute(ID_TYPE) == Some(GP));
    if let Some(code) = code {
        check_gmp_code(code.text(), place, findings);
    }
    let chars = party
        .text_at(HCP_CODE)
        .map_or(0, |code| code.chars().count());
    if chars > RECIPIENT_CODE_MAX {
        let message = format!("HcpCode: {chars} characters, at most {RECIPIENT_CODE_MAX}");
        findings.add(V08, place, message);
    }
}

/// Only the recipient's code is bounded (facts 3.4).
const RECIPIENT_CODE_MAX: usize = 15;

/// `K-V14`: `G` and 7 digits.
pub(crate) fn check_gmp_code(code: &str, place: &str, findings: &mut Findings<'_>) {
    let digits = code.strip_prefix('G').unwrap_or_default();
    if digits.len() != 7 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        findings.add(V14, place, "a GMP code is G and 7 digits");
    }
}

/// `K-V13`: 3 to 10 capital letters and digits.
pub(crate) fn check_ods(code: Option<&str>, place: &str, findings: &mut Findings<'_>) {
    let shaped = |code: &str| {
        (3..=10).contains(&code.len())
            && code
                .bytes()
                .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
    };
    if code.is_some_and(|code| !shaped(code)) {
        findings.add(
            V13,
            place,
            "an ODS code is 3 to 10 capital letters and digits",
        );
    }
}
