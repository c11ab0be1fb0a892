-- Only additions: a program of the version before may still be at work on the store. No column
-- joins a table of 1.sql, for the digests over its rows are made by both.

-- Emergency stops, all that were ever set.
CREATE TABLE stop (
  id     INTEGER PRIMARY KEY,
  stands INTEGER NOT NULL,
  record TEXT NOT NULL,
  mac    BLOB NOT NULL
);
-- Letters whose contents and key are destroyed; done when the key is gone from its file.
CREATE TABLE erasure (
  letter BLOB PRIMARY KEY,
  at     INTEGER NOT NULL,
  done   INTEGER NOT NULL,
  mac    BLOB NOT NULL
) WITHOUT ROWID;
-- Work that a stop holds back: a lift makes it due, if it still has the time it was parked with.
CREATE TABLE parked (
  stream BLOB PRIMARY KEY,
  until  INTEGER NOT NULL,
  mac    BLOB NOT NULL
) WITHOUT ROWID;
-- Work stands in lines: one for each lane, and mailbox it sends to or kind of work that sends to
-- none. The rows follow from work, copy and letter, whichever program writes those.
CREATE TABLE queue (
  stream      BLOB PRIMARY KEY,
  lane        TEXT NOT NULL,
  line        TEXT NOT NULL,
  due_at      INTEGER NOT NULL,
  earliest_at INTEGER NOT NULL,
  is_free     INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX queue_by_due ON queue (lane, line, due_at) WHERE is_free = 1;
CREATE INDEX queue_by_earliest ON queue (lane, line, earliest_at, due_at) WHERE is_free = 1;
CREATE INDEX queue_by_lease ON queue (line) WHERE is_free = 0;
CREATE VIEW work_in_line AS SELECT
  work.stream AS stream,
  coalesce(
    (SELECT json_extract(record, '$.lane') FROM copy WHERE key = work.stream),
    (SELECT json_extract(record, '$.lane') FROM letter WHERE key = work.stream),
    'today') AS lane,
  coalesce(
    (SELECT json_extract(record, '$.address.mailbox') FROM copy
     WHERE work.kind = 'send' AND key = work.stream),
    work.kind) AS line,
  work.due_at AS due_at, work.earliest_at AS earliest_at, work.token IS NULL AS is_free
  FROM work;
INSERT INTO queue SELECT * FROM work_in_line;
CREATE TRIGGER work_begins AFTER INSERT ON work BEGIN
  INSERT OR REPLACE INTO queue SELECT * FROM work_in_line WHERE stream = new.stream;
END;
CREATE TRIGGER work_changes AFTER UPDATE ON work BEGIN
  UPDATE queue SET due_at = new.due_at, earliest_at = new.earliest_at, is_free = new.token IS NULL
    WHERE stream = new.stream;
END;
CREATE TRIGGER work_ends AFTER DELETE ON work BEGIN
  DELETE FROM queue WHERE stream = old.stream;
END;
-- When work of a lane that has a pace was last claimed for a mailbox.
CREATE TABLE pace (
  lane       TEXT NOT NULL,
  line       TEXT NOT NULL,
  claimed_at INTEGER NOT NULL,
  mac        BLOB NOT NULL,
  PRIMARY KEY (lane, line)
) WITHOUT ROWID;
-- Answers to hand-overs, given again when a source repeats its key.
CREATE TABLE answer (
  key     BLOB PRIMARY KEY,
  content BLOB NOT NULL,
  status  INTEGER NOT NULL,
  body    TEXT NOT NULL,
  at      INTEGER NOT NULL,
  mac     BLOB NOT NULL
) WITHOUT ROWID;
-- Hashes of complete subtrees of 256, 65,536, … events, so that a proof needs few rows. Each proves
-- itself by the signed root, and may be missing: then it is made from the events.
CREATE TABLE subtree (
  level INTEGER NOT NULL,
  idx   INTEGER NOT NULL,
  hash  BLOB NOT NULL,
  PRIMARY KEY (level, idx)
) WITHOUT ROWID;
-- Ways to find letters by what people ask for.
CREATE INDEX letter_by_state ON letter (state, taken_at);
CREATE INDEX letter_by_source ON letter (json_extract(record, '$.source'), taken_at);
CREATE INDEX letter_by_class ON letter (json_extract(record, '$.class'), taken_at);
CREATE INDEX copy_by_state ON copy (state, letter);
-- How far each feed of outcomes has come: everything before that event was told.
CREATE TABLE feed (
  name TEXT PRIMARY KEY,
  next INTEGER NOT NULL,
  mac  BLOB NOT NULL
) WITHOUT ROWID;
-- Messages that others send to the trust: a projection of their events.
CREATE TABLE inbound (
  key     BLOB PRIMARY KEY,
  state   TEXT NOT NULL,
  next_at INTEGER NOT NULL,
  record  TEXT NOT NULL,
  mac     BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX inbound_open ON inbound (state DESC, next_at) WHERE state <> 'HANDED_OVER';
