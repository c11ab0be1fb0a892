//! The ledger is read in its order, and how far a feed has come outlives the process.

use super::desk::Desk;
use super::{Failure, Outcome, Place, equal, is_true, there};
use crate::commit::Commit;
use crate::feed::{self, FeedCursor, OutcomeKind};
use crate::store::Store as _;

/// Every outcome once, whatever the size of the pages.
///
/// # Errors
///
/// [`Failure`].
pub async fn the_ledger_is_read_in_pages_without_gap_or_double(place: impl Place) -> Outcome {
    let mut desk = Desk::new(place, 50).await?;
    desk.take("DOC-1", "first").await?;
    desk.take("DOC-2", "second").await?;
    desk.work_off().await?;
    desk.verify().await?;
    let whole = outcomes(&desk, 1000).await?;
    let accepted = |(_, kind): &&(u64, OutcomeKind)| *kind == OutcomeKind::Accepted;
    equal("accepted", whole.iter().filter(accepted).count(), 2)?;
    let ordered = whole.windows(2).all(|two| match two {
        [(first, _), (second, _)] => first < second,
        _ => true,
    });
    is_true("they come in the ledger's order", ordered)?;
    for limit in [1, 2, 7] {
        let paged = outcomes(&desk, limit).await?;
        equal("in pages", &paged, &whole)?;
    }
    Ok(())
}

async fn outcomes<P: Place>(
    desk: &Desk<P>,
    limit: usize,
) -> Result<Vec<(u64, OutcomeKind)>, Failure> {
    let (mut next, mut found) = (0, Vec::new());
    loop {
        let page = desk.store()?.ledger_page(next, limit).await?;
        if page.next == next {
            equal("the end", page.end, next)?;
            return Ok(found);
        }
        next = page.next;
        for entry in page.entries {
            is_true("its number is known", entry.document.is_some())?;
            if entry.event.body.lseq > 0 {
                there("the state before", entry.before.as_ref())?;
            }
            found.extend(feed::Outcome::of(entry).map(|one| (one.seq, one.kind)));
        }
    }
}

/// Each feed by itself; the last word counts.
///
/// # Errors
///
/// [`Failure`].
pub async fn a_feed_goes_on_where_it_was(place: impl Place) -> Outcome {
    let mut desk = Desk::new(place, 51).await?;
    equal("a new feed", cursor(&desk, "epr").await?, None)?;
    for (feed, next) in [("epr", 3), ("tie", 9), ("epr", 7)] {
        let mut commit = Commit::default();
        commit.cursors.push(FeedCursor::new(feed, next));
        desk.store()?.commit(commit).await?;
    }
    desk.reopen().await?;
    equal("one", cursor(&desk, "epr").await?, Some(7))?;
    equal("the other", cursor(&desk, "tie").await?, Some(9))?;
    desk.assert_clean().await
}

async fn cursor<P: Place>(desk: &Desk<P>, feed: &str) -> Result<Option<u64>, Failure> {
    Ok(desk.store()?.cursor(feed.to_owned()).await?)
}
