-- Every table whose rows do not prove themselves has a column mac: a keyed digest over the row.
-- Events. A commit stores the body, proven by mac; the sequencer gives seq, leaf and the
-- canonical bytes, which prove themselves as a leaf of the ledger's tree.
CREATE TABLE event (
  stream  bytea NOT NULL,
  lseq    bigint NOT NULL,
  id      bytea NOT NULL,
  arrival bigint GENERATED ALWAYS AS IDENTITY,
  since   timestamptz NOT NULL DEFAULT clock_timestamp(),
  seq     bigint,
  leaf    bytea,
  bytes   bytea NOT NULL,
  mac     bytea,
  PRIMARY KEY (stream, lseq)
);
CREATE UNIQUE INDEX event_by_seq ON event (seq) WHERE seq IS NOT NULL;
CREATE UNIQUE INDEX event_by_arrival ON event (arrival) WHERE seq IS NULL;
-- The tree's compact range: one row.
CREATE TABLE tree (
  id     bigint PRIMARY KEY CHECK (id = 1),
  size   bigint NOT NULL,
  hashes bytea NOT NULL
);
INSERT INTO tree (id, size, hashes) VALUES (1, 0, '');
-- Signed checkpoints, all of them.
CREATE TABLE checkpoint (
  size bigint PRIMARY KEY,
  at   bigint NOT NULL,
  note text NOT NULL,
  mac  bytea NOT NULL
);
-- Where letters and copies stand: projections of their events.
CREATE TABLE letter (
  key          bytea PRIMARY KEY,
  document     bytea NOT NULL,
  version      bigint NOT NULL,
  state        text NOT NULL,
  needs_person boolean NOT NULL,
  due_at       bigint,
  act_by       bigint,
  taken_at     bigint NOT NULL,
  record       text NOT NULL,
  mac          bytea NOT NULL,
  UNIQUE (document, version)
);
CREATE INDEX letter_by_time ON letter (taken_at);
CREATE INDEX letter_by_need ON letter (act_by) WHERE needs_person;
CREATE INDEX letter_by_state ON letter (state, taken_at);
CREATE INDEX letter_by_source ON letter ((record::json ->> 'source'), taken_at);
CREATE INDEX letter_by_class ON letter ((record::json ->> 'class'), taken_at);
CREATE TABLE copy (
  key          bytea PRIMARY KEY,
  letter       bytea NOT NULL REFERENCES letter (key),
  number       bigint NOT NULL,
  state        text NOT NULL,
  needs_person boolean NOT NULL,
  practice     text NOT NULL,
  message_id   text,
  local_id     text NOT NULL,
  act_by       bigint,
  record       text NOT NULL,
  mac          bytea NOT NULL,
  UNIQUE (letter, number)
);
CREATE INDEX copy_by_message ON copy (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX copy_by_local_id ON copy (local_id);
CREATE INDEX copy_by_practice ON copy (practice);
CREATE INDEX copy_by_state ON copy (state, letter);
CREATE INDEX copy_by_need ON copy (act_by) WHERE needs_person;
-- The row of a document orders its versions.
CREATE TABLE document (
  key     bytea PRIMARY KEY,
  latest  bigint NOT NULL,
  letter  bytea NOT NULL,
  content bytea NOT NULL,
  mac     bytea NOT NULL
);
-- Work waiting for its time; a lease belongs to the one who claimed it. It stands in lines: one
-- for each lane, and mailbox it sends to or kind of work that sends to none.
CREATE TABLE work (
  stream      bytea PRIMARY KEY,
  kind        text NOT NULL,
  lane        text NOT NULL,
  line        text NOT NULL,
  due_at      bigint NOT NULL,
  earliest_at bigint NOT NULL,
  tries       bigint NOT NULL,
  token       bytea,
  lease_until bigint,
  mac         bytea NOT NULL
);
CREATE INDEX work_by_time ON work (due_at);
CREATE INDEX work_by_due ON work (lane, line, due_at, stream) WHERE token IS NULL;
CREATE INDEX work_by_earliest ON work (lane, line, earliest_at, due_at) WHERE token IS NULL;
CREATE INDEX work_in_flight ON work (line) WHERE token IS NOT NULL;
CREATE INDEX work_by_lease ON work (lease_until) WHERE token IS NOT NULL;
-- When work of a lane that has a pace was last claimed for a mailbox.
CREATE TABLE pace (
  lane       text NOT NULL,
  line       text NOT NULL,
  claimed_at bigint NOT NULL,
  mac        bytea NOT NULL,
  PRIMARY KEY (lane, line)
);
-- Emergency stops, all that were ever set.
CREATE TABLE stop (
  id     bigint PRIMARY KEY,
  stands boolean NOT NULL,
  record text NOT NULL,
  mac    bytea NOT NULL
);
-- Work that a stop holds back: a lift makes it due, if it still has the time it was parked with.
CREATE TABLE parked (
  stream bytea PRIMARY KEY,
  until  bigint NOT NULL,
  mac    bytea NOT NULL
);
-- Sealed contents, under random ids.
CREATE TABLE payload (
  id     bytea PRIMARY KEY,
  letter bytea NOT NULL,
  kind   text NOT NULL,
  sealed bytea NOT NULL,
  mac    bytea NOT NULL
);
-- What is sealed does not get smaller: no time is lost on trying.
ALTER TABLE payload ALTER COLUMN sealed SET STORAGE EXTERNAL;
-- Sealed identifiers, found again by a keyed index.
CREATE TABLE letter_ref (
  kind   text NOT NULL,
  idx    bytea NOT NULL,
  letter bytea NOT NULL,
  sealed bytea NOT NULL,
  mac    bytea NOT NULL,
  PRIMARY KEY (kind, idx, letter)
);
CREATE INDEX letter_ref_by_letter ON letter_ref (letter);
-- Inbound messages that were dealt with.
CREATE TABLE seen (
  mailbox    text NOT NULL,
  message_id text NOT NULL,
  ours       boolean NOT NULL,
  at         bigint NOT NULL,
  mac        bytea NOT NULL,
  PRIMARY KEY (mailbox, message_id)
);
-- Letters whose contents and key are destroyed; done when the key is gone from its place.
CREATE TABLE erasure (
  letter bytea PRIMARY KEY,
  at     bigint NOT NULL,
  done   boolean NOT NULL,
  mac    bytea NOT NULL
);
-- Hashes of complete subtrees of 256, 65,536, … events, so that a proof needs few rows. Each proves
-- itself by the signed root, and may be missing: then it is made from the events.
CREATE TABLE subtree (
  level bigint NOT NULL,
  idx   bigint NOT NULL,
  hash  bytea NOT NULL,
  PRIMARY KEY (level, idx)
);
-- Answers to hand-overs, given again when a source repeats its key.
CREATE TABLE answer (
  key     bytea PRIMARY KEY,
  content bytea NOT NULL,
  status  bigint NOT NULL,
  body    text NOT NULL,
  at      bigint NOT NULL,
  mac     bytea NOT NULL
);
-- How far each feed of outcomes has come: everything before that event was told.
CREATE TABLE feed (
  name text PRIMARY KEY,
  next bigint NOT NULL,
  mac  bytea NOT NULL
);
-- Messages that others send to the trust: a projection of their events.
CREATE TABLE inbound (
  key     bytea PRIMARY KEY,
  state   text NOT NULL,
  next_at bigint NOT NULL,
  record  text NOT NULL,
  mac     bytea NOT NULL
);
CREATE INDEX inbound_open ON inbound (state COLLATE "C" DESC, next_at) WHERE state <> 'HANDED_OVER';
-- Proof that the master key is the one this store was made with.
CREATE TABLE key_check (
  id     bigint PRIMARY KEY CHECK (id = 1),
  sealed bytea NOT NULL
);
