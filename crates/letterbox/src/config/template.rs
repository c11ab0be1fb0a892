/// The configuration's name.
pub(crate) const CONFIG_NAME: &str = "letterbox.toml";

/// What `init` writes: a whole configuration, with a word about each setting.
pub(crate) fn template() -> String {
    TEMPLATE.to_owned()
}

const TEMPLATE: &str = r#"# Letterbox. Paths are relative to this file. Unknown keys are refused with their name.

# Stores and the practice table. Only this account needs to read it.
data = "data"

# One PostgreSQL database in the place of a file for each trust, for several runs on several
# machines: a schema for each trust. The password stands in a file, or in PGPASSWORD.
#[store]
#url = "postgres://letterbox@db.example/letters?sslmode=require"
#password_file = "secrets/database-password"
#ca = "tls/database-ca.pem"
# The keys of the letters in a database of their own, so that its backups are apart.
#keys_url = "postgres://letterbox@vault.example/keys?sslmode=require"
#keys_password_file = "secrets/keys-password"

[mesh]
# Integration is https://msg.intspineservices.nhs.uk, production https://mesh-sync.spineservices.nhs.uk
url = "https://msg.intspineservices.nhs.uk"
# The NHS root and sub CA of that environment.
ca = "tls/mesh-ca.pem"
# Your client certificate (with the chain) and its key, issued for that environment.
certificate = "tls/client.pem"
key = "tls/client.key"
# The environment's shared key, in a file that only this account may read.
shared_key_file = "secrets/mesh-shared-key"

[practices]
# `letterbox ods import FILE` refuses a table with fewer rows.
minimum_rows = 5000

# Free share of the disk, in percent: said, said loudly, and below the last no document is taken in
# (its source keeps it, and what was taken goes on).
#[disk]
#warn_percent = 20
#critical_percent = 10
#refuse_percent = 5

# Prometheus text at http://ADDRESS/metrics, while `run` goes on. Counts and ages, nothing of a letter.
#[metrics]
#listen = "127.0.0.1:9464"

[[trust]]
code = "RXX"
name = "Example Valley NHS Foundation Trust"
department = "Medical Records"
# Made by `init`. Keep a copy apart from the data: without it no stored letter can be opened.
key_file = "secrets/trust.key"
mailbox = "RXXOT001"
password_file = "secrets/mailbox-password"
# false marks every message as a test.
live = false
# How letters are shaped where a workflow names no profile: emis, systmone, medicus, docman-edt.
profile = "emis"
# What receivers with a profile promise, and so what closes a letter: collected, acknowledged, filed.
# Without a promise it is closed when it is collected.
#promises = { emis = "acknowledged" }

# A folder that the record system or the integration engine writes to.
[[trust.folder]]
source = "epr"
inbox = "in"
taken = "taken"
refused = "refused"
# A document without a sidecar is taken when nobody wrote to it for so long.
#still_for_seconds = 2
# "replay" for a backlog that is sent again: it never delays today's letters.
#lane = "today"

# A listener for HL7 v2 over MLLP. Not encrypted: loopback or a private network.
#[[trust.mllp]]
#source = "epr-hl7"
#listen = "127.0.0.1:2575"

# A door for hand-over and questions over HTTP: POST /v1/letters, GET /v1/letters/ID.
# It asks for a token, a client certificate, or both; without TLS it serves loopback only.
#[[trust.http]]
#source = "epr-http"
#listen = "127.0.0.1:8080"
#token_file = "secrets/epr-token"
#certificate = "tls/door.pem"
#key = "tls/door.key"
#client_ca = "tls/epr-ca.pem"

# What others send to the trust: workflows that are ours in this mailbox, and who gets them (folder, mllp
# or webhook, as below). All other workflows are left alone, counted and noted once. MESH is told
# when the message was handed over; "stored" tells it as soon as the message is durable here, and
# its sender then sees "collected" before anybody at the trust can see it.
#[[trust.inbound]]
#workflows = ["TOC_DISCH_DMS"]
#folder = "inbound"
#acknowledge = "handed-over"

# Who is told what became of each letter: accepted, held with the reason, collected, received,
# refused and so on; at least once, in order. A folder, an HL7 listener (mllp = "127.0.0.1:2576") or
# an HTTP address (webhook = "https://…" with secret_file, and ca for its certificate).
#[[trust.feed]]
#name = "epr"
#folder = "outcomes"
# "now" leaves out what happened before the feed was first used.
#begin = "first"

[trust.routing]
# The practice is the one that the source names. (The national lookup is not in this version.)
demographics = "source"
# Workflow ids as agreed with the practices, in order of preference.
workflows = [{ workflow = "TOC_OUTP_ATT_DMS", format = "emis" }]
# Test patients: never true with live = true.
allow_synthetic = false

# Who signs the ledger, and who is shown. Without it, a key derived from key_file signs.
#[trust.ledger]
# A command that reads a checkpoint's three lines and writes the signed note, and the key that checks it.
#signer = ["sudo", "-u", "ledger", "/usr/local/bin/ledger-signer"]
#signer_key = "letterbox.invalid/rxx+...+..."
# A line of origin, size and root, an hour apart, for where nobody here can change it.
#anchor_file = "/mnt/siem/letterbox.txt"
#anchor_command = ["mail", "-s", "ledger", "information.governance@example.nhs.uk"]
#witnesses_needed = 1
#[[trust.ledger.witness]]
#url = "https://witness.example"
#key = "witness.example/w1+...+..."
#ca = "tls/witness-ca.pem"

# Timers; the defaults are good ones.
#[trust.delivery]
#ask_after_seconds = 60
#ask_again_seconds = 300
#poll_every_seconds = 300
# How long what was begun may go on when the run stops, before it is left to the next one.
#stop_within_seconds = 30
# Pieces of work that go on at the same time, and how many of these places are kept for letters
# that have not waited longer than fresh_for_seconds.
#at_once = 16
#kept_for_fresh = 4
#fresh_for_seconds = 300
# Messages on their way to one mailbox, and how many go there in an hour (0: any number).
#per_mailbox = 4
#today_an_hour = 0
#replay_an_hour = 60
# The share of the places that a backlog gets at most.
#replay_percent = 50
# How long a piece of work belongs to its worker; it is renewed while it goes on.
#lease_seconds = 180
# After so many failures to connect MESH is left alone for so long; no letter's attempts are spent.
#breaker_failures = 5
#breaker_pause_seconds = 30
"#;
