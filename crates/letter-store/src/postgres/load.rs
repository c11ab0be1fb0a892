use letter_delivery::{StoreError, WorkKind};
use tokio_postgres::Row;

use super::Inner;
use super::checkpoint;
use super::claim::time;
use super::connect::one;
use super::lists::{column, moment, rows};
use super::sequencer::unsigned;
use crate::load::{Load, Waiting};

const WAITING: &str = "SELECT kind, count(*), min(due_at) FROM work GROUP BY kind ORDER BY kind";

const NEED: &str = "SELECT count(*), min(act_by) FROM \
     (SELECT act_by FROM letter WHERE needs_person \
      UNION ALL SELECT act_by FROM copy WHERE needs_person) AS needs";

const EVENTS: &str = "SELECT count(*) FROM event WHERE seq IS NULL";

/// Events count also while they wait for their place.
pub(super) async fn load(inner: &Inner) -> Result<Load, StoreError> {
    let mut client = one(&inner.pool).await?;
    let moment = moment(&mut client).await?;
    let mut load = Load::default();
    for row in rows(&moment, WAITING, &[]).await? {
        load.waiting.push(waiting(&row)?);
    }
    if let Some(row) = rows(&moment, NEED, &[]).await?.first() {
        load.needs_person = unsigned(column(row, 0)?)?;
        load.oldest_duty = column::<Option<i64>>(row, 1)?.map(time).transpose()?;
    }
    if let Some(row) = rows(&moment, EVENTS, &[]).await?.first() {
        load.events = unsigned(column(row, 0)?)?;
    }
    let tree = checkpoint::tree_of(&moment, false).await?;
    load.events = load.events.saturating_add(tree.size);
    load.signed = tree.signed_size.unwrap_or_default();
    Ok(load)
}

fn waiting(row: &Row) -> Result<Waiting, StoreError> {
    let kind = WorkKind::parse(column(row, 0)?)
        .ok_or_else(|| StoreError::Corrupt("a kind of work that is not known".to_owned()))?;
    Ok(Waiting::new(
        kind,
        unsigned(column(row, 1)?)?,
        time(column(row, 2)?)?,
    ))
}
