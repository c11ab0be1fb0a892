//! `audit export`: the ledger as a folder of files (C2SP tlog-tiles) that anybody can check.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use audit_core::{
    CHECKPOINT_PATH, CHECKPOINTS_PATH, Data, SignedCheckpoint, Tile, TileFile, TileKind,
    TileWriter, VerifierKey,
};
use serde_json::json;

use super::opened::Opened;
use crate::commands::Context;
use crate::config::Config;
use crate::exit::Exit;
use crate::output::{say, say_json};

/// How many events are read at a time.
const BATCH: u32 = 4_096;

pub(super) async fn export(config: &Config, context: &Context, dir: &Path) -> Result<(), Exit> {
    let trust = config.one_trust(context.trust.as_deref())?;
    let mut opened = Opened::open(config, trust).await?;
    let key = opened.ledger.verifier_key();
    let folder = Folder::open(dir, &key)?;
    let (mut writer, from) = folder.resume()?;
    opened
        .note("audit.exported", Data::new().with("from", from))
        .await?;
    let signed = opened.newest_checkpoint().await?;
    let size = signed.checkpoint().size;
    while writer.size() < size {
        let rest = u32::try_from(size - writer.size()).unwrap_or(u32::MAX);
        let entries = opened.store.entries(writer.size(), rest.min(BATCH)).await?;
        if entries.is_empty() {
            return Err(not_as_signed("the store"));
        }
        for entry in entries {
            let full = writer.push(&entry).map_err(|error| too_long(&error))?;
            folder.write_tiles(&full)?;
        }
    }
    if writer.root() != signed.checkpoint().root {
        return Err(not_as_signed("the store, or the folder"));
    }
    folder.write_tiles(&writer.partial())?;
    let all = opened.store.checkpoints().await?;
    let all: String = all.iter().map(|note| format!("{note}\n")).collect();
    folder.write(CHECKPOINTS_PATH, all.as_bytes())?;
    folder.write(CHECKPOINT_PATH, signed.to_text().as_bytes())?;
    if context.json {
        return say_json(&json!({
            "trust": trust.code, "events": size, "new": size.saturating_sub(from),
            "root": signed.checkpoint().root.to_string(), "key": key.to_string(),
        }));
    }
    let new = size.saturating_sub(from);
    say(&format!(
        "{}: {size} events, {new} of them new, root {}",
        trust.code,
        signed.checkpoint().root
    ))?;
    say(&format!("  verifier key: {key}"))
}

fn not_as_signed(what: &str) -> Exit {
    Exit::Wanting(format!(
        "{what} does not lead to the signed root: run `audit verify`, and export to an empty folder"
    ))
}

fn too_long(error: &audit_core::TileError) -> Exit {
    Exit::Wanting(format!("an event cannot be exported: {error}"))
}

/// A folder that was exported to before, or is empty.
struct Folder<'a> {
    dir: &'a Path,
    before: Option<SignedCheckpoint>,
}

impl<'a> Folder<'a> {
    fn open(dir: &'a Path, key: &VerifierKey) -> Result<Self, Exit> {
        fs::create_dir_all(dir).map_err(|error| unusable(dir, &error))?;
        let text = match fs::read_to_string(dir.join(CHECKPOINT_PATH)) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Self::empty(dir);
            }
            Err(error) => return Err(unusable(dir, &error)),
        };
        let before = SignedCheckpoint::parse(&text, std::slice::from_ref(key));
        let before = before.map_err(|error| {
            Exit::Wanting(format!(
                "{} holds an export of another ledger, or was changed: {error}; name an empty \
                 folder",
                dir.display()
            ))
        })?;
        Ok(Self {
            dir,
            before: Some(before),
        })
    }

    /// What is no export of ours is not written into, but for one that was broken off.
    fn empty(dir: &'a Path) -> Result<Self, Exit> {
        let entries = fs::read_dir(dir).map_err(|error| unusable(dir, &error))?;
        let ours = ["tile", CHECKPOINTS_PATH];
        for entry in entries {
            let name = entry?.file_name();
            if !ours.iter().any(|ours| name == *ours) {
                return Err(Exit::Configuration(format!(
                    "{} holds other files: name an empty folder, or one that was exported to",
                    dir.display()
                )));
            }
        }
        Ok(Self { dir, before: None })
    }

    /// Goes on where the folder ends; its end must be what was signed.
    fn resume(&self) -> Result<(TileWriter, u64), Exit> {
        let Some(before) = &self.before else {
            return Ok((TileWriter::new(), 0));
        };
        let before = before.checkpoint();
        let read = |tile: &Tile| fs::read(self.dir.join(tile.to_string())).ok();
        let writer = TileWriter::resume(before.size, read)
            .map_err(|error| Exit::Wanting(format!("{}: {error}", self.dir.display())))?;
        if writer.root() != before.root {
            return Err(not_as_signed("the folder"));
        }
        Ok((writer, before.size))
    }

    fn write_tiles(&self, files: &[TileFile]) -> Result<(), Exit> {
        for file in files {
            self.write(&file.tile.to_string(), &file.bytes)?;
            self.remove_partial(&file.tile);
        }
        Ok(())
    }

    /// Whole or not at all: a reader never sees half a file.
    fn write(&self, path: &str, bytes: &[u8]) -> Result<(), Exit> {
        let path = self.dir.join(path);
        let write = || {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            let beside = path.with_extension("new");
            let mut file = fs::File::create(&beside)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&beside, &path)
        };
        write().map_err(|error| unusable(&path, &error))
    }

    /// A full tile makes its partial forms superfluous (C2SP tlog-tiles).
    fn remove_partial(&self, tile: &Tile) {
        let is_full = tile.width == audit_core::TILE_WIDTH;
        if is_full && matches!(tile.kind, TileKind::Entries | TileKind::Hashes(_)) {
            // What cannot be removed does no harm.
            let _ = fs::remove_dir_all(self.dir.join(format!("{tile}.p")));
        }
    }
}

fn unusable(path: &Path, error: &std::io::Error) -> Exit {
    Exit::Unavailable(format!("cannot use {}: {error}", path.display()))
}
