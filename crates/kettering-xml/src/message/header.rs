use chrono::NaiveDateTime;

use crate::date;
use crate::names::{
    AGENT_IN_CONTEXT, AGENTS_DIRECTORY, ID_VALUE, MSG_ID, MSG_ISSUE_DATE, PARTIES, PARTY,
    RECIPIENT_KEY, SENDER_KEY, SERVICE_PROVIDER, SERVICE_REQUESTER,
};
use crate::rule::{Findings, S07};
use crate::schema::{AttributeSpec, Need, Spec};
use crate::{Dialect, Element};

/// How urgent a message is; `High` makes the practice's system flag the document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the format knows these two values")]
pub enum Urgency {
    /// `Normal`.
    #[default]
    Normal,
    /// `High`.
    High,
}

/// Whether a message is about a real letter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the format knows these two values")]
pub enum MessageStatus {
    /// `Live`.
    #[default]
    Live,
    /// `Test`.
    Test,
}

impl Urgency {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "Normal",
            Self::High => "High",
        }
    }
}

impl MessageStatus {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "Live",
            Self::Test => "Test",
        }
    }
}

/// The head of a message: ids, link codes, urgency (facts 2 and 3.1).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Header {
    /// `MsgId`: unique for each message, kept when the same bytes are sent again.
    pub msg_id: String,
    /// `MsgIssueDate`: when the message was prepared, as local UK time; written to the minute.
    pub issue_date: NaiveDateTime,
    /// `MsgSender`: the sender's link code, such as a mailbox or an ODS code.
    pub sender: String,
    /// `MsgRecipient`: the recipient's link code.
    pub recipient: String,
    /// `MsgUrgency`.
    pub urgency: Urgency,
    /// `MsgStatus`.
    pub status: MessageStatus,
}

impl Header {
    /// A live message of normal urgency.
    pub fn new(msg_id: &str, issue_date: NaiveDateTime, sender: &str, recipient: &str) -> Self {
        Self {
            msg_id: msg_id.to_owned(),
            issue_date,
            sender: sender.to_owned(),
            recipient: recipient.to_owned(),
            urgency: Urgency::Normal,
            status: MessageStatus::Live,
        }
    }

    pub(crate) fn compose(&self, root: Element) -> Element {
        let key = |name, key| Element::new(name).child(Element::leaf(ID_VALUE, key));
        root.with(MSG_STATUS, self.status.as_str())
            .with(MSG_URGENCY, self.urgency.as_str())
            .with(MSG_RCPT_ACK_REQUEST, "Always")
            .child(Element::leaf(MSG_ID, &self.msg_id))
            .child(Element::leaf(
                MSG_ISSUE_DATE,
                &date::minute(self.issue_date),
            ))
            .child(Element::leaf(MSG_SENDER, &self.sender))
            .child(Element::leaf(MSG_RECIPIENT, &self.recipient))
            .child(key(SERVICE_REQUESTER, RECIPIENT_KEY))
            .child(key(SERVICE_PROVIDER, SENDER_KEY))
    }

    pub(crate) fn read(root: &Element) -> Option<Self> {
        let issued = date::read(root.text_at(MSG_ISSUE_DATE)?)?;
        let mut header = Self::new(
            root.text_at(MSG_ID)?,
            issued.to_minute(),
            root.text_at(MSG_SENDER)?,
            root.text_at(MSG_RECIPIENT)?,
        );
        if root.attribute(MSG_URGENCY) == Some(Urgency::High.as_str()) {
            header.urgency = Urgency::High;
        }
        if root.attribute(MSG_STATUS) == Some(MessageStatus::Test.as_str()) {
            header.status = MessageStatus::Test;
        }
        Some(header)
    }
}

const MSG_STATUS: &str = "MsgStatus";
const MSG_URGENCY: &str = "MsgUrgency";
const MSG_RCPT_ACK_REQUEST: &str = "MsgRcptAckRequest";
const MSG_SENDER: &str = "MsgSender";
const MSG_RECIPIENT: &str = "MsgRecipient";

pub(crate) const ATTRIBUTES: &[AttributeSpec] = &[
    AttributeSpec {
        name: MSG_STATUS,
        need: Need::Dtd,
        values: &["Live", "Test"],
    },
    AttributeSpec {
        name: MSG_URGENCY,
        need: Need::Dtd,
        values: &["Normal", "High"],
    },
    AttributeSpec {
        name: MSG_RCPT_ACK_REQUEST,
        need: Need::Dtd,
        values: &["Always"],
    },
];

pub(crate) const MSG_ID_SPEC: Spec = Spec::vital(MSG_ID);
pub(crate) const ISSUE_DATE_SPEC: Spec = Spec::required(MSG_ISSUE_DATE);
pub(crate) const SENDER_SPEC: Spec = Spec::required(MSG_SENDER);
pub(crate) const RECIPIENT_SPEC: Spec = Spec::required(MSG_RECIPIENT);
pub(crate) const REQUESTER_SPEC: Spec = Spec::required(SERVICE_REQUESTER).of(KEY);
pub(crate) const PROVIDER_SPEC: Spec = Spec::required(SERVICE_PROVIDER).of(KEY);
const KEY: &[Spec] = &[Spec::required(ID_VALUE)];

/// `K-V02`, `K-V03` of the issue date; `K-S07`.
pub(crate) fn check(root: &Element, dialect: Dialect, findings: &mut Findings<'_>) {
    date::check_at(root, MSG_ISSUE_DATE, findings);
    let known: Vec<&str> = if dialect == Dialect::Classic {
        let agents = root.find_all(&format!("{AGENTS_DIRECTORY}/{AGENT_IN_CONTEXT}/{ID_VALUE}"));
        agents.iter().map(|agent| agent.text()).collect()
    } else {
        let parties = root.find_all(&format!("{PARTIES}/{PARTY}"));
        let keys = parties
            .iter()
            .filter_map(|party| party.attribute("AgentId"));
        keys.map(str::trim).collect()
    };
    let requester = root.text_at("ServiceRequester/IdValue");
    let provider = root.text_at("ServiceProvider/IdValue");
    for (name, key) in [(SERVICE_REQUESTER, requester), (SERVICE_PROVIDER, provider)] {
        if key.is_some_and(|key| !known.contains(&key)) {
            findings.add(S07, name, "points at no party of the message");
        }
    }
    if requester.is_some() && requester == provider {
        findings.add(
            S07,
            SERVICE_PROVIDER,
            "requester and provider are the same party",
        );
    }
}
