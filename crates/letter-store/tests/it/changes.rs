//! Changes of the database by someone who has the file and not the key.

/// What is done to a store by hand, the rule that finds it, and the event it names.
pub(crate) const CHANGES: &[(&str, Option<u64>, &str)] = &[
    // The ledger.
    (
        "V1",
        Some(7),
        "UPDATE event SET leaf = randomblob(32) WHERE seq = 7",
    ),
    (
        "V1",
        Some(7),
        "UPDATE event SET stream = randomblob(16) WHERE seq = 7",
    ),
    ("V1", Some(7), "UPDATE event SET lseq = 99 WHERE seq = 7"),
    (
        "V1",
        Some(7),
        "UPDATE event SET leaf = 'text' WHERE seq = 7",
    ),
    (
        "V2",
        Some(7),
        "UPDATE event SET bytes = 'text' WHERE seq = 7",
    ),
    ("V2", Some(7), "UPDATE event SET bytes = 7 WHERE seq = 7"),
    (
        "V1",
        Some(7),
        "UPDATE event SET bytes = CAST(bytes AS TEXT) WHERE seq = 7",
    ),
    ("V3", Some(8), "DELETE FROM event WHERE seq = 7"),
    ("V6", Some(0), "UPDATE subtree SET hash = randomblob(32)"),
    (
        "V6",
        Some(256_000),
        "INSERT INTO subtree VALUES (8, 1000, randomblob(32))",
    ),
    (
        "V6",
        None,
        "DELETE FROM event WHERE seq = (SELECT max(seq) FROM event)",
    ),
    ("V6", None, "DELETE FROM event"),
    (
        "V1",
        Some(5),
        "UPDATE event SET seq = -1 WHERE seq = 5; \
            UPDATE event SET seq = 5 WHERE seq = 6; UPDATE event SET seq = 6 WHERE seq = -1",
    ),
    (
        "V3",
        Some(6),
        "UPDATE event SET seq = -1 WHERE seq = 5; \
            UPDATE event SET seq = 5 WHERE seq = 6; UPDATE event SET seq = 6 WHERE seq = -1",
    ),
    (
        "V1",
        Some(5),
        "CREATE TEMP TABLE old AS SELECT * FROM event WHERE seq IN (5, 6); \
            UPDATE event SET bytes = (SELECT bytes FROM old WHERE seq = 11 - event.seq) \
            WHERE seq IN (5, 6)",
    ),
    ("V6", None, "UPDATE tree SET size = size - 1"),
    ("V6", None, "UPDATE tree SET hashes = x''"),
    (
        "V6",
        None,
        "UPDATE tree SET hashes = substr(hashes, 33) || substr(hashes, 1, 32)",
    ),
    ("V6", None, "DELETE FROM tree"),
    (
        "V7",
        None,
        "UPDATE checkpoint SET note = replace(note, 'rxx', 'ryy')",
    ),
    (
        "V8",
        None,
        "UPDATE checkpoint SET size = 1 WHERE size = (SELECT max(size) FROM checkpoint)",
    ),
    (
        "V8",
        None,
        "DELETE FROM checkpoint WHERE size = (SELECT max(size) FROM checkpoint)",
    ),
    ("V1", None, "UPDATE checkpoint SET at = at + 1"),
    // Letters and copies.
    (
        "V1",
        None,
        "UPDATE letter SET record = replace(record, 'epr', 'lab')",
    ),
    ("V1", None, "UPDATE letter SET record = '{}'"),
    ("V12", None, "UPDATE letter SET state = 'WITHDRAWN'"),
    (
        "V12",
        None,
        "UPDATE letter SET record = replace(record, 'ROUTED', 'WITHDRAWN')",
    ),
    (
        "V12",
        None,
        "DELETE FROM letter WHERE key = (SELECT key FROM letter LIMIT 1)",
    ),
    (
        "V1",
        None,
        "UPDATE letter SET needs_person = 1 - needs_person",
    ),
    ("V1", None, "UPDATE letter SET due_at = 1"),
    ("V1", None, "UPDATE letter SET version = version + 10"),
    (
        "V1",
        None,
        "UPDATE copy SET record = replace(record, 'YGM24GP1', 'YGM24GP2')",
    ),
    ("V1", None, "UPDATE copy SET record = x'00'"),
    ("V12", None, "UPDATE copy SET state = 'FILED'"),
    (
        "V12",
        None,
        "UPDATE copy SET record = replace(record, 'COLLECTED', 'FILED')",
    ),
    (
        "V12",
        None,
        "DELETE FROM copy WHERE key = (SELECT key FROM copy LIMIT 1)",
    ),
    ("V12", None, "DELETE FROM copy"),
    ("V1", None, "UPDATE copy SET message_id = 'another'"),
    ("V1", None, "UPDATE copy SET practice = 'A81009'"),
    ("V12", None, "UPDATE copy SET letter = randomblob(16)"),
    // What stands beside them.
    ("V1", None, "UPDATE document SET content = randomblob(32)"),
    ("V12", None, "UPDATE document SET latest = latest + 1"),
    ("V12", None, "UPDATE document SET letter = x'00'"),
    (
        "V12",
        None,
        "DELETE FROM document WHERE key = (SELECT key FROM document LIMIT 1)",
    ),
    ("V1", None, "UPDATE work SET due_at = due_at + 1000000000"),
    ("V1", None, "UPDATE work SET tries = tries + 1"),
    ("V12", None, "DELETE FROM queue"),
    ("V12", None, "UPDATE queue SET line = 'A81009OT001'"),
    ("V12", None, "UPDATE queue SET lane = 'replay'"),
    ("V12", None, "UPDATE queue SET is_free = 0"),
    (
        "V12",
        None,
        "INSERT INTO queue SELECT randomblob(16), lane, line, due_at, earliest_at, is_free \
            FROM queue LIMIT 1",
    ),
    ("V1", None, "UPDATE work SET token = randomblob(16)"),
    (
        "V12",
        None,
        "UPDATE work SET stream = randomblob(16) \
            WHERE stream = (SELECT stream FROM work LIMIT 1)",
    ),
    (
        "V12",
        None,
        "DELETE FROM work WHERE kind IN ('send', 'ask', 'prepare')",
    ),
    (
        "V11",
        None,
        "UPDATE payload SET sealed = randomblob(length(sealed)) \
            WHERE id = (SELECT id FROM payload WHERE kind = 'source')",
    ),
    ("V11", None, "UPDATE payload SET sealed = x'00'"),
    (
        "V1",
        None,
        "UPDATE payload SET kind = 'letter' WHERE kind = 'source'",
    ),
    (
        "V11",
        None,
        "DELETE FROM payload WHERE id = (SELECT id FROM payload WHERE kind = 'source')",
    ),
    ("V11", None, "DELETE FROM payload"),
    ("V1", None, "UPDATE letter_ref SET idx = randomblob(32)"),
    (
        "V12",
        None,
        "DELETE FROM letter_ref WHERE kind = 'nhs-number'",
    ),
    (
        "V12",
        None,
        "DELETE FROM letter_ref WHERE kind = 'document'",
    ),
    ("V1", None, "UPDATE seen SET ours = 1 - ours"),
    ("V12", None, "DELETE FROM seen"),
    ("V1", None, "UPDATE letter SET mac = randomblob(16)"),
    (
        "V1",
        None,
        "UPDATE copy SET mac = (SELECT mac FROM copy LIMIT 1)",
    ),
    // The tables themselves.
    (
        "V1",
        None,
        "DROP INDEX copy_by_message; UPDATE tree SET size = size",
    ),
    (
        "V1",
        None,
        "CREATE TRIGGER quiet AFTER INSERT ON event BEGIN SELECT 1; END; \
            UPDATE tree SET size = size",
    ),
];
