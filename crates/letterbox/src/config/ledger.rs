use std::path::{Path, PathBuf};

use audit_core::{VerifierKey, WitnessKey};
use serde::Deserialize;

/// `[trust.ledger]`: who signs the ledger, and who is shown that it was signed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct LedgerSection {
    /// A command that signs, in the place of the key here.
    pub(crate) signer: Vec<String>,
    /// The key that checks what it signs.
    pub(crate) signer_key: Option<String>,
    /// A file that gets a line for a checkpoint now and then.
    pub(crate) anchor_file: Option<PathBuf>,
    /// A command that gets the same line on its standard input.
    pub(crate) anchor_command: Vec<String>,
    /// How far apart these lines are.
    pub(crate) anchor_every_seconds: u32,
    /// Witnesses that cosign checkpoints.
    pub(crate) witness: Vec<WitnessSection>,
    /// How many of them must.
    pub(crate) witnesses_needed: usize,
}

impl Default for LedgerSection {
    fn default() -> Self {
        Self {
            signer: Vec::new(),
            signer_key: None,
            anchor_file: None,
            anchor_command: Vec::new(),
            anchor_every_seconds: 3_600,
            witness: Vec::new(),
            witnesses_needed: 0,
        }
    }
}

/// `[[trust.ledger.witness]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WitnessSection {
    /// The address that `/add-checkpoint` is asked below.
    pub(crate) url: String,
    /// Its key, of signature type 0x04.
    pub(crate) key: String,
    /// The certificates that its own must lead to; not for an address on this machine.
    pub(crate) ca: Option<PathBuf>,
}

impl LedgerSection {
    pub(super) fn resolve(&mut self, base: &Path) {
        if let Some(file) = &mut self.anchor_file {
            *file = base.join(&*file);
        }
        for witness in &mut self.witness {
            if let Some(ca) = &mut witness.ca {
                *ca = base.join(&*ca);
            }
        }
    }

    pub(super) fn check(&self) -> Result<(), String> {
        if self.signer.is_empty() != self.signer_key.is_none() {
            return Err("ledger.signer and ledger.signer_key go together".to_owned());
        }
        if let Some(key) = &self.signer_key {
            VerifierKey::parse(key).map_err(|why| format!("ledger.signer_key: {why}"))?;
        }
        for witness in &self.witness {
            WitnessKey::parse(&witness.key)
                .map_err(|why| format!("the key of the witness {}: {why}", witness.url))?;
        }
        if self.witnesses_needed > self.witness.len() {
            return Err(format!(
                "ledger.witnesses_needed is {}, and {} are named",
                self.witnesses_needed,
                self.witness.len()
            ));
        }
        Ok(())
    }

    /// The key of the command that signs, if one does.
    pub(crate) fn verifier_key(&self) -> Option<VerifierKey> {
        VerifierKey::parse(self.signer_key.as_deref()?).ok()
    }
}
