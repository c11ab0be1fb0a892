//! The demo's stage: a folder, a configuration in it, and a MESH with practices.

use std::fs;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use gp_routing::SAMPLE_TABLE;
use mesh_testserver::{Fault, FaultAction, Mailbox, TestServer};
use nhs_types::{MailboxId, OdsCode, WorkflowId};
use tempfile::TempDir;

use super::samples::{By, SAMPLES};
use crate::commands::{import, init};
use crate::config::{Config, TrustSection};
use crate::exit::Exit;
use crate::platform;

/// The trust's mailbox, and its password.
const TRUST: (&str, &str) = ("RXXOT001", "demo trust password");
/// Mailbox, practice and name of each practice that takes letters over MESH.
const PRACTICES: [(&str, &str, &str); 3] = [
    ("Y99901GP1", "Y99901", "Hawthorn Medical Centre"),
    ("Y99902GP1", "Y99902", "The Bridge Surgery"),
    ("Y99903GP1", "Y99903", "St Oswald's Practice"),
];
const WORKFLOW: &str = "TOC_OUTP_ATT_DMS";
const SHARED_KEY: &str = "demo shared key";

pub(super) struct Stage {
    pub(super) config: Config,
    folder: PathBuf,
    server: TestServer,
    temporary: Option<TempDir>,
}

impl Stage {
    /// Sets everything up in a temporary folder, or in one that stays.
    pub(super) async fn set(keep: Option<PathBuf>) -> Result<Self, Exit> {
        let temporary = match keep {
            Some(_) => None,
            None => Some(TempDir::with_prefix("letterbox-demo-")?),
        };
        let folder = match (&keep, &temporary) {
            (Some(keep), _) => {
                fs::create_dir_all(keep)?;
                fs::canonicalize(keep)?
            }
            (None, Some(temporary)) => temporary.path().to_owned(),
            (None, None) => PathBuf::from("."),
        };
        let server = start_mesh().await?;
        let path = init(&folder, Some(&configuration(&server.url())))?;
        write_secrets(&folder, &server)?;
        let config = Config::read(&path)?;
        let table = folder.join("sample-practices.csv");
        fs::write(&table, SAMPLE_TABLE)?;
        import(&config, &table).await?;
        Ok(Self {
            config,
            folder,
            server,
            temporary,
        })
    }

    pub(super) fn trust(&self) -> Result<&TrustSection, Exit> {
        self.config.one_trust(None)
    }

    pub(super) fn kept(&self) -> Option<&Path> {
        self.temporary.is_none().then_some(self.folder.as_path())
    }

    /// Puts documents into the folder; gives their number, and the messages for MLLP.
    pub(super) fn hand_over(&self) -> Result<(usize, Vec<&'static [u8]>), Exit> {
        let mut count = 0;
        for sample in SAMPLES.iter().filter(|sample| sample.by == By::Folder) {
            fs::write(self.folder.join("in").join(sample.name), sample.bytes)?;
            count += 1;
        }
        let messages = SAMPLES.iter().filter(|sample| sample.by == By::Mllp);
        Ok((count, messages.map(|sample| sample.bytes).collect()))
    }

    /// The next send takes effect, and its answer never arrives.
    pub(super) fn lose_one_answer(&self) {
        self.server
            .fault(Fault::new("POST", "*/outbox", FaultAction::DropAfter));
    }

    /// What each practice's system does: take everything, and acknowledge it.
    pub(super) fn collect(&self) -> Vec<String> {
        let practices = PRACTICES.iter().filter_map(|(mailbox, _, name)| {
            let mailbox = MailboxId::parse(mailbox).ok()?;
            let count = self.server.collect(&mailbox).len();
            Some(format!("{name} {count}"))
        });
        practices.collect()
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        DateTime::from(std::time::SystemTime::now())
    }

    /// A run asks only about what was accepted before it began.
    pub(super) async fn a_moment_later(&self) {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }

    pub(super) async fn close(self) -> Result<(), Exit> {
        self.server.shutdown().await;
        match self.temporary {
            Some(temporary) => temporary.close().map_err(Exit::from),
            None => Ok(()),
        }
    }
}

async fn start_mesh() -> Result<TestServer, Exit> {
    let wrong = |error: &dyn std::fmt::Display| Exit::Unavailable(error.to_string());
    let workflow = WorkflowId::parse(WORKFLOW).map_err(|error| wrong(&error))?;
    let trust = MailboxId::parse(TRUST.0).map_err(|error| wrong(&error))?;
    let mut builder = TestServer::builder()
        .shared_key(SHARED_KEY)
        .mailbox(Mailbox::new(trust, TRUST.1));
    for (mailbox, practice, name) in PRACTICES {
        let id = MailboxId::parse(mailbox).map_err(|error| wrong(&error))?;
        let code = OdsCode::parse(practice).map_err(|error| wrong(&error))?;
        let mailbox = Mailbox::new(id, "demo practice password").organisation(code);
        builder = builder.mailbox(mailbox.name(name).receives(workflow.clone()));
    }
    builder.start().await.map_err(|error| wrong(&error))
}

fn write_secrets(folder: &Path, server: &TestServer) -> Result<(), Exit> {
    let certificates = server.certificates();
    fs::write(folder.join("tls/mesh-ca.pem"), &certificates.ca)?;
    fs::write(
        folder.join("tls/client.pem"),
        &certificates.client.certificate,
    )?;
    platform::write_secret(&folder.join("tls/client.key"), &certificates.client.key)?;
    platform::write_secret(&folder.join("secrets/mesh-shared-key"), SHARED_KEY)?;
    platform::write_secret(&folder.join("secrets/mailbox-password"), TRUST.1)?;
    Ok(())
}

fn configuration(url: &str) -> String {
    let (mailbox, workflow) = (TRUST.0, WORKFLOW);
    format!(
        r#"# Written by `letterbox demo`. Its MESH ended with it; status, worklist and audit still work.
data = "data"

[mesh]
url = "{url}"
ca = "tls/mesh-ca.pem"
certificate = "tls/client.pem"
key = "tls/client.key"
shared_key_file = "secrets/mesh-shared-key"

[practices]
minimum_rows = 5

[[trust]]
code = "RXX"
name = "Northmoor University Hospitals NHS Trust"
key_file = "secrets/trust.key"
mailbox = "{mailbox}"
password_file = "secrets/mailbox-password"

[[trust.folder]]
source = "epr"
inbox = "in"
taken = "taken"
refused = "refused"
still_for_seconds = 0

[trust.routing]
demographics = "source"
allow_synthetic = true
workflows = [{{ workflow = "{workflow}", format = "emis" }}]

[trust.delivery]
# MESH is asked at once about a lost answer, since nobody wants to watch a minute pass.
ask_after_seconds = 0
ask_again_seconds = 0
"#
    )
}
