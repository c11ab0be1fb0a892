use letter_delivery::{StoreError, WorkKind};
use rusqlite::{Connection, params};

use super::checkpoint;
use super::claim::time;
use super::commit::unsigned;
use super::lists::rows;
use crate::load::{Load, Waiting};

const WAITING: &str = "SELECT kind, count(*), min(due_at) FROM work GROUP BY kind ORDER BY kind";

const NEED: &str = "SELECT count(*), min(act_by) FROM \
     (SELECT act_by FROM letter WHERE needs_person = 1 \
      UNION ALL SELECT act_by FROM copy WHERE needs_person = 1)";

pub(super) fn load(db: &Connection) -> Result<Load, StoreError> {
    let kinds: Vec<(String, i64, i64)> = rows(db, WAITING, [], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?))
    })?;
    let need: Vec<(i64, Option<i64>)> =
        rows(db, NEED, params![], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let (people, oldest) = need.first().copied().unwrap_or_default();
    let tree = checkpoint::tree(db)?;
    Ok(Load {
        waiting: kinds
            .into_iter()
            .map(waiting)
            .collect::<Result<_, StoreError>>()?,
        needs_person: unsigned(people)?,
        oldest_duty: oldest.map(time).transpose()?,
        events: tree.size,
        signed: tree.signed_size.unwrap_or_default(),
    })
}

fn waiting((kind, pieces, oldest): (String, i64, i64)) -> Result<Waiting, StoreError> {
    let kind = WorkKind::parse(&kind)
        .ok_or_else(|| StoreError::Corrupt("a kind of work that is not known".to_owned()))?;
    Ok(Waiting::new(kind, unsigned(pieces)?, time(oldest)?))
}
