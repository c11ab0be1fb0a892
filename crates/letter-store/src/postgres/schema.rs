//! The tables: made, brought to this version, and known again.

use std::path::PathBuf;

use deadpool_postgres::{GenericClient, Pool, Transaction};
use letter_delivery::StoreError;

use super::connect::first;
use super::fault::connect_cause;
use super::row::{Value, mac};
use super::settings::Place;
use crate::OpenError;
use crate::cipher::Cipher;
use crate::row_mac::RowKey;

/// A step to the next version; released ones never change.
struct Migration {
    sql: &'static str,
    /// The oldest version of this software that may go on working on the store after it: it has
    /// to leave alone what it does not know.
    works_with: i64,
}

/// Each takes a store from its index to the next version. Each adds only, so that the version
/// before and this one work side by side while one replaces the other.
const MIGRATIONS: &[Migration] = &[Migration {
    sql: include_str!("schema/1.sql"),
    works_with: 1,
}];

/// The wrapped keys, and the letters whose keys were destroyed, so that no older copy of the table
/// brings them back unseen.
const KEYS: &str = "CREATE TABLE data_key (letter bytea PRIMARY KEY, wrapped bytea NOT NULL); \
     CREATE TABLE erased_key (letter bytea PRIMARY KEY, at bigint NOT NULL, mac bytea NOT NULL)";

/// The row that says which version a schema has; its digest covers the definitions of all tables.
const VERSION: &str = "CREATE TABLE store_version (id bigint PRIMARY KEY CHECK (id = 1), \
     version bigint NOT NULL, works_with bigint NOT NULL, mac bytea NOT NULL)";

/// Only one process at a time makes or changes the tables of a schema.
const LOCK: &str = "SELECT pg_advisory_xact_lock(hashtextextended('letterbox schema ' || $1, 0))";

/// Whatever is in the schema, in words that do not depend on its name.
const DEFINITIONS: &str = "WITH here AS (SELECT oid FROM pg_namespace WHERE nspname = current_schema()) \
     SELECT replace(line, current_schema() || '.', '') FROM ( \
     SELECT format('%s %s %s %s %s %s', c.relname, c.relkind, a.attname, \
         format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid)) AS line \
       FROM pg_class c JOIN here ON c.relnamespace = here.oid \
       JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
       LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum \
       WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') \
     UNION ALL SELECT pg_get_indexdef(c.oid) FROM pg_class c JOIN here ON c.relnamespace = here.oid \
       WHERE c.relkind IN ('i', 'I') \
     UNION ALL SELECT format('%s %s', n.conname, pg_get_constraintdef(n.oid)) \
       FROM pg_constraint n JOIN here ON n.connamespace = here.oid WHERE n.contype IN ('p', 'u', 'f', 'c', 'x') \
     UNION ALL SELECT format('%s %s', t.tgenabled, pg_get_triggerdef(t.oid)) \
       FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN here ON c.relnamespace = here.oid \
       WHERE NOT t.tgisinternal \
     UNION ALL SELECT pg_get_ruledef(r.oid) \
       FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class JOIN here ON c.relnamespace = here.oid \
     UNION ALL SELECT 'function ' || p.proname FROM pg_proc p JOIN here ON p.pronamespace = here.oid \
     ) AS lines ORDER BY 1";

/// Where a thing went wrong while a store was opened.
pub(super) struct Opening<'a> {
    pub(super) place: &'a Place,
    pub(super) rows: &'a RowKey,
}

impl Opening<'_> {
    fn path(&self) -> PathBuf {
        self.place.shown().into()
    }

    fn failed(&self, error: &tokio_postgres::Error) -> OpenError {
        self.unavailable(connect_cause(error))
    }

    fn unavailable(&self, cause: String) -> OpenError {
        let path = self.path();
        OpenError::Unreachable { path, cause }
    }

    fn not_a_store(&self, cause: &str) -> OpenError {
        let (path, cause) = (self.path(), cause.to_owned());
        OpenError::NotAStore { path, cause }
    }

    /// The store's tables, made or brought to this version.
    pub(super) async fn store(&self, pool: &Pool) -> Result<(), OpenError> {
        let mut client = first(pool, self.place).await?;
        let failed = |error| self.failed(&error);
        let change = client.transaction().await.map_err(failed)?;
        let is_new = self.enter(&change).await.map_err(failed)?;
        if is_new && !definitions(&change).await.map_err(failed)?.is_empty() {
            return Err(self.not_a_store("it holds other tables"));
        }
        if is_new {
            change.batch_execute(VERSION).await.map_err(failed)?;
        }
        self.migrate(&change).await?;
        change.commit().await.map_err(failed)
    }

    /// Locks the schema, makes it if need be; whether there is no store in it yet.
    async fn enter(&self, change: &Transaction<'_>) -> Result<bool, tokio_postgres::Error> {
        let schema = &self.place.schema;
        change.execute(LOCK, &[schema]).await?;
        let sql = "SELECT to_regnamespace($1) IS NULL, to_regclass($1 || '.store_version') IS NULL";
        let about = change.query_one(sql, &[schema]).await?;
        if about.try_get(0)? {
            change
                .batch_execute(&format!("CREATE SCHEMA {schema}"))
                .await?;
        }
        about.try_get(1)
    }

    async fn migrate(&self, change: &Transaction<'_>) -> Result<(), OpenError> {
        let failed = |error| self.failed(&error);
        let (version, works_with) = version(change).await.map_err(failed)?.unwrap_or((0, 0));
        let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
        if works_with > known {
            return Err(OpenError::TooNew {
                path: self.path(),
                found: version,
                known,
            });
        }
        let done = usize::try_from(version).unwrap_or(0);
        let Some(last) = MIGRATIONS.iter().skip(done).last() else {
            return Ok(());
        };
        for migration in MIGRATIONS.iter().skip(done) {
            change.batch_execute(migration.sql).await.map_err(failed)?;
        }
        let digest = self.digest(change, known, last.works_with).await;
        let digest = digest.map_err(failed)?;
        let sql = "INSERT INTO store_version (id, version, works_with, mac) VALUES (1, $1, $2, $3) \
                   ON CONFLICT (id) DO UPDATE SET version = excluded.version, \
                   works_with = excluded.works_with, mac = excluded.mac";
        change
            .execute(sql, &[&known, &last.works_with, &digest])
            .await
            .map_err(failed)?;
        Ok(())
    }

    async fn digest(
        &self,
        client: &impl GenericClient,
        version: i64,
        works_with: i64,
    ) -> Result<Vec<u8>, tokio_postgres::Error> {
        let mut values = vec![Value::Integer(version), Value::Integer(works_with)];
        values.extend(definitions(client).await?.into_iter().map(Value::Text));
        Ok(mac(self.rows, "store_version", &values))
    }

    /// Whether the tables are as they were made (rule V1).
    pub(super) async fn is_as_made(
        &self,
        client: &impl GenericClient,
    ) -> Result<bool, tokio_postgres::Error> {
        let sql = "SELECT version, works_with, mac FROM store_version";
        let Some(row) = client.query_opt(sql, &[]).await? else {
            return Ok(false);
        };
        let digest = self
            .digest(client, row.try_get(0)?, row.try_get(1)?)
            .await?;
        Ok(digest == row.try_get::<_, Vec<u8>>(2)?)
    }

    /// Whether this is the key the store was made with; a new store learns it.
    pub(super) async fn check_key(&self, pool: &Pool, cipher: &Cipher) -> Result<(), OpenError> {
        let client = first(pool, self.place).await?;
        let failed = |error| self.failed(&error);
        if key_check(&client).await.map_err(failed)?.is_none() {
            let sealed = cipher
                .key_check()
                .map_err(|error: StoreError| self.unavailable(error.to_string()))?;
            // Only an empty store learns a key: one with events that lost its proof is damaged.
            let sql = "INSERT INTO key_check (id, sealed) SELECT 1, $1 \
                       WHERE NOT EXISTS (SELECT 1 FROM event) ON CONFLICT DO NOTHING";
            client.execute(sql, &[&sealed]).await.map_err(failed)?;
        }
        // Read again: another process may have been first to make the store.
        match key_check(&client).await.map_err(failed)? {
            Some(sealed) if cipher.proves(&sealed) => Ok(()),
            Some(_) => Err(OpenError::WrongKey { path: self.path() }),
            None => Err(self.not_a_store("it holds letters and no proof of its key")),
        }
    }

    /// The table of the keys; one that is missing is made for a store without letters only.
    pub(super) async fn keys(&self, pool: &Pool, store: &Pool) -> Result<(), OpenError> {
        let is_empty: bool = {
            let client = first(store, self.place).await?;
            let sql = "SELECT NOT EXISTS (SELECT 1 FROM payload)";
            let row = client.query_one(sql, &[]).await;
            row.and_then(|row| row.try_get(0))
                .map_err(|error| self.failed(&error))?
        };
        let mut client = first(pool, self.place).await?;
        let failed = |error| self.failed(&error);
        let change = client.transaction().await.map_err(failed)?;
        self.enter(&change).await.map_err(failed)?;
        let sql = "SELECT to_regclass('data_key') IS NULL";
        let row = change.query_one(sql, &[]).await.map_err(failed)?;
        match row.try_get(0).map_err(failed)? {
            true if !is_empty => {
                let cause = "the keys of the letters are missing: put them back from their backup";
                return Err(self.unavailable(cause.to_owned()));
            }
            true => change.batch_execute(KEYS).await.map_err(failed)?,
            false => {}
        }
        change.commit().await.map_err(failed)
    }
}

async fn version(client: &impl GenericClient) -> Result<Option<(i64, i64)>, tokio_postgres::Error> {
    let sql = "SELECT version, works_with FROM store_version";
    let row = client.query_opt(sql, &[]).await?;
    row.map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
        .transpose()
}

pub(super) async fn key_check(
    client: &impl GenericClient,
) -> Result<Option<Vec<u8>>, tokio_postgres::Error> {
    let row = client
        .query_opt("SELECT sealed FROM key_check", &[])
        .await?;
    row.map(|row| row.try_get(0)).transpose()
}

async fn definitions(client: &impl GenericClient) -> Result<Vec<String>, tokio_postgres::Error> {
    let rows = client.query(DEFINITIONS, &[]).await?;
    rows.iter().map(|row| row.try_get(0)).collect()
}
