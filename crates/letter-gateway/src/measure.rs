//! What the pipeline counts, by the `metrics` facade: whoever embeds it installs a recorder, or none.

use std::time::Duration;

use letter_delivery::{AskResult, SendResult, TakenAs, TrackResult};
use metrics::{Unit, counter, describe_counter, describe_histogram, histogram};
use nhs_types::MailboxId;

/// Documents taken from a source, by source and by what became of them.
const TAKEN: &str = "letterbox_documents_taken_total";
/// Documents that could not be made durable, so that their source keeps them.
const NOT_TAKEN: &str = "letterbox_documents_not_taken_total";
/// Attempts to send, by how they ended.
const ATTEMPTS: &str = "letterbox_send_attempts_total";
/// Questions to MESH about a doubtful send or a sent message, by answer.
const QUESTIONS: &str = "letterbox_mesh_questions_total";
/// How long one attempt took.
const SEND_SECONDS: &str = "letterbox_send_seconds";
/// Messages met in the mailbox, by what they were to us.
const INBOX: &str = "letterbox_inbox_messages_total";

/// Tells the recorder that is installed what each of the pipeline's metrics means.
///
/// Call it once, after installing a recorder. Labels are names of the configuration (`source`,
/// `mailbox`) and codes (`outcome`, `answer`); none is about a patient, a document or a practice,
/// so the number of series stays small.
///
/// ```
/// letter_gateway::describe_metrics(); // without a recorder nothing happens
/// ```
pub fn describe_metrics() {
    describe_counter!(TAKEN, "Documents taken from a source, durable by then");
    describe_counter!(
        NOT_TAKEN,
        "Documents that could not be made durable; their source keeps them"
    );
    describe_counter!(ATTEMPTS, "Attempts to send a copy, by how they ended");
    describe_counter!(
        QUESTIONS,
        "Questions to MESH about a doubtful send or a sent message, by answer"
    );
    describe_histogram!(SEND_SECONDS, Unit::Seconds, "How long one attempt took");
    describe_counter!(
        INBOX,
        "Messages met in the mailbox, by what they were to us"
    );
}

pub(crate) fn taken(mailbox: &MailboxId, source: &str, taken: Option<TakenAs>) {
    let outcome = match taken {
        Some(TakenAs::Letter(state)) => state.as_str(),
        Some(TakenAs::Duplicate) => "duplicate",
        Some(TakenAs::Withdrawal) => "withdrawal",
        None => "refused",
    };
    let labels = [
        ("mailbox", mailbox.as_str().to_owned()),
        ("source", source.to_owned()),
        ("outcome", outcome.to_owned()),
    ];
    counter!(TAKEN, &labels).increment(1);
}

pub(crate) fn not_taken(mailbox: &MailboxId, source: &str) {
    let labels = [
        ("mailbox", mailbox.as_str().to_owned()),
        ("source", source.to_owned()),
    ];
    counter!(NOT_TAKEN, &labels).increment(1);
}

pub(crate) fn attempt(mailbox: &MailboxId, result: &SendResult, took: Duration) {
    let outcome = match result {
        SendResult::Accepted { .. } => "accepted",
        SendResult::Refused { .. } => "refused",
        SendResult::Retry { .. } => "retry",
        SendResult::Blocked { .. } => "settings-refused",
        SendResult::Unknown { .. } => "uncertain",
    };
    let labels = [
        ("mailbox", mailbox.as_str().to_owned()),
        ("outcome", outcome.to_owned()),
    ];
    counter!(ATTEMPTS, &labels).increment(1);
    histogram!(SEND_SECONDS, &labels).record(took.as_secs_f64());
}

pub(crate) fn asked(mailbox: &MailboxId, result: &AskResult) {
    let answer = match result {
        AskResult::Found { .. } => "found",
        AskResult::NotFound => "not-found",
        AskResult::Several => "several",
        AskResult::Unreachable => "unreachable",
        AskResult::Unavailable => "unavailable",
    };
    question(mailbox, "doubt", answer);
}

pub(crate) fn tracked(mailbox: &MailboxId, result: &TrackResult) {
    let answer = match result {
        TrackResult::Waiting => "waiting",
        TrackResult::Collected => "collected",
        TrackResult::Undelivered { .. } => "undelivered",
        TrackResult::Unknown => "unknown",
        TrackResult::Unavailable => "unavailable",
    };
    question(mailbox, "receipt", answer);
}

fn question(mailbox: &MailboxId, about: &'static str, answer: &'static str) {
    let labels = [
        ("mailbox", mailbox.as_str().to_owned()),
        ("about", about.to_owned()),
        ("answer", answer.to_owned()),
    ];
    counter!(QUESTIONS, &labels).increment(1);
}

/// A message of the inbox was met for the first time, and recorded.
pub(crate) fn met(mailbox: &MailboxId, what: &'static str) {
    let labels = [
        ("mailbox", mailbox.as_str().to_owned()),
        ("what", what.to_owned()),
    ];
    counter!(INBOX, &labels).increment(1);
}
