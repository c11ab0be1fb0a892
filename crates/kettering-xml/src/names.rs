//! Names of the format that stand in more than one place, and its fixed values.

pub(crate) const REPORT_MSG: &str = "ReportMsg";
pub(crate) const MSG_ID: &str = "MsgId";
pub(crate) const MSG_ISSUE_DATE: &str = "MsgIssueDate";
pub(crate) const SERVICE_REQUESTER: &str = "ServiceRequester";
pub(crate) const SERVICE_PROVIDER: &str = "ServiceProvider";
pub(crate) const ID_TYPE: &str = "IdType";
pub(crate) const ID_VALUE: &str = "IdValue";
pub(crate) const PARTIES: &str = "Parties";
pub(crate) const PARTY: &str = "Party";
pub(crate) const AGENT_ID: &str = "AgentId";
pub(crate) const AGENTS_DIRECTORY: &str = "AgentsDirectory";
pub(crate) const AGENT_IN_CONTEXT: &str = "AgentInContext";
pub(crate) const CLINICAL_REPORT: &str = "ClinicalReport";
pub(crate) const TEXT_ITEM: &str = "TextItem";
pub(crate) const TEXT_BLOCK: &str = "TextBlock";

/// The dummy that means "no NHS number" to EDT (facts, section 6).
pub(crate) const NO_NHS_NUMBER: &str = "9999999999";
/// `TextMarkupIndicator`, whatever the payload is (facts 4.3).
pub(crate) const MARKUP: &str = "-//IETF//DTD HTML//EN";
/// The local key of the receiving party, and of the sending one.
pub(crate) const RECIPIENT_KEY: &str = "1";
pub(crate) const SENDER_KEY: &str = "2";
