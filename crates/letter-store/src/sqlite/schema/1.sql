-- Every table whose rows do not prove themselves has a column mac: a keyed digest over the row.
-- Events in their canonical bytes; seq is their place in the ledger and the leaf of its tree.
CREATE TABLE event (
  seq    INTEGER PRIMARY KEY,
  stream BLOB NOT NULL,
  lseq   INTEGER NOT NULL,
  leaf   BLOB NOT NULL,
  bytes  BLOB NOT NULL,
  UNIQUE (stream, lseq)
);
-- The tree's compact range: one row.
CREATE TABLE tree (
  id     INTEGER PRIMARY KEY CHECK (id = 1),
  size   INTEGER NOT NULL,
  hashes BLOB NOT NULL
);
INSERT INTO tree (id, size, hashes) VALUES (1, 0, x'');
-- Signed checkpoints, all of them.
CREATE TABLE checkpoint (
  size INTEGER PRIMARY KEY,
  at   INTEGER NOT NULL,
  note TEXT NOT NULL,
  mac  BLOB NOT NULL
);
-- Where letters and copies stand: projections of their events.
CREATE TABLE letter (
  key          BLOB PRIMARY KEY,
  document     BLOB NOT NULL,
  version      INTEGER NOT NULL,
  state        TEXT NOT NULL,
  needs_person INTEGER NOT NULL,
  due_at       INTEGER,
  act_by       INTEGER,
  taken_at     INTEGER NOT NULL,
  record       TEXT NOT NULL,
  mac          BLOB NOT NULL,
  UNIQUE (document, version)
) WITHOUT ROWID;
CREATE INDEX letter_by_time ON letter (taken_at);
CREATE INDEX letter_by_need ON letter (act_by) WHERE needs_person = 1;
CREATE TABLE copy (
  key          BLOB PRIMARY KEY,
  letter       BLOB NOT NULL REFERENCES letter (key),
  number       INTEGER NOT NULL,
  state        TEXT NOT NULL,
  needs_person INTEGER NOT NULL,
  practice     TEXT NOT NULL,
  message_id   TEXT,
  local_id     TEXT NOT NULL,
  act_by       INTEGER,
  record       TEXT NOT NULL,
  mac          BLOB NOT NULL,
  UNIQUE (letter, number)
) WITHOUT ROWID;
CREATE INDEX copy_by_message ON copy (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX copy_by_local_id ON copy (local_id);
CREATE INDEX copy_by_practice ON copy (practice);
CREATE INDEX copy_by_need ON copy (act_by) WHERE needs_person = 1;
-- The row of a document orders its versions.
CREATE TABLE document (
  key     BLOB PRIMARY KEY,
  latest  INTEGER NOT NULL,
  letter  BLOB NOT NULL,
  content BLOB NOT NULL,
  mac     BLOB NOT NULL
) WITHOUT ROWID;
-- Work waiting for its time; a lease belongs to the one who claimed it.
CREATE TABLE work (
  stream      BLOB PRIMARY KEY,
  kind        TEXT NOT NULL,
  due_at      INTEGER NOT NULL,
  earliest_at INTEGER NOT NULL,
  tries       INTEGER NOT NULL,
  token       BLOB,
  lease_until INTEGER,
  mac         BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX work_by_time ON work (due_at);
CREATE INDEX work_by_lease ON work (lease_until) WHERE lease_until IS NOT NULL;
-- Sealed contents, under random ids.
CREATE TABLE payload (
  id     BLOB PRIMARY KEY,
  letter BLOB NOT NULL,
  kind   TEXT NOT NULL,
  sealed BLOB NOT NULL,
  mac    BLOB NOT NULL
) WITHOUT ROWID;
-- Sealed identifiers, found again by a keyed index.
CREATE TABLE letter_ref (
  kind   TEXT NOT NULL,
  idx    BLOB NOT NULL,
  letter BLOB NOT NULL,
  sealed BLOB NOT NULL,
  mac    BLOB NOT NULL,
  PRIMARY KEY (kind, idx, letter)
) WITHOUT ROWID;
CREATE INDEX letter_ref_by_letter ON letter_ref (letter);
-- Inbound messages that were dealt with.
CREATE TABLE seen (
  mailbox    TEXT NOT NULL,
  message_id TEXT NOT NULL,
  ours       INTEGER NOT NULL,
  at         INTEGER NOT NULL,
  mac        BLOB NOT NULL,
  PRIMARY KEY (mailbox, message_id)
) WITHOUT ROWID;
-- Proof that the master key is the one this store was made with.
CREATE TABLE key_check (
  id     INTEGER PRIMARY KEY CHECK (id = 1),
  sealed BLOB NOT NULL
)
