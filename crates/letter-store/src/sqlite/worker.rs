//! The threads that own the connections, and group commit.

use std::path::Path;
use std::sync::mpsc;
use std::thread;

use letter_delivery::StoreError;
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::seal::Seal;
use super::{OpenError, erase, schema};
use crate::MasterKey;

/// How many waiting changes one transaction takes at most.
const BATCH_MAX: usize = 256;

/// A change, to be run inside the transaction that many share.
type Change = Box<dyn FnOnce(&Connection, &Seal) -> Result<Answer, StoreError> + Send>;
/// Tells the caller, once the transaction is on disk or has failed.
type Answer = Box<dyn FnOnce(Result<(), StoreError>) + Send>;
/// Tells the caller that its change failed by itself.
type Refusal = Box<dyn FnOnce(StoreError) + Send>;
/// A question, answered by itself.
type Question = Box<dyn FnOnce(&Connection, &Seal) + Send>;

struct Job {
    change: Change,
    /// Whether keys are to be destroyed once it is durable.
    erases: bool,
    refuse: Refusal,
}

/// The one thread that writes.
#[derive(Debug)]
pub(super) struct Writer {
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<thread::JoinHandle<()>>,
}

/// The thread that reads.
#[derive(Debug)]
pub(super) struct Reader {
    questions: Option<mpsc::Sender<Question>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(path: &Path, key: &MasterKey) -> Result<Self, OpenError> {
        let db = schema::open(path, key)?;
        let seal = Seal::open(&db, path, key)?;
        seal.check(&db, path)?;
        // What was erased and not yet destroyed when a process ended.
        // It may be read this moment: verification tells what is left, and the next opening tries.
        let _ = erase::complete(&db, &seal);
        let (jobs, waiting) = mpsc::channel();
        let thread = spawn("letter-store writer", path, move || {
            write_batches(&db, &seal, &waiting);
        })?;
        Ok(Self {
            jobs: Some(jobs),
            thread: Some(thread),
        })
    }

    /// Runs a change in the next transaction; answers when that is on disk.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Connection, &Seal) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.run_job(change, false).await
    }

    /// Runs a change that erases: answers when the keys are destroyed too.
    pub(super) async fn run_erasing<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Connection, &Seal) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.run_job(change, true).await
    }

    async fn run_job<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Connection, &Seal) -> Result<T, StoreError> + Send + 'static,
        erases: bool,
    ) -> Result<T, StoreError> {
        let (tell, told) = oneshot::channel();
        let (refuse, refused) = oneshot::channel();
        let change: Change = Box::new(move |db, seal| {
            let value = change(db, seal)?;
            let answer: Answer = Box::new(move |done| {
                let _ = tell.send(done.map(|()| value));
            });
            Ok(answer)
        });
        let refuse: Refusal = Box::new(move |error| {
            let _ = refuse.send(error);
        });
        let jobs = self.jobs.as_ref().ok_or_else(stopped)?;
        let job = Job {
            change,
            erases,
            refuse,
        };
        jobs.send(job).map_err(|_| stopped())?;
        match told.await {
            Ok(done) => done,
            Err(_) => Err(refused.await.unwrap_or_else(|_| stopped())),
        }
    }
}

impl Reader {
    pub(super) fn start(path: &Path, key: &MasterKey) -> Result<Self, OpenError> {
        let db = schema::open(path, key)?;
        let seal = Seal::open(&db, path, key)?;
        let (questions, waiting) = mpsc::channel::<Question>();
        let thread = spawn("letter-store reader", path, move || {
            for question in waiting {
                question(&db, &seal);
            }
        })?;
        Ok(Self {
            questions: Some(questions),
            thread: Some(thread),
        })
    }

    /// Answers a question from one moment of the store, whatever is written meanwhile.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Connection, &Seal) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (tell, told) = oneshot::channel();
        let question: Question = Box::new(move |db, seal| {
            let snapshot = db.unchecked_transaction();
            let answer = match &snapshot {
                Ok(_) => question(db, seal),
                Err(error) => Err(schema::store_error(error)),
            };
            drop(snapshot);
            let _ = tell.send(answer);
        });
        let questions = self.questions.as_ref().ok_or_else(stopped)?;
        questions.send(question).map_err(|_| stopped())?;
        told.await.unwrap_or_else(|_| Err(stopped()))
    }
}

fn spawn(
    name: &str,
    path: &Path,
    body: impl FnOnce() + Send + 'static,
) -> Result<thread::JoinHandle<()>, OpenError> {
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(body)
        .map_err(|error| OpenError::Unavailable {
            path: path.to_owned(),
            cause: error.to_string(),
        })
}

fn stopped() -> StoreError {
    StoreError::Unavailable("the store's thread has ended".to_owned())
}

/// Takes all that waits into one transaction, again and again until the store is dropped.
fn write_batches(db: &Connection, seal: &Seal, waiting: &mpsc::Receiver<Job>) {
    while let Ok(first) = waiting.recv() {
        let batch: Vec<Job> = std::iter::once(first)
            .chain(waiting.try_iter().take(BATCH_MAX - 1))
            .collect();
        write_batch(db, seal, batch);
    }
}

/// Each change stands or falls alone; all that stand become durable together.
fn write_batch(db: &Connection, seal: &Seal, batch: Vec<Job>) {
    let begun = begin(db, seal);
    if let Err(error) = &begun {
        for job in batch {
            (job.refuse)(same(error));
        }
        return;
    }
    let erases = batch.iter().any(|job| job.erases);
    let mut answers = Vec::with_capacity(batch.len());
    for job in batch {
        match run_one(db, seal, job.change) {
            Ok(answer) => answers.push(answer),
            Err(error) => (job.refuse)(error),
        }
    }
    let mut done = finish(db, seal);
    if done.is_ok() && erases {
        done = erase::complete(db, seal).map_err(|error| {
            StoreError::Unavailable(format!(
                "it is recorded, and the key is destroyed when the store is next opened: {error}"
            ))
        });
    }
    for answer in answers {
        answer(done.as_ref().copied().map_err(same));
    }
}

fn begin(db: &Connection, seal: &Seal) -> Result<(), StoreError> {
    db.execute_batch("BEGIN IMMEDIATE")
        .map_err(|error| schema::store_error(&error))?;
    seal.begin().inspect_err(|_| abandon(db))
}

fn run_one(db: &Connection, seal: &Seal, change: Change) -> Result<Answer, StoreError> {
    let point = |sql| {
        db.execute_batch(sql)
            .map_err(|error| schema::store_error(&error))
    };
    // Outside a transaction a savepoint would commit by itself, and too early.
    if is_lost(db, seal) {
        return Err(lost());
    }
    point("SAVEPOINT one")?;
    match change(db, seal) {
        Ok(answer) => point("RELEASE one").map(|()| answer),
        Err(error) => {
            // When even this fails the whole transaction is gone, which the end of it will see.
            let _ = point("ROLLBACK TO one; RELEASE one");
            Err(error)
        }
    }
}

/// Keys first: a key that no content needs is harmless, a content without its key is lost.
fn finish(db: &Connection, seal: &Seal) -> Result<(), StoreError> {
    let keys = if is_lost(db, seal) {
        Err(lost())
    } else {
        seal.finish()
    };
    if let Err(error) = keys {
        seal.abandon();
        abandon(db);
        return Err(error);
    }
    db.execute_batch("COMMIT").map_err(|error| {
        abandon(db);
        schema::store_error(&error)
    })
}

/// A full disk or a failing one may end a whole transaction in the middle of a statement.
fn is_lost(db: &Connection, seal: &Seal) -> bool {
    db.is_autocommit() || seal.is_lost()
}

fn lost() -> StoreError {
    StoreError::Unavailable(
        "the disk is full or failing, and what was written together was taken back".to_owned(),
    )
}

fn abandon(db: &Connection) {
    // A transaction that cannot be rolled back ends with its connection: nothing to add.
    let _ = db.execute_batch("ROLLBACK");
}

fn same(error: &StoreError) -> StoreError {
    match error {
        StoreError::Conflict => StoreError::Conflict,
        StoreError::Fenced => StoreError::Fenced,
        StoreError::TakenOver => StoreError::TakenOver,
        StoreError::Corrupt(what) => StoreError::Corrupt(what.clone()),
        StoreError::Unavailable(what) => StoreError::Unavailable(what.clone()),
        other => StoreError::Unavailable(other.to_string()),
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.questions = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests;
