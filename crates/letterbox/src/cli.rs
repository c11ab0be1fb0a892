//! Names and flags of every command: a contract.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use letter_delivery::{Reason, Scope};
use nhs_types::{MailboxId, OdsCode};

/// Carries signed letters to GP practices over NHS MESH, and proves that they arrived.
///
/// Exit codes: 0 done, 1 checked and found wanting, 2 usage or configuration, 3 a person must
/// act, 4 transport or store unavailable.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
pub(crate) struct Arguments {
    /// The configuration file.
    #[arg(
        long,
        global = true,
        default_value = "letterbox.toml",
        env = "LETTERBOX_CONFIG"
    )]
    pub(crate) config: PathBuf,
    /// Answer in JSON on stdout.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// What to log to stderr: a level, or targets with levels.
    #[arg(long, global = true, env = "LETTERBOX_LOG", value_name = "FILTER")]
    pub(crate) log: Option<String>,
    /// Only this trust, by its ODS code.
    #[arg(long, global = true, value_name = "CODE")]
    pub(crate) trust: Option<String>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Arguments {
    /// What to log: the demo loses an answer on purpose, and tells so itself.
    pub(crate) fn log_filter(&self) -> &str {
        let default = if matches!(self.command, Command::Demo { .. }) {
            "error"
        } else {
            "warn"
        };
        self.log.as_deref().unwrap_or(default)
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Shows the whole way of a few letters, with nothing to set up and no network.
    Demo {
        /// Keep everything in this folder, so that `status`, `worklist` and `audit` work on it.
        #[arg(long, value_name = "DIR")]
        keep: Option<PathBuf>,
    },
    /// Writes a commented configuration and the folders it names.
    Init {
        /// The folder to make.
        dir: PathBuf,
    },
    /// Checks configuration, certificates, clock, MESH, practice table, stores and disk.
    Check,
    /// Takes, routes, shapes, sends and follows up letters.
    Run {
        /// Do all that can be done now, and end.
        #[arg(long)]
        once: bool,
    },
    /// Looks at one document, or decides about one letter.
    #[command(subcommand)]
    Letter(LetterCommand),
    /// The table of practices.
    #[command(subcommand)]
    Ods(OdsCommand),
    /// Makes one routing decision from values, and explains it.
    Route {
        /// A case in JSON.
        #[arg(long, value_name = "FILE")]
        case: PathBuf,
    },
    /// Shows where letters are.
    Status(StatusArguments),
    /// Shows what needs a person, oldest duty first, and what can be done about it.
    Worklist,
    /// The emergency stop: nothing that shares a fault is sent. Intake goes on.
    #[command(subcommand)]
    Stop(StopCommand),
    /// Shows what shared a fault and where it is, and takes it back.
    Affected(AffectedArguments),
    /// Checks the ledger.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Keeps stores, and brings them back.
    #[command(subcommand)]
    Store(StoreCommand),
    /// Uses the MESH API by hand.
    #[command(subcommand)]
    Mesh(MeshCommand),
}

#[derive(Debug, Subcommand)]
pub(crate) enum LetterCommand {
    /// Reads a document and shows what was understood, with every finding.
    Read {
        /// The document.
        file: PathBuf,
    },
    /// It may go on: lifts a hold, or agrees as the second person.
    Approve(DecisionArguments),
    /// Sends it anew to the same mailbox, under a reference of its own.
    Resend(DecisionArguments),
    /// Routes and shapes it anew, for the practice named here.
    Reroute {
        #[command(flatten)]
        arguments: DecisionArguments,
        /// The practice.
        #[arg(long, value_name = "CODE", value_parser = OdsCode::parse)]
        to: OdsCode,
        /// Its mailbox; without it, it is looked up.
        #[arg(long, value_name = "ID", value_parser = MailboxId::parse)]
        mailbox: Option<MailboxId>,
    },
    /// It must not go. A discharge summary takes two people.
    Suppress(DecisionArguments),
    /// Takes it back; a practice that has it must be told.
    Withdraw(DecisionArguments),
    /// The practice refused it, as a person there said.
    Rejected {
        #[command(flatten)]
        arguments: DecisionArguments,
        /// It does not know the patient.
        #[arg(long)]
        not_our_patient: bool,
    },
    /// Somebody spoke with the practice.
    Telephoned {
        #[command(flatten)]
        arguments: DecisionArguments,
        /// What the practice said: that it has the letter, that it filed it, or that it knows now
        /// of the withdrawal.
        #[arg(long, value_enum)]
        said: Said,
    },
    /// What was told about it was looked into: it leaves the work list, if nothing else is open.
    Resolve(DecisionArguments),
    /// Destroys what it holds, with the key: when it is at its end. It takes two people.
    Erase(DecisionArguments),
}

/// What every decision is recorded with; who decides is the account that runs the command.
#[derive(Debug, Args)]
pub(crate) struct DecisionArguments {
    /// The letter, by its id.
    pub(crate) id: String,
    /// Why: a code such as wrong-patient, never a name or a number of a patient.
    #[arg(long, value_parser = Reason::parse)]
    pub(crate) reason: Reason,
    /// Only this copy; else all copies that it is possible for.
    #[arg(long, value_name = "N")]
    pub(crate) copy: Option<u32>,
}

/// What the practice said on the telephone.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Said {
    Received,
    Filed,
    Told,
}

#[derive(Debug, Subcommand)]
pub(crate) enum StopCommand {
    /// Stops what has all that is named; effective before the next send.
    Set {
        #[command(flatten)]
        scope: StopScope,
        /// Why, as a code.
        #[arg(long, value_parser = Reason::parse)]
        reason: Reason,
    },
    /// Lifts a stop: what it held back goes on.
    Lift {
        /// The stop's number.
        id: u32,
        /// Why, as a code.
        #[arg(long, value_parser = Reason::parse)]
        reason: Reason,
    },
    /// Shows the stops that stand.
    List {
        /// And those that were lifted.
        #[arg(long)]
        lifted: bool,
    },
}

/// What a stop is about: something must be said.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub(crate) struct StopScope {
    /// Everything.
    #[arg(long, conflicts_with_all = ["source", "class", "practice", "profile", "rules"])]
    pub(crate) all: bool,
    /// What came from this source.
    #[arg(long)]
    pub(crate) source: Option<String>,
    /// Letters of this class, such as discharge-summary.
    #[arg(long)]
    pub(crate) class: Option<String>,
    /// What goes to this practice.
    #[arg(long, value_name = "CODE", value_parser = OdsCode::parse)]
    pub(crate) practice: Option<OdsCode>,
    /// What was shaped for this receiver profile.
    #[arg(long)]
    pub(crate) profile: Option<String>,
    /// What was routed or proven by this version of the rules, such as "gp-routing 2026.1".
    #[arg(long)]
    pub(crate) rules: Option<String>,
}

impl StopScope {
    /// The scope.
    pub(crate) fn scope(&self) -> Scope {
        let mut scope = Scope::default();
        scope.source.clone_from(&self.source);
        scope.class.clone_from(&self.class);
        scope.practice.clone_from(&self.practice);
        scope.profile.clone_from(&self.profile);
        scope.rules.clone_from(&self.rules);
        scope
    }
}

#[derive(Debug, Args)]
pub(crate) struct AffectedArguments {
    #[command(flatten)]
    pub(crate) scope: FaultScope,
    /// What this stop is about.
    #[arg(long, value_name = "ID", conflicts_with_all = ["source", "class", "practice", "profile", "rules"])]
    pub(crate) stop: Option<u32>,
    /// Taken from its source at this time or later: a day, or RFC 3339.
    #[arg(long, value_name = "TIME")]
    pub(crate) from: String,
    /// Taken before this time.
    #[arg(long, value_name = "TIME")]
    pub(crate) to: Option<String>,
    /// Take all of it back, for this reason: what has not left never goes, who has it is told.
    #[arg(long, value_name = "REASON", value_parser = Reason::parse)]
    pub(crate) withdraw: Option<Reason>,
}

/// What shared a fault: everything of the time, or what has all that is named.
#[derive(Debug, Args)]
pub(crate) struct FaultScope {
    /// What came from this source.
    #[arg(long)]
    pub(crate) source: Option<String>,
    /// Letters of this class.
    #[arg(long)]
    pub(crate) class: Option<String>,
    /// What goes to this practice.
    #[arg(long, value_name = "CODE", value_parser = OdsCode::parse)]
    pub(crate) practice: Option<OdsCode>,
    /// What was shaped for this receiver profile.
    #[arg(long)]
    pub(crate) profile: Option<String>,
    /// What was routed or proven by this version of the rules.
    #[arg(long)]
    pub(crate) rules: Option<String>,
}

impl FaultScope {
    /// The scope.
    pub(crate) fn scope(&self) -> Scope {
        let mut scope = Scope::default();
        scope.source.clone_from(&self.source);
        scope.class.clone_from(&self.class);
        scope.practice.clone_from(&self.practice);
        scope.profile.clone_from(&self.profile);
        scope.rules.clone_from(&self.rules);
        scope
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum OdsCommand {
    /// Checks a practice file (epraccur) and takes it into use; a wrong one is refused whole.
    Import {
        /// The file.
        file: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct StatusArguments {
    /// The letter, by its id.
    pub(crate) id: Option<String>,
    /// Only letters and copies in this state.
    #[arg(long)]
    pub(crate) state: Option<String>,
    /// Only the letter with this document number.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) document: Option<String>,
    /// Only copies for this practice.
    #[arg(long, value_name = "CODE")]
    pub(crate) practice: Option<String>,
    /// Only letters of the patient whose NHS number is read from the standard input: it never
    /// stands among the arguments, where other accounts could see it.
    #[arg(long, conflicts_with_all = ["id", "document"])]
    pub(crate) nhs_number: bool,
    /// Only letters of this source.
    #[arg(long)]
    pub(crate) source: Option<String>,
    /// Only letters of this class.
    #[arg(long)]
    pub(crate) class: Option<String>,
    /// Only letters taken at this time or later: a day, or RFC 3339.
    #[arg(long, value_name = "TIME")]
    pub(crate) from: Option<String>,
    /// Only letters taken before this time.
    #[arg(long, value_name = "TIME")]
    pub(crate) to: Option<String>,
    /// At most so many letters, the newest. Without it 1000, and all with --json.
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Checks every event, row and content; exit 1 and the place when something is wrong.
    Verify {
        /// A checkpoint that was kept outside the store.
        #[arg(long, value_name = "FILE")]
        checkpoint: Vec<PathBuf>,
        /// A folder that `audit export` wrote, instead of the store.
        #[arg(long, value_name = "DIR")]
        folder: Option<PathBuf>,
    },
    /// Prints a file that proves every event of a letter and its copies to anybody.
    Prove {
        /// The letter.
        id: String,
    },
    /// Signs the ledger as it stands and prints the checkpoint: keep it where nobody changes it.
    Checkpoint {
        /// Print the key that checks it instead: give it to the auditor on another way.
        #[arg(long)]
        key: bool,
    },
    /// Writes the ledger as files that any monitor of transparency logs reads; a later call adds
    /// what is new.
    Export {
        /// An empty folder, or one that was exported to.
        dir: PathBuf,
    },
    /// Makes every row of letters, copies and documents anew from the ledger; no `run` meanwhile.
    Rebuild,
    /// Guards the key of a ledger for another account: reads a checkpoint, writes the signed note.
    Signer(SignerArguments),
}

#[derive(Debug, Args)]
pub(crate) struct SignerArguments {
    /// The key: 64 hexadecimal digits in a file that only this account may read.
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// The key's name: the origin of the ledger.
    #[arg(long)]
    pub(crate) name: String,
    /// Where it is kept what was signed. Without it, the verifier key is printed.
    #[arg(long, value_name = "FILE")]
    pub(crate) state: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Makes a verified backup, also of a running system; no older one is touched.
    Backup(BackupArguments),
    /// Puts a backup in the place of a store, or goes on from an older copy that lies there.
    /// Nothing is sent before MESH was asked, and before a person said that the lists agree.
    Restore(RestoreArguments),
    /// Takes a store of an older version to this one; the older version then refuses it.
    Migrate {
        /// Only tell what would be done.
        #[arg(long)]
        dry_run: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct BackupArguments {
    /// Where backups are kept; each gets a folder of its own in it.
    pub(crate) dir: PathBuf,
    /// Where the letters' keys are kept, one file a trust, apart from the letters. Without it:
    /// letter-keys in DIR.
    #[arg(long, value_name = "DIR")]
    pub(crate) keys: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct RestoreArguments {
    /// A backup, or a folder of backups: then the newest.
    #[arg(required_unless_present_any = ["as_is", "reconciled"])]
    pub(crate) dir: Option<PathBuf>,
    /// Where the letters' keys are kept, if not beside the backups.
    #[arg(long, value_name = "DIR", requires = "dir")]
    pub(crate) keys: Option<PathBuf>,
    /// A checkpoint that was kept elsewhere: it tells how far the ledger had come.
    #[arg(long, value_name = "FILE")]
    pub(crate) checkpoint: Vec<PathBuf>,
    /// Put it in the place of a store that is there, which is kept beside it.
    #[arg(long, requires = "dir")]
    pub(crate) replace: bool,
    /// Go on from the older copy that lies in the store's place.
    #[arg(long, conflicts_with = "dir")]
    pub(crate) as_is: bool,
    /// Say that the record system's list and the ledger agree: letters are sent again.
    #[arg(long, conflicts_with_all = ["dir", "as_is"])]
    pub(crate) reconciled: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum MeshCommand {
    /// Proves connection, certificate and password.
    Handshake,
    /// Sends a file, and prints the message's id.
    Send {
        /// The mailbox to send to.
        #[arg(long)]
        to: String,
        /// The workflow id.
        #[arg(long)]
        workflow: String,
        /// The reference to ask by when the answer is lost.
        #[arg(long)]
        local_id: Option<String>,
        /// The content type.
        #[arg(long, default_value = "application/octet-stream")]
        content_type: String,
        /// The file.
        file: PathBuf,
    },
    /// Lists what lies in the mailbox.
    Inbox,
    /// Downloads a message, checked and whole. It stays in the mailbox.
    Get {
        /// The message.
        id: String,
        /// Where to write its content.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Acknowledges a message: it leaves the mailbox for good.
    Ack {
        /// The message.
        id: String,
    },
    /// Asks what became of a message that was sent.
    Track {
        /// The message.
        #[arg(required_unless_present = "local_id")]
        id: Option<String>,
        /// Ask by the sender's reference instead.
        #[arg(long, conflicts_with = "id")]
        local_id: Option<String>,
    },
    /// Asks which mailboxes of an organisation take a workflow.
    Lookup {
        /// The organisation's ODS code.
        ods: String,
        /// The workflow id.
        workflow: String,
    },
}
