use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use audit_core::Data;
use chrono::{DateTime, Duration, Utc};
use letter_delivery::testkit::SeededDice;
use letter_delivery::{
    Address, Claimed, Commit, Disposition, Engine, Intake, Policy, Prepared, PreparedCopy,
    SendResult, ShapedCopy, Store as _, StoreError, Work, WorkKind,
};
use letter_store::SqliteStore;
use nhs_types::{MailboxId, NhsNumber, Sensitive, WorkflowId};

/// Letters on their way at the same time: they share transactions.
const AT_ONCE: u64 = 256;
const PRACTICES: u64 = 7_000;
/// Long enough to be sealed, short enough that the disk holds a million of them.
const LETTER_BYTES: usize = 64;

pub(crate) async fn fill(folder: &Path, letters: u64) -> Result<String, Box<dyn Error>> {
    let store = super::store(folder)?;
    let begin = Instant::now();
    let key = super::key()?;
    let tasks: Vec<_> = (0..AT_ONCE)
        .map(|first| {
            let store = Arc::clone(&store);
            let keys = key.trust_keys(crate::open::code("RXX"));
            tokio::spawn(async move {
                let dice = Box::new(SeededDice::new(first));
                let mut engine = Engine::new(keys, Policy::default(), dice);
                let step = usize::try_from(AT_ONCE).unwrap_or(1);
                for number in (first..letters).step_by(step) {
                    one(&store, &mut engine, number)
                        .await
                        .map_err(|error| error.to_string())?;
                }
                Ok::<_, String>(())
            })
        })
        .collect();
    for task in tasks {
        task.await??;
    }
    let seconds = begin.elapsed().as_secs_f64();
    let events = store.tree().await?.size;
    Ok(format!(
        "{{\"letters\": {letters}, \"events\": {events}, \"seconds\": {seconds:.1}}}"
    ))
}

/// One letter, all the way to "accepted".
async fn one(store: &SqliteStore, engine: &mut Engine, number: u64) -> Result<(), StoreError> {
    let now = time(number);
    let mut taken = engine.intake(now, intake(number), None, None).commit;
    taken.work.clear();
    let letter = taken.letters.first().cloned();
    store.commit(taken).await?;
    let Some(letter) = letter else { return Ok(()) };

    let work = Work::new(letter.key, WorkKind::Prepare, now);
    let lease = lease(engine);
    let claimed = Claimed::new(work, lease, letter, None, 1);
    let shaped = ShapedCopy::new(vec![b'z'; LETTER_BYTES], "application/xml", Data::new());
    let copies = vec![PreparedCopy::new(address(number), Data::new(), Ok(shaped))];
    let mut prepared = engine.prepared(now, claimed, Prepared::Copies(copies));
    (prepared.fence, prepared.work) = (None, Vec::new());
    let (letter, copy) = (
        prepared.letters.first().cloned(),
        prepared.copies.first().cloned(),
    );
    store.commit(prepared).await?;
    let (Some(letter), Some(copy)) = (letter, copy) else {
        return Ok(());
    };

    let work = Work::new(copy.key, WorkKind::Send, now);
    let begun = engine.begin(now, Claimed::new(work, lease, letter, Some(copy), 1));
    store.commit(unfenced(begun.commit)).await?;
    let Some(order) = begun.order else {
        return Ok(());
    };
    let message_id = format!("20260203101000{number:012}");
    let sent = engine.sent(now, order.claimed, SendResult::Accepted { message_id });
    store.commit(unfenced(sent)).await
}

/// Nobody claimed this work: the lease of a bench is its own.
fn unfenced(mut commit: Commit) -> Commit {
    commit.fence = None;
    commit
}

fn lease(engine: &mut Engine) -> letter_delivery::LeaseToken {
    engine
        .lease_tokens(1)
        .pop()
        .unwrap_or_else(|| letter_delivery::LeaseToken::from_random([0; 16]))
}

fn intake(number: u64) -> Intake {
    let mut content = [0; 32];
    for (to, from) in content.iter_mut().zip(number.to_be_bytes()) {
        *to = from;
    }
    let raw = vec![b'x'; LETTER_BYTES];
    let document = format!("DOC-{number}");
    let mut intake = Intake::new("epr", document, Disposition::Send, "ok", content, raw);
    intake.class = "outpatient-letter".to_owned();
    intake.patient = patient(number);
    intake.signed_at = Some(time(number));
    intake.letter = Some(Sensitive::new(vec![b'y'; LETTER_BYTES]));
    intake
}

/// A test patient: four letters of one stand side by side.
pub(crate) fn patient(number: u64) -> Option<NhsNumber> {
    let base = 999_000_000 + 2 * (number / 4 % 400_000);
    let candidates =
        (0..2).flat_map(|add| (0..10).map(move |check| format!("{}{check}", base + add)));
    candidates
        .filter_map(|text| NhsNumber::parse(&text).ok())
        .next()
}

/// One letter a minute, from the beginning of 2020.
fn time(number: u64) -> DateTime<Utc> {
    let start = DateTime::from_timestamp_millis(1_577_836_800_000).unwrap_or_default();
    start + Duration::minutes(i64::try_from(number).unwrap_or_default())
}

fn address(number: u64) -> Address {
    let code = format!("Y{:05}", number % PRACTICES);
    let mailbox = MailboxId::parse(&format!("{code}OT001"));
    let workflow = WorkflowId::parse("TOC_OUTP_ATT_DMS");
    let (Ok(mailbox), Ok(workflow)) = (mailbox, workflow) else {
        return address(0);
    };
    Address::new(crate::open::code(&code), mailbox, workflow, "emis")
}
