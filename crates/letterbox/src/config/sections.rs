use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clinical_letter::ReadOptions;
use gp_routing::{DemographicsPolicy, Policy as Routing};
use letter_delivery::{Ambiguous, ClosesOn, Lane, Policy as Delivery};
use letter_gateway::{SpaceLimits, Trust};
use nhs_types::{MailboxId, OdsCode};
use serde::Deserialize;

use super::{FeedSection, HttpSection, InboundSection, LedgerSection};

/// `[mesh]`: the service, and the certificate that opens it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MeshSection {
    /// The service's address.
    pub(crate) url: String,
    /// Certificates that the service's own must lead to.
    pub(crate) ca: PathBuf,
    /// Our certificate, with those that sign it.
    pub(crate) certificate: PathBuf,
    /// Its key.
    pub(crate) key: PathBuf,
    /// The shared key of the environment, in a file.
    pub(crate) shared_key_file: PathBuf,
    /// How long to wait for a connection.
    #[serde(default = "connect_timeout_seconds")]
    pub(crate) connect_timeout_seconds: u64,
    /// How long to wait between bytes of an answer.
    #[serde(default = "read_timeout_seconds")]
    pub(crate) read_timeout_seconds: u64,
}

const fn connect_timeout_seconds() -> u64 {
    5
}

const fn read_timeout_seconds() -> u64 {
    30
}

/// `[practices]`: when a practice table is refused.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct PracticesSection {
    /// A table with fewer rows is refused.
    pub(crate) minimum_rows: usize,
}

impl Default for PracticesSection {
    fn default() -> Self {
        Self { minimum_rows: 5000 }
    }
}

/// `[metrics]`: Prometheus text, read over HTTP.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MetricsSection {
    /// Where to listen.
    pub(crate) listen: SocketAddr,
}

/// `[[trust]]`: one trust, its mailbox, its sources and its policies.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TrustSection {
    /// Its ODS code.
    pub(crate) code: OdsCode,
    /// Its name, as letters show it.
    pub(crate) name: String,
    /// The department that letters name as sender.
    #[serde(default = "department")]
    pub(crate) department: String,
    /// The trust's master key, in a file.
    pub(crate) key_file: PathBuf,
    /// Its mailbox.
    pub(crate) mailbox: MailboxId,
    /// The mailbox' password, in a file.
    pub(crate) password_file: PathBuf,
    /// Whether its letters are real.
    #[serde(default)]
    pub(crate) live: bool,
    /// The receiver profile of a workflow that names none.
    #[serde(default = "profile")]
    pub(crate) profile: String,
    /// What receivers with a profile promise: `collected`, `acknowledged` or `filed`.
    #[serde(default)]
    pub(crate) promises: BTreeMap<String, ClosesOn>,
    /// Folders that documents arrive in.
    #[serde(default)]
    pub(crate) folder: Vec<FolderSection>,
    /// Listeners for HL7 v2 over MLLP.
    #[serde(default)]
    pub(crate) mllp: Vec<MllpSection>,
    /// Doors for hand-over and questions over HTTP.
    #[serde(default)]
    pub(crate) http: Vec<HttpSection>,
    /// Who is told what became of its letters.
    #[serde(default)]
    pub(crate) feed: Vec<FeedSection>,
    /// Which messages of its mailbox are its own.
    #[serde(default)]
    pub(crate) inbound: Vec<InboundSection>,
    /// How its letters are routed.
    pub(crate) routing: Routing,
    /// How its documents are read.
    #[serde(default)]
    pub(crate) reading: ReadOptions,
    /// Timers of sending and following up.
    #[serde(default)]
    pub(crate) delivery: DeliverySection,
    /// Who signs its ledger, and who is shown.
    #[serde(default)]
    pub(crate) ledger: LedgerSection,
}

fn department() -> String {
    "Medical Records".to_owned()
}

fn profile() -> String {
    "emis".to_owned()
}

/// `[[trust.folder]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FolderSection {
    /// The source's name.
    pub(crate) source: String,
    /// Where documents arrive.
    pub(crate) inbox: PathBuf,
    /// Where they go once they are durable.
    pub(crate) taken: PathBuf,
    /// Where they go when they cannot be read.
    pub(crate) refused: PathBuf,
    /// How long a document without a sidecar must have been still.
    #[serde(default = "still_for_seconds")]
    pub(crate) still_for_seconds: u64,
    /// `replay` for a backlog, which never delays today's letters.
    #[serde(default)]
    pub(crate) lane: Lane,
}

const fn still_for_seconds() -> u64 {
    2
}

/// `[[trust.mllp]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MllpSection {
    /// The source's name.
    pub(crate) source: String,
    /// Where to listen.
    pub(crate) listen: SocketAddr,
}

/// `[trust.delivery]`: timers; what is left out stays at its default.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct DeliverySection {
    /// How long to wait before MESH is asked about a doubtful send.
    pub(crate) ask_after_seconds: Option<u32>,
    /// How long to wait before "not there" is asked again, and believed.
    pub(crate) ask_again_seconds: Option<u32>,
    /// First pause after a failed attempt.
    pub(crate) backoff_base_seconds: Option<u32>,
    /// Attempts before a person is asked.
    pub(crate) attempts_max: Option<u32>,
    /// `resend` or `hold`: what to do about a doubtful send when MESH cannot be asked.
    pub(crate) ambiguous: Option<AmbiguousChoice>,
    /// How often folders are looked at.
    pub(crate) look_every_seconds: Option<u32>,
    /// How often the mailbox is looked into.
    pub(crate) poll_every_seconds: Option<u32>,
    /// How long what was begun may go on when the run stops.
    pub(crate) stop_within_seconds: Option<u32>,
    /// How many pieces of work go on at the same time.
    pub(crate) at_once: Option<u16>,
    /// How many of these places are kept for fresh letters.
    pub(crate) kept_for_fresh: Option<u16>,
    /// How long a letter that waits is fresh.
    pub(crate) fresh_for_seconds: Option<u32>,
    /// The share of the places that the replay lane gets at most, in percent.
    pub(crate) replay_percent: Option<u8>,
    /// How many messages may be on their way to one mailbox.
    pub(crate) per_mailbox: Option<u16>,
    /// How many of today's messages go to one mailbox in an hour; 0 for any number.
    pub(crate) today_an_hour: Option<u32>,
    /// How many messages of the replay lane go to one mailbox in an hour; 0 for any number.
    pub(crate) replay_an_hour: Option<u32>,
    /// How long a claimed piece of work belongs to its worker; it is renewed while it goes on.
    pub(crate) lease_seconds: Option<u32>,
    /// Failures to connect, in a row, after which MESH is left alone for a while.
    pub(crate) breaker_failures: Option<u32>,
    /// How long it is left alone before one try.
    pub(crate) breaker_pause_seconds: Option<u32>,
}

/// `[disk]`: free shares of the disk, in percent, below which something is done (W-DISK).
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct DiskSection {
    /// Below this it is worth a word.
    pub(crate) warn_percent: u64,
    /// Below this a person must make space.
    pub(crate) critical_percent: u64,
    /// Below this no document is taken in.
    pub(crate) refuse_percent: u64,
}

impl Default for DiskSection {
    fn default() -> Self {
        let SpaceLimits {
            warn: warn_percent,
            critical: critical_percent,
            refuse: refuse_percent,
            ..
        } = SpaceLimits::default();
        Self {
            warn_percent,
            critical_percent,
            refuse_percent,
        }
    }
}

impl DiskSection {
    /// The limits for intake.
    pub(crate) fn limits(&self) -> SpaceLimits {
        let mut limits = SpaceLimits::default();
        limits.warn = self.warn_percent;
        limits.critical = self.critical_percent;
        limits.refuse = self.refuse_percent;
        limits
    }
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum AmbiguousChoice {
    Resend,
    Hold,
}

impl MeshSection {
    pub(super) fn resolve(&mut self, base: &Path) {
        for path in [
            &mut self.ca,
            &mut self.certificate,
            &mut self.key,
            &mut self.shared_key_file,
        ] {
            *path = base.join(&*path);
        }
    }
}

impl TrustSection {
    pub(super) fn resolve(&mut self, base: &Path) {
        self.key_file = base.join(&self.key_file);
        self.password_file = base.join(&self.password_file);
        for folder in &mut self.folder {
            for path in [&mut folder.inbox, &mut folder.taken, &mut folder.refused] {
                *path = base.join(&*path);
            }
        }
        for http in &mut self.http {
            http.resolve(base);
        }
        for feed in &mut self.feed {
            feed.resolve(base);
        }
        for inbound in &mut self.inbound {
            inbound.resolve(base);
        }
        self.ledger.resolve(base);
    }

    pub(super) fn check(&self) -> Result<(), String> {
        let code = &self.code;
        if self.folder.is_empty() && self.mllp.is_empty() && self.http.is_empty() {
            return Err(format!(
                "trust {code} has no source: add a [[trust.folder]], a [[trust.mllp]] or a \
                 [[trust.http]]"
            ));
        }
        for http in &self.http {
            http.check().map_err(|why| format!("trust {code}: {why}"))?;
        }
        for (index, inbound) in self.inbound.iter().enumerate() {
            inbound
                .check()
                .map_err(|why| format!("trust {code}: {why}"))?;
            let earlier = self.inbound.iter().take(index);
            let taken = |one| earlier.clone().any(|other| other.workflows.contains(one));
            if let Some(twice) = inbound.workflows.iter().find(|one| taken(one)) {
                return Err(format!("trust {code}: two [[trust.inbound]] take {twice}"));
            }
        }
        for (index, feed) in self.feed.iter().enumerate() {
            feed.check().map_err(|why| format!("trust {code}: {why}"))?;
            let mut earlier = self.feed.iter().take(index);
            if earlier.any(|other| other.name == feed.name) {
                return Err(format!(
                    "trust {code}: two [[trust.feed]] are named {}",
                    feed.name
                ));
            }
        }
        self.ledger
            .check()
            .map_err(|why| format!("trust {code}: {why}"))?;
        if self.routing.demographics != DemographicsPolicy::Source {
            return Err(format!(
                "trust {code}: routing.demographics must be \"source\": the national lookup is not \
                 part of this version"
            ));
        }
        if self.routing.workflows.is_empty() {
            return Err(format!(
                "trust {code}: routing.workflows is empty: name at least one workflow id that was \
                 agreed with the practices"
            ));
        }
        if self.live && self.routing.allow_synthetic {
            return Err(format!(
                "trust {code}: routing.allow_synthetic must be false where live is true"
            ));
        }
        let formats = self
            .routing
            .workflows
            .iter()
            .filter_map(|choice| choice.format.as_ref());
        let promised = self.promises.keys();
        for profile in formats
            .chain(promised)
            .chain(std::iter::once(&self.profile))
        {
            self.check_profile(profile)?;
        }
        Ok(())
    }

    fn check_profile(&self, profile: &str) -> Result<(), String> {
        let known = letter_shape::ReceiverProfile::BUILTIN;
        if known.contains(&profile) {
            return Ok(());
        }
        Err(format!(
            "trust {}: there is no receiver profile {profile}; there are: {}",
            self.code,
            known.join(", ")
        ))
    }

    /// The trust's settings for the pipeline, without its practices.
    pub(crate) fn settings(&self, practices: gp_routing::PracticeTable) -> Trust {
        let mut trust = Trust::new(self.code.clone(), self.name.as_str(), practices);
        trust.department.clone_from(&self.department);
        trust.routing = self.routing.clone();
        trust.reading = self.reading.clone();
        trust.promises.clone_from(&self.promises);
        trust.default_profile.clone_from(&self.profile);
        trust.live = self.live;
        trust
    }
}

impl DeliverySection {
    /// The engine's policy.
    pub(crate) fn policy(&self) -> Delivery {
        let mut policy = Delivery::default();
        let seconds = |value: u32| chrono::Duration::seconds(i64::from(value));
        if let Some(value) = self.ask_after_seconds {
            policy.ask_after = seconds(value);
        }
        if let Some(value) = self.ask_again_seconds {
            policy.ask_again = seconds(value);
        }
        if let Some(value) = self.backoff_base_seconds {
            policy.backoff_base = seconds(value);
        }
        if let Some(value) = self.attempts_max {
            policy.attempts_max = value;
        }
        self.flow(&mut policy);
        policy.ambiguous = match self.ambiguous {
            Some(AmbiguousChoice::Hold) => Ambiguous::Hold,
            _ => Ambiguous::Resend,
        };
        policy
    }

    /// How much goes on at once, and whose turn it is.
    fn flow(&self, policy: &mut Delivery) {
        let seconds = |value: u32| chrono::Duration::seconds(i64::from(value));
        let set = |place: &mut usize, value: Option<u16>, least: u16| {
            if let Some(value) = value {
                *place = usize::from(value.max(least));
            }
        };
        set(&mut policy.at_once, self.at_once, 1);
        set(&mut policy.kept_for_fresh, self.kept_for_fresh, 0);
        set(&mut policy.per_destination, self.per_mailbox, 1);
        let percent = self.replay_percent.map(u16::from);
        set(&mut policy.replay_percent, percent, 1);
        if let Some(value) = self.fresh_for_seconds {
            policy.fresh_for = seconds(value);
        }
        if let Some(value) = self.today_an_hour {
            policy.today_an_hour = (value > 0).then_some(value);
        }
        if let Some(value) = self.replay_an_hour {
            policy.replay_an_hour = (value > 0).then_some(value);
        }
        if let Some(value) = self.lease_seconds {
            policy.lease = seconds(value.max(LEASE_SECONDS_MIN));
        }
        if let Some(value) = self.breaker_failures {
            policy.breaker_failures = value.max(1);
        }
        if let Some(value) = self.breaker_pause_seconds {
            policy.breaker_pause = seconds(value);
        }
    }
}

/// A lease must outlast a slow commit.
const LEASE_SECONDS_MIN: u32 = 10;
