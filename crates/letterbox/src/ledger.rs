//! A trust's ledger is signed, and shown to those who would notice if it were rewritten.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use audit_core::{
    Checkpoint, Origin, SignCheckpoint, SignError, SignedCheckpoint, Signer, VerifierKey,
    WitnessError, WitnessKey, WitnessPolicy, read_cosigned, read_signed, witness_request,
};
use chrono::{DateTime, Duration, Utc};
use letter_delivery::StoreError;
use letter_gateway::WitnessAddress;
use letter_store::AnyStore;

use crate::config::LedgerSection;
use crate::exit::Exit;
use crate::output::complain;

/// What signs a ledger, and whom it is shown to.
pub(crate) struct Ledger {
    signer: Arc<dyn SignCheckpoint>,
    /// The key here, when no command signs: then the store keeps the signer's rule.
    here: Option<Arc<Signer>>,
    section: LedgerSection,
    witnesses: Vec<Witness>,
    policy: WitnessPolicy,
    shown: Mutex<Shown>,
}

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unsigned {
    /// The store cannot, or must not, be signed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The signer did not.
    #[error(transparent)]
    Signer(#[from] SignError),
}

impl From<Unsigned> for Exit {
    fn from(unsigned: Unsigned) -> Self {
        match unsigned {
            Unsigned::Store(error) => error.into(),
            Unsigned::Signer(SignError::Unavailable(_)) => Self::Unavailable(unsigned.to_string()),
            Unsigned::Signer(_) => Self::Person(unsigned.to_string()),
        }
    }
}

/// What was shown last.
#[derive(Default)]
struct Shown {
    anchored_at: Option<DateTime<Utc>>,
    /// The size that each witness saw last, as far as is known.
    witnessed: BTreeMap<String, u64>,
}

struct Witness {
    key: WitnessKey,
    address: WitnessAddress,
}

impl Ledger {
    pub(crate) fn new(signer: Arc<Signer>, section: &LedgerSection) -> Result<Self, Exit> {
        let wrong = |why: String| Exit::Configuration(format!("ledger: {why}"));
        let mut witnesses = Vec::new();
        for witness in &section.witness {
            let ca = witness.ca.as_ref().map(fs::read).transpose();
            let ca = ca.map_err(|error| wrong(format!("witness {}: {error}", witness.url)))?;
            let address = WitnessAddress::new(&witness.url, ca.as_deref());
            let told = |error: &dyn std::fmt::Display| wrong(format!("witness: {error}"));
            witnesses.push(Witness {
                key: WitnessKey::parse(&witness.key).map_err(|error| told(&error))?,
                address: address.map_err(|error| told(&error))?,
            });
        }
        let keys = witnesses.iter().map(|witness| witness.key.clone());
        let policy = WitnessPolicy::new(keys.collect(), section.witnesses_needed);
        let elsewhere = section.verifier_key().map(|key| CommandSigner {
            origin: signer.origin(),
            key,
            command: section.signer.clone(),
        });
        let here = elsewhere.is_none().then(|| Arc::clone(&signer));
        Ok(Self {
            signer: elsewhere.map_or(signer as Arc<dyn SignCheckpoint>, |there| Arc::new(there)),
            here,
            section: section.clone(),
            witnesses,
            policy: policy.map_err(|error| wrong(error.to_string()))?,
            shown: Mutex::default(),
        })
    }

    /// The key that checks what is signed now.
    pub(crate) fn verifier_key(&self) -> VerifierKey {
        self.signer.verifier_key()
    }

    /// Signs what is new, and gives the note; nothing when nothing is.
    pub(crate) async fn sign(
        &self,
        store: &AnyStore,
        now: DateTime<Utc>,
    ) -> Result<Option<String>, Unsigned> {
        if let Some(key) = &self.here {
            return Ok(store.sign(Arc::clone(key), now).await?);
        }
        let Some(asked) = store.to_sign(self.signer.origin()).await? else {
            return Ok(None);
        };
        let signer = Arc::clone(&self.signer);
        let signed = tokio::task::spawn_blocking(move || signer.sign_checkpoint(&asked)).await;
        let signed =
            signed.map_err(|_| SignError::Unavailable("it ended by a fault".to_owned()))??;
        store.keep_signed(&signed, now).await?;
        Ok(Some(signed.to_text()))
    }

    /// Signs what is new and shows it. What goes wrong in showing is said, and stops nothing.
    pub(crate) async fn sign_and_show(
        &self,
        store: &AnyStore,
        now: DateTime<Utc>,
    ) -> Result<(), Unsigned> {
        let Some(note) = self.sign(store, now).await? else {
            return Ok(());
        };
        let Ok(mut signed) = SignedCheckpoint::parse(&note, &[self.verifier_key()]) else {
            return Ok(());
        };
        for witness in &self.witnesses {
            if let Err(why) = self.ask(witness, store, &mut signed).await {
                complain(&format!("witness {}: {why}", witness.key.name()));
            }
        }
        if let Err(error) = self.policy.check(&signed) {
            complain(&format!(
                "the ledger is not witnessed as it should be: {error}"
            ));
        }
        self.anchor(&signed, now);
        Ok(())
    }

    /// Asks from the size the witness saw last; when it saw another, once more from that.
    async fn ask(
        &self,
        witness: &Witness,
        store: &AnyStore,
        signed: &mut SignedCheckpoint,
    ) -> Result<(), String> {
        let size = signed.checkpoint().size;
        let name = witness.key.name().to_owned();
        let mut seen = self.shown(|shown| shown.witnessed.get(&name).copied().unwrap_or(0));
        for is_last in [false, true] {
            let proof = if seen == 0 {
                Vec::new()
            } else {
                let proof = store.consistency(seen, size).await;
                proof.map_err(|error| error.to_string())?
            };
            let request = witness_request(seen, &proof, signed).map_err(|e| e.to_string())?;
            let (status, body) = witness.address.ask(request).await?;
            match read_cosigned(status, &body, signed, &witness.key) {
                Ok(_) => {
                    self.shown(|shown| shown.witnessed.insert(name, size));
                    return Ok(());
                }
                Err(WitnessError::OtherSize { size: other }) if !is_last && other <= size => {
                    seen = other;
                }
                Err(WitnessError::OtherSize { size: other }) if other > size => {
                    return Err(format!(
                        "it saw {other} events of this ledger, and {size} are here: an older copy \
                         may have been put in its place"
                    ));
                }
                Err(error) => return Err(error.to_string()),
            }
        }
        Ok(())
    }

    /// A line for a file or a command that keeps it out of our reach.
    fn anchor(&self, signed: &SignedCheckpoint, now: DateTime<Utc>) {
        let every = Duration::seconds(i64::from(self.section.anchor_every_seconds));
        let is_due = self.shown(|shown| {
            let is_due = shown.anchored_at.is_none_or(|last| now - last >= every);
            if is_due {
                shown.anchored_at = Some(now);
            }
            is_due
        });
        if !is_due {
            return;
        }
        let line = anchor_line(signed.checkpoint());
        if let Some(file) = &self.section.anchor_file {
            let append = fs::File::options().create(true).append(true).open(file);
            let done = append.and_then(|mut file| {
                file.write_all(line.as_bytes())?;
                file.sync_all()
            });
            if let Err(error) = done {
                complain(&format!("the anchor {}: {error}", file.display()));
            }
        }
        if !self.section.anchor_command.is_empty()
            && let Err(error) = told(&self.section.anchor_command, &line)
        {
            complain(&format!("the anchor command: {error}"));
        }
    }

    fn shown<T>(&self, with: impl FnOnce(&mut Shown) -> T) -> T {
        with(&mut self.shown.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Origin, size and root on one line.
fn anchor_line(checkpoint: &Checkpoint) -> String {
    let body = checkpoint.body();
    let words: Vec<&str> = body.lines().collect();
    format!("{}\n", words.join(" "))
}

/// A signer that is another process: the three lines of a checkpoint in, the signed note out.
struct CommandSigner {
    origin: Origin,
    key: VerifierKey,
    command: Vec<String>,
}

impl SignCheckpoint for CommandSigner {
    fn origin(&self) -> Origin {
        self.origin.clone()
    }

    fn verifier_key(&self) -> VerifierKey {
        self.key.clone()
    }

    fn sign_checkpoint(&self, checkpoint: &Checkpoint) -> Result<SignedCheckpoint, SignError> {
        let answer = told(&self.command, &checkpoint.body()).map_err(SignError::Unavailable)?;
        Ok(read_signed(&answer, checkpoint, &self.key)?)
    }
}

/// Runs a command with a text on its standard input, and gives what it says.
fn told(command: &[String], text: &str) -> Result<String, String> {
    let (program, arguments) = command.split_first().ok_or("no command is named")?;
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{program}: {error}"))?;
    if let Some(mut input) = child.stdin.take() {
        // A command that refuses may end before it has read everything: its exit code tells.
        let _ = input.write_all(text.as_bytes());
    }
    let output = child
        .wait_with_output()
        .map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("{program} refused: {}", said.trim_end()))
}
