-- Only additions: a program of the version before may still be at work on the store. No column
-- joins a table of 1.sql, for the digests over its rows are made by both.

-- Emergency stops, all that were ever set.
CREATE TABLE stop (
  id     INTEGER PRIMARY KEY,
  stands INTEGER NOT NULL,
  record TEXT NOT NULL,
  mac    BLOB NOT NULL
);
-- Work that a stop holds back: a lift makes it due, if it still has the time it was parked with.
CREATE TABLE parked (
  stream BLOB PRIMARY KEY,
  until  INTEGER NOT NULL,
  mac    BLOB NOT NULL
) WITHOUT ROWID;
