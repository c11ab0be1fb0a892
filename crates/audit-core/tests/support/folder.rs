//! Folders of tiles in memory.

use std::collections::BTreeMap;

use audit_core::{
    CHECKPOINT_PATH, CHECKPOINTS_PATH, Tile, TileWriter, Verification, VerifyOptions, verify_tiles,
};

use crate::ledger::Ledger;

/// Paths and contents.
#[derive(Clone, Debug, Default)]
pub(crate) struct Folder {
    pub(crate) files: BTreeMap<String, Vec<u8>>,
}

impl Folder {
    /// A ledger with the checkpoints at these sizes; the last is that of the whole.
    pub(crate) fn of(ledger: &Ledger, sizes: &[usize]) -> Self {
        let mut writer = TileWriter::new();
        let mut folder = Self::default();
        for event in &ledger.events {
            folder.put(writer.push(event).unwrap());
        }
        folder.put(writer.partial());
        let notes: Vec<_> = sizes.iter().map(|size| ledger.checkpoint(*size)).collect();
        let newest = notes.last().unwrap().clone().into_bytes();
        let all: String = notes.iter().map(|note| format!("{note}\n")).collect();
        folder.files.insert(CHECKPOINT_PATH.to_owned(), newest);
        folder
            .files
            .insert(CHECKPOINTS_PATH.to_owned(), all.into_bytes());
        folder
    }

    fn put(&mut self, files: Vec<audit_core::TileFile>) {
        let files = files
            .into_iter()
            .map(|file| (file.tile.to_string(), file.bytes));
        self.files.extend(files);
    }

    pub(crate) fn read(&self, tile: &Tile) -> Option<Vec<u8>> {
        self.files.get(&tile.to_string()).cloned()
    }

    pub(crate) fn verify(&self, options: VerifyOptions) -> Verification {
        verify_tiles(options, |path| self.files.get(path).cloned())
    }
}
