//! Values of rows: what goes into a statement, and into the digest that proves the row.

use bytes::BytesMut;
use chrono::{DateTime, Utc};
use letter_delivery::StoreError;
use tokio_postgres::Row;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use super::fault::store_error;
use crate::row_mac::{ROWS, RowKey};

/// A value of one of the four types that our columns have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Null,
    Flag(bool),
    Integer(i64),
    Text(String),
    Blob(Vec<u8>),
}

impl Value {
    pub(super) fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }

    pub(super) fn blob(bytes: &[u8]) -> Self {
        Self::Blob(bytes.to_vec())
    }

    pub(super) const fn time(at: DateTime<Utc>) -> Self {
        Self::Integer(at.timestamp_millis())
    }

    /// The value, or none.
    pub(super) fn or_null<T>(value: Option<T>, some: impl FnOnce(T) -> Self) -> Self {
        value.map_or(Self::Null, some)
    }

    /// Whatever stands in a column; a column of another type has no value of ours.
    fn read(row: &Row, index: usize) -> Result<Self, StoreError> {
        let kind = row
            .columns()
            .get(index)
            .map(|column| column.type_().clone());
        let value = match kind {
            Some(Type::BOOL) => row
                .try_get::<_, Option<bool>>(index)
                .map(|value| Self::or_null(value, Self::Flag)),
            Some(Type::INT8) => row
                .try_get::<_, Option<i64>>(index)
                .map(|value| Self::or_null(value, Self::Integer)),
            Some(Type::TEXT) => row
                .try_get::<_, Option<String>>(index)
                .map(|value| Self::or_null(value, Self::Text)),
            Some(Type::BYTEA) => row
                .try_get::<_, Option<Vec<u8>>>(index)
                .map(|value| Self::or_null(value, Self::Blob)),
            _ => return Err(StoreError::Corrupt("a column of another type".to_owned())),
        };
        value.map_err(|error| store_error(&error))
    }
}

impl ToSql for Value {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Flag(value) => value.to_sql(ty, out),
            Self::Integer(value) => value.to_sql(ty, out),
            Self::Text(value) => value.to_sql(ty, out),
            Self::Blob(value) => value.to_sql(ty, out),
        }
    }

    fn accepts(ty: &Type) -> bool {
        [Type::BOOL, Type::INT8, Type::TEXT, Type::BYTEA].contains(ty)
    }

    to_sql_checked!();
}

/// The values of a whole row.
pub(super) fn values(row: &Row) -> Result<Vec<Value>, StoreError> {
    (0..row.len())
        .map(|index| Value::read(row, index))
        .collect()
}

/// The digest over a row (rule V1).
pub(super) fn mac(key: &RowKey, table: &str, values: &[Value]) -> Vec<u8> {
    let mut mac = key.begin();
    mac.text(table.as_bytes());
    for value in values {
        match value {
            Value::Null => mac.null(),
            Value::Flag(flag) => mac.integer(i64::from(*flag)),
            Value::Integer(integer) => mac.integer(*integer),
            Value::Text(text) => mac.text(text.as_bytes()),
            Value::Blob(blob) => mac.blob(blob),
        }
    }
    mac.finish()
}

/// Tables that have other columns here than elsewhere.
const OURS: &[(&str, &str)] = &[(
    "work",
    "stream, kind, lane, line, due_at, earliest_at, tries, token, lease_until",
)];

/// The tables whose rows carry a digest, with the columns it covers.
pub(super) fn tables() -> impl Iterator<Item = (&'static str, &'static str)> {
    ROWS.iter().map(|(table, _)| (*table, columns(table)))
}

/// The columns of a table that its digest covers.
pub(super) fn columns(table: &str) -> &'static str {
    let mut all = OURS.iter().chain(ROWS);
    let found = all.find(|(name, _)| *name == table);
    found.map_or("", |(_, columns)| columns)
}
