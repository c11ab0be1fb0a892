//! Files are moved on, so that no crash on the way makes a document another one.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use super::Folder;
use super::listing::Item;

/// What tells whether a file was written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Print {
    pub(crate) bytes: u64,
    pub(crate) changed: SystemTime,
}

impl Print {
    pub(crate) fn of(file: &Path) -> io::Result<Self> {
        let about = fs::symlink_metadata(file)?;
        Ok(Self {
            bytes: about.len(),
            changed: about.modified()?,
        })
    }

    pub(super) fn text(&self) -> String {
        let since = self.changed.duration_since(UNIX_EPOCH).unwrap_or_default();
        format!("{} {}", self.bytes, since.as_nanos())
    }
}

/// Moves a document with its sidecar. The document goes first: without its sidecar it would be
/// another document. A note beside the sidecar lets the next look finish what a crash broke off.
pub(super) fn move_item(item: &Item, to: &Path) -> io::Result<PathBuf> {
    fs::create_dir_all(to)?;
    let Some(sidecar) = &item.sidecar else {
        return move_to(&item.document, to);
    };
    let note = note_path(sidecar);
    let (own, other) = (Print::of(sidecar)?, Print::of(&item.document)?);
    let name = end_of(to);
    let noted = fs::write(&note, format!("{}\n{}\n{name}\n", own.text(), other.text()));
    let moved = move_to(&item.document, to)?;
    move_to(sidecar, to)?;
    if noted.is_ok() {
        fs::remove_file(&note)?;
    }
    Ok(moved)
}

/// Finishes a move that a crash broke off.
pub(super) fn finish_move(sidecar: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    move_to(sidecar, to)?;
    fs::remove_file(note_path(sidecar))
}

/// Where a sidecar was on its way to, when its document has gone there already.
pub(super) fn was_being_moved<'a>(
    sidecar: &Path,
    folder: &Folder,
    documents: &mut impl Iterator<Item = &'a PathBuf>,
) -> Option<PathBuf> {
    let note = fs::read_to_string(note_path(sidecar)).ok()?;
    let mut lines = note.lines();
    let (own, other, name) = (lines.next()?, lines.next()?, lines.next()?);
    let is_as_noted = |file: &Path, noted| Print::of(file).is_ok_and(|print| print.text() == noted);
    if !is_as_noted(sidecar, own) || documents.any(|document| is_as_noted(document, other)) {
        return None;
    }
    let was_refused = end_of(&folder.refused) == name && end_of(&folder.taken) != name;
    let to = if was_refused {
        &folder.refused
    } else {
        &folder.taken
    };
    Some(to.clone())
}

fn end_of(folder: &Path) -> std::borrow::Cow<'_, str> {
    folder.file_name().unwrap_or_default().to_string_lossy()
}

fn note_path(sidecar: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(sidecar.file_name().unwrap_or_default());
    name.push(".moving");
    sidecar.with_file_name(name)
}

/// Moves a file into a folder under its own name, with a number when that is taken.
pub(super) fn move_to(file: &Path, folder: &Path) -> io::Result<PathBuf> {
    let target = free_name(file, folder)?;
    let moved = match fs::rename(file, &target) {
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => copy_over(file, &target),
        other => other,
    };
    if let Err(error) = moved {
        // Nobody else has this name: what stands there is ours, and not whole.
        let _ = fs::remove_file(&target);
        return Err(error);
    }
    Ok(target)
}

/// Takes a free name by making an empty file of it, so that no two moves meet on one.
fn free_name(file: &Path, folder: &Path) -> io::Result<PathBuf> {
    let name = file.file_name().unwrap_or_default();
    let mut target = folder.join(name);
    let mut number = 1_u32;
    loop {
        let made = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&target);
        match made {
            Ok(_) => return Ok(target),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        let mut other = name.to_owned();
        other.push(format!(".{number}"));
        target = folder.join(other);
        number = number.saturating_add(1);
    }
}

/// The copy is on disk before the original goes.
fn copy_over(file: &Path, target: &Path) -> io::Result<()> {
    let mut copy = fs::OpenOptions::new().write(true).open(target)?;
    io::copy(&mut fs::File::open(file)?, &mut copy)?;
    copy.sync_all()?;
    fs::remove_file(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    fn file(folder: &TempDir, name: &str, text: &str) -> PathBuf {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    #[test]
    fn a_name_that_is_taken_gets_a_number_and_nothing_is_written_over() {
        let (from, to) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let names: Vec<_> = ["one", "two", "three"]
            .map(|text| move_to(&file(&from, "a.txt", text), to.path()).unwrap())
            .iter()
            .map(|path| {
                (
                    path.file_name().unwrap().to_owned(),
                    fs::read(path).unwrap(),
                )
            })
            .collect();
        let expected = [("a.txt", "one"), ("a.txt.1", "two"), ("a.txt.2", "three")];
        let expected = expected.map(|(name, text)| (name.into(), text.as_bytes().to_vec()));
        assert_eq!(names, expected);
        assert_eq!(fs::read_dir(from.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_move_across_devices_copies_first_and_leaves_one() {
        let folder = TempDir::new().unwrap();
        let original = file(&folder, "a.txt", "a letter");
        let target = file(&folder, "b.txt", "");
        copy_over(&original, &target).unwrap();
        assert_eq!(fs::read_to_string(&target).unwrap(), "a letter");
        assert!(!original.exists());
    }

    #[test]
    fn a_move_that_fails_leaves_the_file_and_no_trace() {
        let (from, to) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let missing = from.path().join("gone.txt");
        let error = move_to(&missing, to.path()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert_eq!(fs::read_dir(to.path()).unwrap().count(), 0);
    }
}
