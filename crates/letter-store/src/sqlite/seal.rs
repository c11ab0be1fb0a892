//! The wrapped keys of the letters, in a file of their own.

use std::path::Path;

use audit_core::StreamKey;
use letter_delivery::StoreError;
use rusqlite::{Connection, OptionalExtension as _, params};
use zeroize::Zeroizing;

use super::{KeepError, OpenError, keeping, schema};
use crate::MasterKey;
use crate::cipher::{Cipher, LetterKey, key_is_gone};

pub(super) struct Seal {
    cipher: Cipher,
    keys: Connection,
}

impl Seal {
    /// Opens the key file of a database.
    pub(super) fn open(db: &Connection, path: &Path, key: &MasterKey) -> Result<Self, OpenError> {
        Self::open_with(db, &schema::keys_path(path), key)
    }

    /// Opens a key file that lies somewhere else.
    pub(super) fn open_with(
        db: &Connection,
        keys: &Path,
        key: &MasterKey,
    ) -> Result<Self, OpenError> {
        Ok(Self {
            cipher: Cipher::new(key).map_err(|error| unavailable(keys, &error))?,
            keys: schema::open_keys(db, keys, key)?,
        })
    }

    /// The key file.
    pub(super) const fn keys(&self) -> &Connection {
        &self.keys
    }

    /// Lets a copy of a key file go, as one file by itself.
    pub(super) fn close(self, path: &Path) -> Result<(), KeepError> {
        keeping::close_keys(self.keys, path)
    }

    /// Whether this is the key the store was made with; a new store learns it.
    pub(super) fn check(&self, db: &Connection, path: &Path) -> Result<(), OpenError> {
        let failed = |error: &rusqlite::Error| schema::open_error(path, error);
        if read_check(db).map_err(|error| failed(&error))?.is_none() {
            self.learn(db, path)?;
        }
        // Read again: another process may have been first to make the store.
        match read_check(db).map_err(|error| failed(&error))? {
            Some(sealed) if self.cipher.proves(&sealed) => Ok(()),
            _ => Err(OpenError::WrongKey {
                path: path.to_owned(),
            }),
        }
    }

    /// Whether the proof in the store is there, and of this key.
    pub(super) fn is_proven(&self, db: &Connection) -> rusqlite::Result<bool> {
        Ok(read_check(db)?.is_some_and(|sealed| self.cipher.proves(&sealed)))
    }

    fn learn(&self, db: &Connection, path: &Path) -> Result<(), OpenError> {
        let sealed = self
            .cipher
            .key_check()
            .map_err(|error| unavailable(path, &error))?;
        // Only an empty store learns a key: one with events that lost its proof is damaged.
        let sql = "INSERT OR IGNORE INTO key_check (id, sealed) \
                   SELECT 1, ?1 WHERE NOT EXISTS (SELECT 1 FROM event)";
        db.execute(sql, [sealed])
            .map_err(|error| schema::open_error(path, &error))?;
        if read_check(db).is_ok_and(|found| found.is_none()) {
            return Err(OpenError::NotAStore {
                path: path.to_owned(),
                cause: "it holds letters and no proof of its key".to_owned(),
            });
        }
        Ok(())
    }

    /// Begins the keys' own transaction: it ends before the commit that needs them.
    pub(super) fn begin(&self) -> Result<(), StoreError> {
        self.keys
            .execute_batch("BEGIN IMMEDIATE")
            .map_err(|error| schema::store_error(&error))
    }

    pub(super) fn finish(&self) -> Result<(), StoreError> {
        self.keys
            .execute_batch("COMMIT")
            .map_err(|error| schema::store_error(&error))
    }

    /// Whether the keys' transaction ended before it should.
    pub(super) fn is_lost(&self) -> bool {
        self.keys.is_autocommit()
    }

    pub(super) fn abandon(&self) {
        // A transaction that cannot be rolled back ends with its connection: nothing to add.
        let _ = self.keys.execute_batch("ROLLBACK");
    }

    /// Seals a content of a letter, making the letter's key when it has none.
    pub(super) fn seal(
        &self,
        letter: StreamKey,
        plain: &[u8],
        about: &[u8],
    ) -> Result<Vec<u8>, StoreError> {
        let key = match self.key_of(letter)? {
            Some(key) => key,
            None => self.make_key(letter)?,
        };
        self.cipher.seal(&key, plain, about)
    }

    /// Opens a content of a letter.
    pub(super) fn open_sealed(
        &self,
        letter: StreamKey,
        sealed: &[u8],
        about: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        let key = self.key_of(letter)?.ok_or_else(key_is_gone)?;
        key.open(sealed, about)
    }

    /// Whether the letter's key is gone, and with it all that was sealed.
    pub(super) fn is_erased(&self, letter: StreamKey) -> Result<bool, StoreError> {
        Ok(self.key_of(letter)?.is_none())
    }

    fn key_of(&self, letter: StreamKey) -> Result<Option<LetterKey>, StoreError> {
        let wrapped: Option<Vec<u8>> = self
            .keys
            .prepare_cached("SELECT wrapped FROM data_key WHERE letter = ?1")
            .and_then(|mut statement| {
                statement
                    .query_row([letter.as_bytes()], |row| row.get(0))
                    .optional()
            })
            .map_err(|error| schema::store_error(&error))?;
        wrapped
            .map(|wrapped| self.cipher.unwrap(letter, &wrapped))
            .transpose()
    }

    fn make_key(&self, letter: StreamKey) -> Result<LetterKey, StoreError> {
        let (key, wrapped) = self.cipher.make_key(letter)?;
        self.keys
            .prepare_cached("INSERT INTO data_key (letter, wrapped) VALUES (?1, ?2)")
            .and_then(|mut statement| statement.execute(params![letter.as_bytes(), wrapped]))
            .map_err(|error| schema::store_error(&error))?;
        Ok(key)
    }
}

fn read_check(db: &Connection) -> rusqlite::Result<Option<Vec<u8>>> {
    db.query_row("SELECT sealed FROM key_check", [], |row| row.get(0))
        .optional()
}

fn unavailable(path: &Path, error: &StoreError) -> OpenError {
    OpenError::Unavailable {
        path: path.to_owned(),
        cause: error.to_string(),
    }
}
