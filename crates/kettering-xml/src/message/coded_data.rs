//! `CodedData`: Read codes that the practice may add to its record (facts 3.4). Read, checked
//! and kept; not built.

use crate::Element;
use crate::rule::{Findings, V10};
use crate::schema::{AttributeSpec, Need, Spec};

pub(crate) const SPEC: Spec = Spec::optional("CodedData").of(&[Spec::optional("ClinicalCode")
    .repeating()
    .with(&[
        AttributeSpec {
            name: "Type",
            need: Need::Required,
            values: &["Read"],
        },
        AttributeSpec {
            name: "Schema",
            need: Need::Required,
            values: &["2"],
        },
    ])
    .of(&[
        Spec::optional("TermID").at_most(10),
        Spec::optional(TERM_30),
        Spec::optional(TERM_60).at_most(60),
        Spec::required("CodeName").at_most(10),
        Spec::optional("Value1").at_most(10),
        Spec::optional("Unit1").at_most(10),
    ])]);

const TERM_30: &str = "Term30";
const TERM_60: &str = "Term60";

/// `K-V10`: one term, and the short one within its 30 characters.
pub(crate) fn check(root: &Element, findings: &mut Findings<'_>) {
    for code in root.find_all("CodedData/ClinicalCode") {
        let place = "CodedData/ClinicalCode";
        let short = code.text_at(TERM_30);
        if short.is_some() == code.text_at(TERM_60).is_some() {
            findings.add(
                V10,
                place,
                "exactly one of Term30 and Term60 is to be given",
            );
        } else if short.is_some_and(|term| term.chars().count() > 30) {
            findings.add(V10, place, "Term30 has more than 30 characters");
        }
    }
}
