//! A whole folder of tiles, checked (audit-and-delivery 6).

use super::{TILE_WIDTH, Tile, TileError, TileFile, TileKind, TileWriter, read::entries};
use crate::{Fault, Rule, Verification, Verifier, VerifyOptions, checkpoint::read_unproven};

/// Where the newest signed checkpoint of a folder stands.
pub const CHECKPOINT_PATH: &str = "checkpoint";

/// Where all signed checkpoints of a folder stand, oldest first, an empty line after each. It is
/// not part of C2SP tlog-tiles, and may be missing.
pub const CHECKPOINTS_PATH: &str = "checkpoints";

/// Checks a folder of tiles by the rules of [`Verifier`], and that every tile is the one over its
/// entries (rule V1).
///
/// `read` gives the file of a path below the folder. The folder's checkpoints take the place of
/// those in the options. What cannot be read ends the check there.
///
/// ```
/// use audit_core::{Rule, VerifyOptions, verify_tiles};
/// let found = verify_tiles(VerifyOptions::default(), |_| None);
/// assert_eq!(found.faults[0].rule, Rule::V1);
/// ```
pub fn verify_tiles(
    mut options: VerifyOptions,
    mut read: impl FnMut(&str) -> Option<Vec<u8>>,
) -> Verification {
    let mut text = |path| Some(String::from_utf8_lossy(&read(path)?).into_owned());
    let newest = text(CHECKPOINT_PATH);
    let kept = text(CHECKPOINTS_PATH);
    options.stored_checkpoints = kept.as_deref().map(notes).unwrap_or_default();
    let size = newest.as_deref().and_then(size_of);
    let newest_is_last = options.stored_checkpoints.last() == newest.as_ref();
    if let Some(newest) = newest.filter(|_| !newest_is_last) {
        options.stored_checkpoints.push(newest);
    }
    let mut check = Check {
        verifier: Verifier::new(options),
        writer: TileWriter::new(),
        faults: Vec::new(),
    };
    match size {
        Some(size) => check.tiles(size, read),
        None => check.fault(0, format!("{CHECKPOINT_PATH} is missing or no checkpoint")),
    }
    check.finish()
}

struct Check {
    verifier: Verifier,
    writer: TileWriter,
    faults: Vec<Fault>,
}

impl Check {
    fn tiles(&mut self, size: u64, mut read: impl FnMut(&str) -> Option<Vec<u8>>) {
        for index in 0.. {
            let Some(tile) = Tile::at(TileKind::Entries, index, size) else {
                break;
            };
            let first = index.saturating_mul(TILE_WIDTH.into());
            let Some(bytes) = read(&tile.to_string()) else {
                return self.fault(first, TileError::missing(&tile).to_string());
            };
            match entries(&bytes, &tile) {
                Ok(entries) => self.bundle(&entries, &mut read),
                Err(error) => return self.fault(first, error.to_string()),
            }
        }
        for file in self.writer.partial() {
            self.compare(&file, &mut read);
        }
    }

    fn bundle(&mut self, entries: &[&[u8]], read: &mut impl FnMut(&str) -> Option<Vec<u8>>) {
        for entry in entries {
            self.verifier.event(entry);
            // An entry out of a bundle has a length that a bundle can hold.
            for file in self.writer.push(entry).unwrap_or_default() {
                self.compare(&file, read);
            }
        }
    }

    /// Tiles of hashes are those over the entries.
    fn compare(&mut self, file: &TileFile, read: &mut impl FnMut(&str) -> Option<Vec<u8>>) {
        let TileKind::Hashes(level) = file.tile.kind else {
            return;
        };
        let path = file.tile.to_string();
        let leaves = u64::from(TILE_WIDTH).checked_pow(level + 1);
        let first = leaves.and_then(|leaves| leaves.checked_mul(file.tile.index));
        let what = match read(&path) {
            None => "is missing",
            Some(bytes) if bytes != file.bytes => "is not the tile over its entries",
            Some(_) => return,
        };
        self.fault(first.unwrap_or(u64::MAX), format!("{path} {what}"));
    }

    fn fault(&mut self, seq: u64, what: String) {
        self.faults.push(Fault {
            rule: Rule::V1,
            seq: Some(seq),
            what,
        });
    }

    fn finish(self) -> Verification {
        let mut verification = self.verifier.finish();
        let mut faults = self.faults;
        faults.append(&mut verification.faults);
        faults.sort_by_key(|fault| fault.seq.unwrap_or(u64::MAX));
        verification.faults = faults;
        verification
    }
}

fn size_of(note: &str) -> Option<u64> {
    Some(read_unproven(note).ok()?.0.size)
}

/// The notes of a file, each of a body, an empty line, signatures, and an empty line.
fn notes(text: &str) -> Vec<String> {
    let mut notes = Vec::new();
    let mut parts = text.split_inclusive("\n\n");
    while let Some(body) = parts.next() {
        let signatures = parts.next().unwrap_or_default();
        let signatures = signatures.strip_suffix("\n\n").unwrap_or(signatures);
        notes.push(format!("{body}{}\n", signatures.trim_end_matches('\n')));
    }
    notes
}
