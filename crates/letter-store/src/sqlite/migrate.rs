//! From an older version's tables to this one's: in one transaction, or not at all.

use std::path::Path;

use rusqlite::Connection;

use super::{OpenError, lock, schema};
use crate::MasterKey;

/// Versions of a store's tables.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Versions {
    /// Those the file has; 0 when there is none yet.
    pub found: i64,
    /// Those this program knows.
    pub known: i64,
    /// The tables and indexes that the way from one to the other adds.
    pub adds: Vec<String>,
}

impl Versions {
    /// Whether the store is of an older version.
    pub const fn is_older(&self) -> bool {
        self.found > 0 && self.found < self.known
    }
}

/// Looks at a store's version, and tries the migration without keeping it.
pub(super) fn versions(path: &Path, key: &MasterKey) -> Result<Versions, OpenError> {
    let known = schema::known();
    if !path.exists() {
        return Ok(Versions {
            found: 0,
            known,
            adds: Vec::new(),
        });
    }
    let db = schema::open_as_it_is(path, key)?;
    let found = schema::version(&db, path)?;
    let mut adds = Vec::new();
    if found > 0 && found < known {
        let failed = |error: rusqlite::Error| schema::open_error(path, &error);
        let before = schema::definitions(&db).map_err(failed)?;
        let trial = schema::begin(&db, path)?;
        schema::take_to(&trial, path, known)?;
        let after = schema::definitions(&trial).map_err(failed)?;
        let names = after.into_iter().filter(|one| !before.contains(one));
        adds.extend(names.map(|(name, _)| name));
    }
    Ok(Versions { found, known, adds })
}

/// Takes an older store to this version, unless the engine of another process works on it: that
/// may be the older version's, which could not open the store again after it.
pub(super) fn migrate(db: &Connection, path: &Path) -> Result<(), OpenError> {
    let (found, known) = (schema::version(db, path)?, schema::known());
    if found == known {
        return Ok(());
    }
    let _alone = match lock::lock(path) {
        Ok(lock) => Some(lock),
        Err(OpenError::Locked { .. }) if found > 0 => {
            return Err(OpenError::Older {
                path: path.to_owned(),
                found,
                known,
            });
        }
        // Two may make the same new store: the transaction keeps them apart.
        Err(OpenError::Locked { .. }) => None,
        Err(other) => return Err(other),
    };
    let change = schema::begin(db, path)?;
    schema::take_to(&change, path, known)?;
    change
        .commit()
        .map_err(|error| schema::open_error(path, &error))
}

#[cfg(test)]
mod tests;
