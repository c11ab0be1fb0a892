use std::time::Duration;

use super::*;

/// What a test writes.
type Insert = fn(&Connection) -> Result<(), StoreError>;

struct Fixture {
    folder: tempfile::TempDir,
    writer: Writer,
    reader: Reader,
    runtime: tokio::runtime::Runtime,
}

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rxx.db");
        let key = MasterKey::generate().unwrap();
        let writer = Writer::start(&path, &key).unwrap();
        let reader = Reader::start(&path, &key).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        Self {
            folder,
            writer,
            reader,
            runtime,
        }
    }

    /// Lets changes pile up behind one that waits, so that they share a transaction.
    fn together(&self, changes: Vec<Insert>) -> Vec<Result<(), StoreError>> {
        self.runtime.block_on(async {
            let (open, gate) = mpsc::channel::<()>();
            let (began, begun) = mpsc::channel::<()>();
            let mut first = Box::pin(self.writer.run(move |_, _| {
                let _ = began.send(());
                let _ = gate.recv_timeout(Duration::from_secs(5));
                Ok(())
            }));
            // It is at work, alone in its transaction, before the others come.
            std::future::poll_fn(|context| {
                let _ = first.as_mut().poll(context);
                std::task::Poll::Ready(())
            })
            .await;
            begun.recv_timeout(Duration::from_secs(5)).unwrap();
            let rest: Vec<_> = changes
                .into_iter()
                .map(|change| Box::pin(self.writer.run(move |db, _| change(db))))
                .collect();
            let rest = futures_in_order(rest);
            let opened = async {
                // Each has been polled once by now, so each waits in the queue.
                tokio::task::yield_now().await;
                drop(open);
            };
            tokio::join!(first, rest, opened).1
        })
    }

    fn seen(&self) -> i64 {
        let count = |db: &Connection, _: &Seal| {
            db.query_row("SELECT count(*) FROM seen", [], |row| row.get(0))
                .map_err(|error| schema::store_error(&error))
        };
        self.runtime.block_on(self.reader.run(count)).unwrap()
    }
}

/// Polls all of them before it waits for any.
async fn futures_in_order<T>(
    mut futures: Vec<std::pin::Pin<Box<impl Future<Output = T>>>>,
) -> Vec<T> {
    let mut done: Vec<Option<T>> = futures.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, done) in futures.iter_mut().zip(&mut done) {
            if done.is_none()
                && let std::task::Poll::Ready(value) = future.as_mut().poll(context)
            {
                *done = Some(value);
            }
        }
        if done.iter().all(Option::is_some) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    done.into_iter().flatten().collect()
}

fn insert(db: &Connection) -> Result<(), StoreError> {
    let sql = "INSERT INTO seen (mailbox, message_id, ours, at, mac) \
               VALUES ('M', hex(randomblob(8)), 1, 0, x'')";
    db.execute(sql, [])
        .map(drop)
        .map_err(|error| schema::store_error(&error))
}

fn insert_and_refuse(db: &Connection) -> Result<(), StoreError> {
    insert(db)?;
    Err(StoreError::Conflict)
}

/// What a full disk may do in the middle of a statement.
fn lose_the_transaction(db: &Connection) -> Result<(), StoreError> {
    db.execute_batch("ROLLBACK")
        .map_err(|error| schema::store_error(&error))?;
    Err(StoreError::Unavailable("the disk is full".to_owned()))
}

#[test]
fn a_refused_change_harms_none_of_its_batch() {
    let fixture = Fixture::new();
    let answers = fixture.together(vec![insert, insert_and_refuse, insert]);
    assert!(matches!(
        answers[..],
        [Ok(()), Err(StoreError::Conflict), Ok(())]
    ));
    assert_eq!(fixture.seen(), 2);
}

#[test]
fn a_lost_transaction_takes_none_of_its_batch_to_disk() {
    let fixture = Fixture::new();
    let answers = fixture.together(vec![insert, lose_the_transaction, insert, insert]);
    assert!(
        answers
            .iter()
            .all(|answer| matches!(answer, Err(StoreError::Unavailable(_)))),
        "{answers:?}"
    );
    assert_eq!(fixture.seen(), 0);
    assert!(fixture.together(vec![insert])[0].is_ok());
    assert_eq!(fixture.seen(), 1);
}

#[test]
fn a_full_batch_and_one_more_all_become_durable() {
    let fixture = Fixture::new();
    let changes: Vec<Insert> = vec![insert; BATCH_MAX + 1];
    assert!(fixture.together(changes).iter().all(Result::is_ok));
    assert_eq!(fixture.seen(), 257);
}

#[test]
fn a_full_database_refuses_and_goes_on_after_space_is_freed() {
    let fixture = Fixture::new();
    fn limit(fixture: &Fixture, pages: i64) {
        let set = move |db: &Connection, _: &Seal| {
            db.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |row| {
                row.get::<_, i64>(0)
            })
            .map(drop)
            .map_err(|error| schema::store_error(&error))
        };
        fixture.runtime.block_on(fixture.writer.run(set)).unwrap();
    }
    fn large(db: &Connection) -> Result<(), StoreError> {
        insert(db)?;
        let sql = "INSERT INTO payload (id, letter, kind, sealed, mac) \
                   VALUES (randomblob(16), x'', 'source', randomblob(900000), x'')";
        db.execute(sql, [])
            .map(drop)
            .map_err(|error| schema::store_error(&error))
    }
    limit(&fixture, 60);
    for answer in fixture.together(vec![insert, large, insert]) {
        let Err(StoreError::Unavailable(why)) = answer else {
            panic!("{answer:?}");
        };
        assert!(why.contains("disk is full"), "{why}");
    }
    assert_eq!(fixture.seen(), 0, "nothing half written");
    assert!(fixture.together(vec![insert])[0].is_ok());
    limit(&fixture, 1_000_000);
    assert!(fixture.together(vec![large])[0].is_ok());
    assert_eq!(fixture.seen(), 2);
}

#[test]
fn an_answer_is_from_one_moment_whatever_is_written_meanwhile() {
    let fixture = Fixture::new();
    let (wrote, gate) = mpsc::channel::<()>();
    let twice = fixture.reader.run(move |db, _| {
        let count = || db.query_row("SELECT count(*) FROM seen", [], |row| row.get::<_, i64>(0));
        let before = count();
        let _ = gate.recv_timeout(Duration::from_secs(5));
        Ok((before.unwrap(), count().unwrap()))
    });
    let write = async {
        fixture.writer.run(|db, _| insert(db)).await.unwrap();
        drop(wrote);
    };
    let (counts, ()) = fixture
        .runtime
        .block_on(async { tokio::join!(twice, write) });
    let (before, after) = counts.unwrap();
    assert_eq!(before, after);
    assert_eq!(fixture.seen(), 1);
}

#[test]
fn a_store_that_has_ended_says_so() {
    let mut fixture = Fixture::new();
    fixture.writer.jobs = None;
    fixture.reader.questions = None;
    let runtime = &fixture.runtime;
    let write = runtime.block_on(fixture.writer.run(|_, _| Ok(())));
    let read = runtime.block_on(fixture.reader.run(|_, _| Ok(())));
    assert!(matches!(write, Err(StoreError::Unavailable(_))));
    assert!(matches!(read, Err(StoreError::Unavailable(_))));
    drop(fixture.folder);
}
