//! `ReportingInformation`: flags for the practice (facts 3.4). Read, checked and kept; not built.

use crate::schema::Spec;

pub(crate) const SPEC: Spec = Spec::optional("ReportingInformation").of(&[
    Spec::optional("ReportingReason").one_of(&["FU", "NEW", "New"]),
    Spec::optional("ReportingReferenceNumber").at_most(255),
    Spec::optional("ActionRequested").one_of(&["Y", "N"]),
    Spec::optional("MedicationChanged").one_of(&["Y", "N"]),
]);
