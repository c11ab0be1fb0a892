//! The blocks that only the CLASSIC dialect has (facts 3.3). Read, checked and kept; not built.

use super::parties::{check_gmp_code, check_ods};
use crate::names::{AGENT_ID, AGENT_IN_CONTEXT, AGENTS_DIRECTORY, ID_TYPE, ID_VALUE};
use crate::rule::{Findings, V07, V15};
use crate::schema::{AttributeSpec, Need, Spec};
use crate::{Element, date};

/// What Vision decides the kind of document by; a closed list (facts 4.1).
const SERVICE_EVENT_TYPES: [&str; 17] = [
    "IP", "DC", "DH", "WR", "FF", "SF", "FV", "SV", "MV", "DI", "VO", "VP", "UN", "NC", "RC", "TR",
    "AE",
];

const AGENT: &[Spec] = &[Spec::required(ID_TYPE), Spec::required(ID_VALUE)];
const CODE: &[Spec] = &[Spec::required("Code")];

pub(crate) const AGENTS_SPEC: Spec =
    Spec::required(AGENTS_DIRECTORY).of(&[Spec::required(AGENT_IN_CONTEXT).repeating().of(&[
        Spec::required(ID_VALUE),
        Spec::optional(AGENT_ID).of(AGENT),
        Spec::required("AgentRel").of(&[
            Spec::required("AgentRelType"),
            Spec::required(AGENT_ID).of(AGENT),
        ]),
    ])]);

pub(crate) const MSG_REF_SPEC: Spec = Spec::optional("MsgRef").of(&[
    Spec::optional("MsgIdRef"),
    Spec::optional("MsgIssueDate"),
    Spec::optional("MsgSenderRef"),
]);

pub(crate) const REPORTED_SERVICE_SPEC: Spec = Spec::required("ReportedService").of(&[
    Spec::optional("ReferralNumber"),
    Spec::optional("PaymentCategory"),
    Spec::optional("ServiceReportStatus"),
    Spec::required("ReportedEventItem").of(&[
        Spec::optional("Cuid").with(&[AttributeSpec {
            name: "IdScope",
            need: Need::Optional,
            values: &["Message"],
        }]),
        Spec::optional("RelDate").repeating().of(&[
            Spec::required("Date"),
            Spec::required("RelDateRole").of(CODE),
        ]),
        Spec::required("ServiceEventType"),
        Spec::optional("AdministrativeOutcome").of(CODE),
    ]),
]);

pub(crate) const ADMIN_INFO_SPEC: Spec =
    Spec::optional("PatientAdminInfo").of(&[Spec::optional("RelAgent").repeating().of(&[
        Spec::optional("RelAgentRole").of(CODE),
        Spec::optional(ID_VALUE),
    ])]);

/// `K-V02`, `K-V07`, `K-V13`, `K-V14`, `K-V15`.
pub(crate) fn check(root: &Element, findings: &mut Findings<'_>) {
    for agent in root.find_all("AgentsDirectory/AgentInContext") {
        check_agent(agent, findings);
    }
    for date in root.find_all("ReportedService/ReportedEventItem/RelDate/Date") {
        date::check(
            date.text(),
            "ReportedService/ReportedEventItem/RelDate/Date",
            findings,
        );
    }
    let place = "ReportedService/ReportedEventItem/ServiceEventType";
    let kind = root.text_at(place);
    if kind.is_some_and(|kind| !SERVICE_EVENT_TYPES.contains(&kind)) {
        findings.add(V15, place, "none of the 17 service event types");
    }
}

fn check_agent(agent: &Element, findings: &mut Findings<'_>) {
    let place = "AgentsDirectory/AgentInContext";
    if let Some(person) = agent.find(AGENT_ID) {
        match person.text_at(ID_TYPE) {
            Some("GP") => {
                check_gmp_code(
                    person.text_at(ID_VALUE).unwrap_or_default(),
                    place,
                    findings,
                );
            }
            Some("Specialist") | None => {}
            Some(_) => findings.add(V07, place, "IdType: expected exactly GP or Specialist"),
        }
    }
    let Some(organisation) = agent.find("AgentRel/AgentId") else {
        return;
    };
    let kind = organisation.text_at(ID_TYPE);
    if kind.is_some_and(|kind| !["PRA", "Practice", "Provider"].contains(&kind)) {
        findings.add(V07, place, "IdType: expected exactly PRA or Provider");
    }
    check_ods(organisation.text_at(ID_VALUE), place, findings);
}
