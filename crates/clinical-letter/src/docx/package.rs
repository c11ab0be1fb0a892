//! The zip package: parts, relationships, limits, active content (sections 7.1 and 9).

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};

use nhs_types::Location;
use zip::ZipArchive;

use super::xml::{self, Element, Ns};
use crate::limits::ZIP_RATIO_FREE_BYTES;
use crate::reading::{Notes, Refusal};
use crate::{Limits, Reason};

/// An open package, and how much was inflated from it.
pub(super) struct Package<'a> {
    archive: ZipArchive<Cursor<&'a [u8]>>,
    limits: Limits,
    inflated: u64,
}

/// A link from a part to another part, or to the outside.
pub(super) struct Relationship {
    pub(super) kind: String,
    pub(super) target: String,
    pub(super) external: bool,
}

pub(super) type Relationships = BTreeMap<String, Relationship>;

impl<'a> Package<'a> {
    pub(super) fn open(bytes: &'a [u8], limits: Limits) -> Result<Self, Refusal> {
        let archive = ZipArchive::new(Cursor::new(bytes))
            .map_err(|_| malformed("zip", "the zip directory cannot be read"))?;
        let package = Self {
            archive,
            limits,
            inflated: 0,
        };
        package.check_directory()?;
        Ok(package)
    }

    fn check_directory(&self) -> Result<(), Refusal> {
        let (count, limit) = (self.archive.len(), self.limits.zip_entries);
        if count > limit {
            let why = format!("the zip has {count} entries, the limit is {limit}");
            return Err(Refusal::new(Reason::TooLarge, place("zip"), why));
        }
        if self.archive.has_duplicate_names() {
            return Err(malformed("zip", "two entries of the zip have one name"));
        }
        let safe = |name: &str| {
            !name.starts_with('/')
                && !name.contains('\\')
                && !name.split('/').any(|one| one == "..")
        };
        if self.names().iter().all(|name| safe(name)) {
            Ok(())
        } else {
            Err(malformed(
                "zip",
                "an entry's name is absolute or leaves its folder",
            ))
        }
    }

    /// Names of all entries; one that is no text is given as a name that is never safe.
    fn names(&self) -> Vec<String> {
        let names = self.archive.file_names();
        names
            .map(|name| name.map_or_else(|_| "..".to_owned(), |name| name.into_owned()))
            .collect()
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.archive.index_for_name(name).is_some()
    }

    /// Inflates and parses a part.
    pub(super) fn part(&mut self, name: &str) -> Result<Element, Refusal> {
        let bytes = self.inflate(name)?;
        xml::parse(&bytes, name, &self.limits)
    }

    /// Inflates an entry, counting while reading: what the headers say is not believed.
    fn inflate(&mut self, name: &str) -> Result<Vec<u8>, Refusal> {
        let broken = |_| malformed(name, "the part is missing or cannot be inflated");
        let too_large = |what: &str| Err(Refusal::new(Reason::TooLarge, place(name), what));
        let limits = self.limits;
        let mut entry = self.archive.by_name(name).map_err(broken)?;
        if entry.encrypted() {
            let why = "the part is encrypted";
            return Err(Refusal::new(Reason::Encrypted, place(name), why));
        }
        let stored = entry.compressed_size().max(1);
        let mut bytes = Vec::new();
        let mut chunk = vec![0_u8; 64 * 1024];
        loop {
            let count = entry
                .read(&mut chunk)
                .map_err(|_| malformed(name, "the part cannot be inflated: the file is damaged"))?;
            if count == 0 {
                return Ok(bytes);
            }
            bytes.extend_from_slice(chunk.get(..count).unwrap_or_default());
            let length = bytes.len() as u64;
            self.inflated += count as u64;
            if length > limits.zip_entry_bytes {
                return too_large("the part inflates past the limit of one entry");
            }
            if self.inflated > limits.zip_total_bytes {
                return too_large("the zip inflates past the limit of all entries");
            }
            if length > ZIP_RATIO_FREE_BYTES && length / stored > limits.zip_ratio {
                return too_large("the part inflates past the limit of its ratio");
            }
        }
    }

    /// The relationships of a part; `""` stands for those of the package.
    pub(super) fn relationships(&mut self, part: &str) -> Result<Relationships, Refusal> {
        let (folder, file) = part.rsplit_once('/').unwrap_or(("", part));
        let slash = if folder.is_empty() { "" } else { "/" };
        let name = format!("{folder}{slash}_rels/{file}.rels");
        if !self.has(&name) {
            return Ok(Relationships::new());
        }
        let root = self.part(&name)?;
        let all = root.elements().filter_map(|one| {
            let attribute = |name| one.attribute(Ns::None, name);
            let external = attribute("TargetMode") == Some("External");
            let target = attribute("Target")?;
            let kind = attribute("Type")?.rsplit('/').next()?;
            let relationship = Relationship {
                kind: kind.to_owned(),
                target: if external {
                    String::new()
                } else {
                    resolved(folder, target)
                },
                external,
            };
            Some((attribute("Id")?.to_owned(), relationship))
        });
        Ok(all.collect())
    }

    /// Holds macros, embedded objects and links that fetch (section 9).
    pub(super) fn check_active(&mut self, notes: &mut Notes) -> Result<(), Refusal> {
        let active = |name: &String| {
            name.ends_with("vbaProject.bin")
                || name.starts_with("word/activeX")
                || name.starts_with("word/embeddings/")
        };
        let names = self.names();
        let mut found = names.iter().any(active);
        let types = self.part("[Content_Types].xml")?;
        found |= types.elements().any(|one| {
            let kind = one.attribute(Ns::None, "ContentType").unwrap_or_default();
            kind.to_ascii_lowercase().contains("macroenabled")
        });
        for name in names.iter().filter(|name| name.ends_with(".rels")) {
            found |= self.part(name)?.elements().any(fetches);
        }
        if found {
            let why = "the file holds macros, embedded objects or links that fetch";
            notes.stop(Reason::ActiveContent, place("zip"), why);
        }
        Ok(())
    }
}

/// A relationship to the outside other than a hyperlink.
fn fetches(relationship: &Element) -> bool {
    let attribute = |name| relationship.attribute(Ns::None, name).unwrap_or_default();
    attribute("TargetMode") == "External" && !attribute("Type").ends_with("/hyperlink")
}

fn resolved(folder: &str, target: &str) -> String {
    let whole = match target.strip_prefix('/') {
        Some(absolute) => absolute.to_owned(),
        None => format!("{folder}/{target}"),
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in whole.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

pub(super) fn place(name: &str) -> Location {
    Location::Named(name.to_owned())
}

pub(super) fn malformed(name: &str, why: &str) -> Refusal {
    Refusal::new(Reason::Malformed, place(name), why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_resolved_within_the_package() {
        assert_eq!(resolved("word", "header1.xml"), "word/header1.xml");
        assert_eq!(
            resolved("word", "../customXml/item1.xml"),
            "customXml/item1.xml"
        );
        assert_eq!(resolved("", "/word/document.xml"), "word/document.xml");
        assert_eq!(resolved("word", "../../../etc/passwd"), "etc/passwd");
    }
}
