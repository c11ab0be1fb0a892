//! The digest over each row as a function of the connection.

use rusqlite::Connection;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::ValueRef;

use crate::MasterKey;
use crate::row_mac::{RowKey, RowMac};

/// Gives the connection the function `row_mac(table, columns…)`.
pub(super) fn register(db: &Connection, key: &MasterKey) -> rusqlite::Result<()> {
    let key = RowKey::new(key);
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_DIRECTONLY;
    db.create_scalar_function("row_mac", -1, flags, move |row| Ok(digest(&key, row)))
}

fn digest(key: &RowKey, row: &Context<'_>) -> Vec<u8> {
    let mut mac = key.begin();
    for index in 0..row.len() {
        add(&mut mac, row.get_raw(index));
    }
    mac.finish()
}

fn add(mac: &mut RowMac, value: ValueRef<'_>) {
    match value {
        ValueRef::Null => mac.null(),
        ValueRef::Integer(integer) => mac.integer(integer),
        ValueRef::Real(real) => mac.add(2, &real.to_be_bytes()),
        ValueRef::Text(text) => mac.text(text),
        ValueRef::Blob(blob) => mac.blob(blob),
    }
}

#[cfg(test)]
mod tests;
