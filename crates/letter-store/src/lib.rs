//! The stores of letter-delivery on SQLite.
