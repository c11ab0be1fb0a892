//! Contents are sealed under a key of their letter, which is wrapped by the trust's key and kept
//! in a file of its own: destroying that one row makes every copy of the content unreadable.

use std::path::Path;

use audit_core::StreamKey;
use letter_delivery::StoreError;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom as _, SystemRandom};
use rusqlite::{Connection, OptionalExtension as _, params};
use zeroize::Zeroizing;

use super::{OpenError, schema};
use crate::MasterKey;

/// What the master key seals in each store, to be known again.
const KEY_CHECK: &[u8] = b"letterbox store";

pub(super) struct Seal {
    wrapping: LessSafeKey,
    keys: Connection,
    random: SystemRandom,
}

impl Seal {
    /// Opens the key file of a database.
    pub(super) fn open(db: &Connection, path: &Path, key: &MasterKey) -> Result<Self, OpenError> {
        let wrapping = aead(&key.wrapping()).map_err(|error| OpenError::Unavailable {
            path: path.to_owned(),
            cause: error.to_string(),
        })?;
        Ok(Self {
            wrapping,
            keys: schema::open_keys(db, path)?,
            random: SystemRandom::new(),
        })
    }

    /// Whether this is the key the store was made with; a new store learns it.
    pub(super) fn check(&self, db: &Connection, path: &Path) -> Result<(), OpenError> {
        let failed = |error: &rusqlite::Error| schema::open_error(path, error);
        if read_check(db).map_err(|error| failed(&error))?.is_none() {
            self.learn(db, path)?;
        }
        // Read again: another process may have been first to make the store.
        match read_check(db).map_err(|error| failed(&error))? {
            Some(sealed) if self.proves(&sealed) => Ok(()),
            _ => Err(OpenError::WrongKey {
                path: path.to_owned(),
            }),
        }
    }

    /// Whether a store's proof is of this key.
    fn proves(&self, sealed: &[u8]) -> bool {
        open_with(&self.wrapping, sealed, b"").is_ok_and(|text| text.as_slice() == KEY_CHECK)
    }

    /// Whether the proof in the store is there, and of this key.
    pub(super) fn is_proven(&self, db: &Connection) -> rusqlite::Result<bool> {
        Ok(read_check(db)?.is_some_and(|sealed| self.proves(&sealed)))
    }

    fn learn(&self, db: &Connection, path: &Path) -> Result<(), OpenError> {
        let sealed = self.seal_with(&self.wrapping, KEY_CHECK, b"");
        let sealed = sealed.map_err(|error| OpenError::Unavailable {
            path: path.to_owned(),
            cause: error.to_string(),
        })?;
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
        self.seal_with(&aead(&key)?, plain, about)
    }

    /// Opens a content of a letter.
    pub(super) fn open_sealed(
        &self,
        letter: StreamKey,
        sealed: &[u8],
        about: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        let key = self.key_of(letter)?;
        let key = key.ok_or_else(|| StoreError::Corrupt("the letter's key is gone".to_owned()))?;
        open_with(&aead(&key)?, sealed, about)
    }

    /// Whether the letter's key is gone, and with it all that was sealed.
    pub(super) fn is_erased(&self, letter: StreamKey) -> Result<bool, StoreError> {
        Ok(self.key_of(letter)?.is_none())
    }

    fn key_of(&self, letter: StreamKey) -> Result<Option<Zeroizing<[u8; 32]>>, StoreError> {
        let wrapped: Option<Vec<u8>> = self
            .keys
            .prepare_cached("SELECT wrapped FROM data_key WHERE letter = ?1")
            .and_then(|mut statement| {
                statement
                    .query_row([letter.as_bytes()], |row| row.get(0))
                    .optional()
            })
            .map_err(|error| schema::store_error(&error))?;
        let Some(wrapped) = wrapped else {
            return Ok(None);
        };
        let plain = open_with(&self.wrapping, &wrapped, letter.as_bytes())?;
        let key: [u8; 32] = plain
            .as_slice()
            .try_into()
            .map_err(|_| StoreError::Corrupt("a wrapped key has another length".to_owned()))?;
        Ok(Some(Zeroizing::new(key)))
    }

    fn make_key(&self, letter: StreamKey) -> Result<Zeroizing<[u8; 32]>, StoreError> {
        let mut key = Zeroizing::new([0; 32]);
        self.random
            .fill(key.as_mut())
            .map_err(|_| no_randomness())?;
        let wrapped = self.seal_with(&self.wrapping, key.as_slice(), letter.as_bytes())?;
        self.keys
            .prepare_cached("INSERT INTO data_key (letter, wrapped) VALUES (?1, ?2)")
            .and_then(|mut statement| statement.execute(params![letter.as_bytes(), wrapped]))
            .map_err(|error| schema::store_error(&error))?;
        Ok(key)
    }

    fn seal_with(
        &self,
        key: &LessSafeKey,
        plain: &[u8],
        about: &[u8],
    ) -> Result<Vec<u8>, StoreError> {
        let mut nonce = [0; NONCE_LEN];
        self.random.fill(&mut nonce).map_err(|_| no_randomness())?;
        let mut body = plain.to_vec();
        let nonce_value = Nonce::assume_unique_for_key(nonce);
        key.seal_in_place_append_tag(nonce_value, Aad::from(about), &mut body)
            .map_err(|_| StoreError::Unavailable("a content could not be sealed".to_owned()))?;
        let mut sealed = Vec::with_capacity(nonce.len() + body.len());
        sealed.extend_from_slice(&nonce);
        sealed.append(&mut body);
        Ok(sealed)
    }
}

fn read_check(db: &Connection) -> rusqlite::Result<Option<Vec<u8>>> {
    db.query_row("SELECT sealed FROM key_check", [], |row| row.get(0))
        .optional()
}

fn aead(key: &[u8; 32]) -> Result<LessSafeKey, StoreError> {
    UnboundKey::new(&AES_256_GCM, key)
        .map(LessSafeKey::new)
        .map_err(|_| StoreError::Corrupt("a key has another length".to_owned()))
}

fn open_with(
    key: &LessSafeKey,
    sealed: &[u8],
    about: &[u8],
) -> Result<Zeroizing<Vec<u8>>, StoreError> {
    let broken = || StoreError::Corrupt("a sealed content does not open".to_owned());
    let (nonce, body) = sealed.split_at_checked(NONCE_LEN).ok_or_else(broken)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| broken())?;
    let mut plain = Zeroizing::new(body.to_vec());
    let length = key
        .open_in_place(nonce, Aad::from(about), &mut plain)
        .map_err(|_| broken())?
        .len();
    plain.truncate(length);
    Ok(plain)
}

fn no_randomness() -> StoreError {
    StoreError::Unavailable("the operating system gave no random bytes".to_owned())
}
