//! The wrapped keys of the letters, in a place of their own.

use std::collections::{BTreeMap, BTreeSet};

use audit_core::StreamKey;
use deadpool_postgres::Pool;
use letter_delivery::StoreError;
use tokio_postgres::types::ToSql;
use zeroize::Zeroizing;

use super::connect::one;
use super::fault::store_error;
use super::row::{Value, mac};
use super::work::execute;
use crate::cipher::{Cipher, LetterKey, key_is_gone};
use crate::row_mac::RowKey;

const READ: &str = "SELECT letter, wrapped FROM data_key WHERE letter = ANY($1)";
const WRITE: &str = "INSERT INTO data_key (letter, wrapped) SELECT * FROM unnest($1::bytea[], $2::bytea[]) \
     ON CONFLICT DO NOTHING";

/// The keys of the letters.
pub(super) struct Keys {
    cipher: Cipher,
    pool: Pool,
}

/// Keys of some letters, unwrapped.
pub(super) struct LetterKeys<'a> {
    cipher: &'a Cipher,
    keys: BTreeMap<StreamKey, LetterKey>,
}

impl Keys {
    pub(super) const fn new(cipher: Cipher, pool: Pool) -> Self {
        Self { cipher, pool }
    }

    pub(super) const fn cipher(&self) -> &Cipher {
        &self.cipher
    }

    /// The keys of letters that have one.
    pub(super) async fn read(
        &self,
        letters: &BTreeSet<StreamKey>,
    ) -> Result<LetterKeys<'_>, StoreError> {
        let mut keys = BTreeMap::new();
        if !letters.is_empty() {
            let names: Vec<&[u8]> = letters
                .iter()
                .map(|key| key.as_bytes().as_slice())
                .collect();
            let client = one(&self.pool).await?;
            let rows = async {
                let statement = client.prepare_cached(READ).await?;
                client.query(&statement, &[&names]).await
            };
            for row in rows.await.map_err(|error| store_error(&error))? {
                let (letter, wrapped) = (stream(&row, 0)?, bytes(&row, 1)?);
                keys.insert(letter, self.cipher.unwrap(letter, &wrapped)?);
            }
        }
        let cipher = &self.cipher;
        Ok(LetterKeys { cipher, keys })
    }

    /// The keys of letters, made where there are none: durable before the commit that needs them.
    pub(super) async fn make(
        &self,
        letters: &BTreeSet<StreamKey>,
    ) -> Result<LetterKeys<'_>, StoreError> {
        let held = self.read(letters).await?;
        let missing = letters.iter().filter(|key| !held.keys.contains_key(key));
        let (mut names, mut wrapped) = (Vec::new(), Vec::new());
        for letter in missing {
            names.push(letter.as_bytes().as_slice());
            wrapped.push(self.cipher.make_key(*letter)?.1);
        }
        if names.is_empty() {
            return Ok(held);
        }
        let client = one(&self.pool).await?;
        let values: [&(dyn ToSql + Sync); 2] = [&names, &wrapped];
        let written = async {
            let statement = client.prepare_cached(WRITE).await?;
            client.execute(&statement, &values).await
        };
        written.await.map_err(|error| store_error(&error))?;
        drop(client);
        // Read again: another process may have been first to make one of them.
        self.read(letters).await
    }
}

impl Keys {
    /// Forgets these letters' keys, and remembers that it must.
    ///
    /// The table is written anew, so that no page of it holds them any more. The log of the server
    /// holds the wrapped key until it is recycled, and so do archives and backups of this place.
    pub(super) async fn destroy(
        &self,
        rows: &RowKey,
        letters: &[(StreamKey, i64)],
    ) -> Result<(), StoreError> {
        const FORGET: &str = "DELETE FROM data_key WHERE letter = $1";
        const REMEMBER: &str = "INSERT INTO erased_key (letter, at, mac) VALUES ($1, $2, $3) \
             ON CONFLICT (letter) DO UPDATE SET at = excluded.at, mac = excluded.mac";
        let failed = |error| store_error(&error);
        let mut client = one(&self.pool).await?;
        let change = client.transaction().await.map_err(failed)?;
        for (letter, at) in letters {
            let letter = letter.as_bytes().as_slice();
            let row = [Value::blob(letter), Value::Integer(*at)];
            let mac = mac(rows, "erased_key", &row);
            execute(&change, FORGET, &[&letter]).await?;
            execute(&change, REMEMBER, &[&letter, at, &mac]).await?;
        }
        change.commit().await.map_err(failed)?;
        client
            .batch_execute("VACUUM FULL data_key")
            .await
            .map_err(failed)
    }
}

impl LetterKeys<'_> {
    pub(super) fn has(&self, letter: StreamKey) -> bool {
        self.keys.contains_key(&letter)
    }

    pub(super) fn seal(
        &self,
        letter: StreamKey,
        plain: &[u8],
        about: &[u8],
    ) -> Result<Vec<u8>, StoreError> {
        let key = self.keys.get(&letter).ok_or_else(key_is_gone)?;
        self.cipher.seal(key, plain, about)
    }

    pub(super) fn open(
        &self,
        letter: StreamKey,
        sealed: &[u8],
        about: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        let key = self.keys.get(&letter).ok_or_else(key_is_gone)?;
        key.open(sealed, about)
    }
}

/// Bytes in a column.
pub(super) fn bytes(row: &tokio_postgres::Row, index: usize) -> Result<Vec<u8>, StoreError> {
    row.try_get(index).map_err(|error| store_error(&error))
}

/// A stream's key in a column.
pub(super) fn stream(row: &tokio_postgres::Row, index: usize) -> Result<StreamKey, StoreError> {
    fixed(row, index).map(StreamKey::from_bytes)
}

/// So many bytes in a column.
pub(super) fn fixed<const N: usize>(
    row: &tokio_postgres::Row,
    index: usize,
) -> Result<[u8; N], StoreError> {
    let bytes: &[u8] = row.try_get(index).map_err(|error| store_error(&error))?;
    bytes
        .try_into()
        .map_err(|_| StoreError::Corrupt("a key of another length".to_owned()))
}
