use std::io;

use nhs_types::{MailboxId, OdsCode, WorkflowId};

use crate::state::State;
use crate::{Mailbox, TestServer};

/// Sets up a [`TestServer`].
#[derive(Debug)]
pub struct Builder {
    state: State,
    server_names: Vec<String>,
}

/// Id, password, organisation, name, workflows that it receives: the mailboxes of our peer, the
/// official sandbox, so that one test may run against both.
const SAMPLE: [(&str, &str, &str, &str, &[&str]); 10] = [
    (
        "X26ABC1",
        "password",
        "X26",
        "Sandbox mailbox 1",
        &["TEST_WORKFLOW_ACK"],
    ),
    (
        "X26ABC2",
        "password",
        "X26",
        "Sandbox mailbox 2",
        &["TEST_WORKFLOW"],
    ),
    (
        "X26ABC3",
        "password",
        "X27",
        "Sandbox mailbox 3",
        &["TEST_WORKFLOW_ACK"],
    ),
    (
        "RT9OT001",
        "trust:pass word&1",
        "RT9",
        "Test Trust correspondence",
        &["TOC_FHIR_IP_DISCH_ACK"],
    ),
    (
        "RT9OT002",
        "cancer-pw",
        "RT9",
        "Test Trust cancer",
        &["LOCAL_ENF_TEST_ACK"],
    ),
    (
        "RT8OT001",
        "other-pw",
        "RT8",
        "Other Trust cancer",
        &["LOCAL_ENF_TEST"],
    ),
    ("YGM24GP1", "gp-pw-1", "A99991", "Practice one", PRACTICE),
    ("YGM24GP2", "gp-pw-2", "A99992", "Practice two", PRACTICE),
    (
        "YGM24GP3",
        "gp-pw-3",
        "A99992",
        "Practice two branch",
        &["TOC_FHIR_OP_ATTEN"],
    ),
    (
        "ZZSINK",
        "sink",
        "X26",
        "Messages that could not be routed",
        &[],
    ),
];

const PRACTICE: &[&str] = &[
    "TOC_FHIR_IP_DISCH",
    "TOC_FHIR_OP_ATTEN",
    "TOC_OUTP_ATT_DMS",
    "TOC_DISCH_DMS",
];

impl Builder {
    pub(crate) fn new() -> Self {
        let state = State {
            shared_key: b"TestKey".to_vec(),
            ..State::default()
        };
        Self {
            state,
            server_names: vec!["localhost".to_owned(), "127.0.0.1".to_owned()],
        }
    }

    /// Sets the shared key, `TestKey` by default.
    #[must_use]
    pub fn shared_key(mut self, key: impl Into<Vec<u8>>) -> Self {
        self.state.shared_key = key.into();
        self
    }

    /// Adds a mailbox.
    #[must_use]
    pub fn mailbox(mut self, mailbox: Mailbox) -> Self {
        self.state.store.add(mailbox);
        self
    }

    /// Adds two trusts, two practices and some general mailboxes, as our sandbox peer has them:
    /// `RT9OT001` sends, `YGM24GP1` is the one mailbox of practice `A99991`, practice `A99992`
    /// has two.
    #[must_use]
    pub fn sample_mailboxes(mut self) -> Self {
        for (id, password, organisation, name, workflows) in SAMPLE {
            let Ok(id) = MailboxId::parse(id) else {
                continue;
            };
            let mut mailbox = Mailbox::new(id, password).name(name);
            if let Ok(code) = OdsCode::parse(organisation) {
                mailbox = mailbox.organisation(code);
            }
            for workflow in workflows.iter().filter_map(|id| WorkflowId::parse(id).ok()) {
                mailbox = mailbox.receives(workflow);
            }
            self = self.mailbox(mailbox);
        }
        self
    }

    /// Refuses messages whose workflow the recipient does not receive (417, code 17), as the
    /// real service does and the official sandbox does not.
    #[must_use]
    pub fn check_workflows(mut self) -> Self {
        self.state.checks_workflows = true;
        self
    }

    /// Sets the host names in the server's certificate, `localhost` and `127.0.0.1` by default.
    #[must_use]
    pub fn server_names(mut self, names: &[&str]) -> Self {
        self.server_names = names.iter().map(|name| (*name).to_owned()).collect();
        self
    }

    /// Starts the server.
    ///
    /// # Errors
    ///
    /// When no port is free or certificates cannot be made.
    pub async fn start(self) -> io::Result<TestServer> {
        TestServer::run(self.state, &self.server_names).await
    }
}
