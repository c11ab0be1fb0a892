//! Statements of one transaction, sent together and judged together.

use deadpool_postgres::Transaction;
use futures_util::future::{join_all, try_join_all};
use letter_delivery::StoreError;
use tokio_postgres::Error;

use super::fault::{is_retry, store_error};
use super::row::{Value, columns, mac};
use crate::row_mac::RowKey;

/// How many statements are under way at once.
const TOGETHER_MAX: usize = 24;

/// The statements of a change, in their order.
pub(super) struct Steps<'a> {
    rows: &'a RowKey,
    steps: Vec<Step>,
}

struct Step {
    sql: String,
    values: Vec<Value>,
    /// What it means when not exactly one row was met.
    else_fails: Option<Miss>,
}

/// Why a statement had to meet a row.
#[derive(Clone, Copy, Debug)]
pub(super) enum Miss {
    Conflict,
    Fenced,
}

/// Why the statements did not all do their part.
pub(super) enum Stopped {
    /// Another transaction was in the way: the same may be tried again.
    Again(StoreError),
    /// It stays so.
    Failed(StoreError),
}

impl<'a> Steps<'a> {
    pub(super) const fn new(rows: &'a RowKey) -> Self {
        Self {
            rows,
            steps: Vec::new(),
        }
    }

    /// A statement, whatever number of rows it meets.
    pub(super) fn any(&mut self, sql: impl Into<String>, values: Vec<Value>) {
        self.push(sql.into(), values, None);
    }

    /// A statement that must meet one row.
    pub(super) fn one(&mut self, sql: impl Into<String>, values: Vec<Value>, miss: Miss) {
        self.push(sql.into(), values, Some(miss));
    }

    /// A statement that takes a row's values, then its digest, then what the digest leaves out.
    pub(super) fn with_mac(&mut self, sql: &str, table: &str, mut values: Vec<Value>, rest: Value) {
        values.push(Value::Blob(mac(self.rows, table, &values)));
        values.push(rest);
        self.any(sql, values);
    }

    /// A statement that takes a row's values, then its digest, and must meet one row.
    pub(super) fn one_with_mac(
        &mut self,
        sql: &str,
        table: &str,
        mut values: Vec<Value>,
        miss: Miss,
    ) {
        values.push(Value::Blob(mac(self.rows, table, &values)));
        self.one(sql, values, miss);
    }

    fn push(&mut self, sql: String, values: Vec<Value>, else_fails: Option<Miss>) {
        self.steps.push(Step {
            sql,
            values,
            else_fails,
        });
    }

    /// A row with its digest; `rest` is what follows the values: what to do when it is there.
    fn insert(&self, table: &str, mut values: Vec<Value>, rest: &str) -> (String, Vec<Value>) {
        values.push(Value::Blob(mac(self.rows, table, &values)));
        let places = places(values.len());
        let columns = columns(table);
        let sql = format!("INSERT INTO {table} ({columns}, mac) VALUES ({places}) {rest}");
        (sql, values)
    }

    /// Writes a row, over the one with the same key if there is one.
    pub(super) fn put(&mut self, table: &str, key: &str, values: Vec<Value>) {
        let is_key = |column: &&str| key.split(", ").any(|part| part == *column);
        let set: Vec<String> = columns(table)
            .split(", ")
            .filter(|column| !is_key(column))
            .chain(["mac"])
            .map(|column| format!("{column} = excluded.{column}"))
            .collect();
        let rest = format!("ON CONFLICT ({key}) DO UPDATE SET {}", set.join(", "));
        let (sql, values) = self.insert(table, values, &rest);
        self.any(sql, values);
    }

    /// Writes a row unless one with its key is there.
    pub(super) fn put_new(&mut self, table: &str, values: Vec<Value>, miss: Option<Miss>) {
        let (sql, values) = self.insert(table, values, "ON CONFLICT DO NOTHING");
        self.push(sql, values, miss);
    }

    /// Sends all of them, and tells the first that failed.
    pub(super) async fn run(self, transaction: &Transaction<'_>) -> Result<(), Stopped> {
        for together in self.steps.chunks(TOGETHER_MAX) {
            let statements = together
                .iter()
                .map(|step| transaction.prepare_cached(&step.sql));
            let statements = try_join_all(statements).await.map_err(stopped)?;
            let runs = statements.iter().zip(together);
            let runs = runs.map(|(to, step)| transaction.execute_raw(to, &step.values));
            let met = join_all(runs).await;
            for (met, step) in met.into_iter().zip(together) {
                judge(met, step)?;
            }
        }
        Ok(())
    }
}

fn judge(met: Result<u64, Error>, step: &Step) -> Result<(), Stopped> {
    match (met.map_err(stopped)?, step.else_fails) {
        (1, _) | (_, None) => Ok(()),
        (_, Some(Miss::Conflict)) => Err(Stopped::Failed(StoreError::Conflict)),
        (_, Some(Miss::Fenced)) => Err(Stopped::Failed(StoreError::Fenced)),
    }
}

pub(super) fn stopped(error: Error) -> Stopped {
    let told = store_error(&error);
    if is_retry(&error) {
        Stopped::Again(told)
    } else {
        Stopped::Failed(told)
    }
}

/// `$1, $2, …`
fn places(count: usize) -> String {
    let places: Vec<String> = (1..=count).map(|place| format!("${place}")).collect();
    places.join(", ")
}
