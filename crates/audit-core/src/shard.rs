//! Shards: a ledger that goes on in a new one, each year or after a restore.
//!
//! A shard is a ledger of its own, with its own origin and a tree that begins at 0. What ties it
//! to the one before is its first event, which holds that one's last checkpoint.

use base64::{Engine, prelude::BASE64_STANDARD};

use crate::{
    Checkpoint, Data, Event, Origin, StreamKey,
    checkpoint::{base64_hash, decimal},
};

/// How a shard begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ShardStart {
    /// The shard before was closed in order.
    Opened,
    /// The shard before was restored from a backup and may have lost what came after it.
    Restored,
}

impl ShardStart {
    /// The `type` of the first event.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "ledger.opened",
            Self::Restored => "ledger.restored",
        }
    }
}

/// The first event of a shard: how it begins, and which ledger it goes on from.
///
/// ```
/// use audit_core::{Checkpoint, Origin, ShardOpening, ShardStart, empty_root};
/// let last = Checkpoint { origin: Origin::parse("ledger.example/doors/2026")?, size: 0, root: empty_root() };
/// let opening = ShardOpening::after(ShardStart::Opened, last);
/// assert_eq!(opening.to_data().text("previous_size"), Some("0"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShardOpening {
    /// How it begins.
    pub start: ShardStart,
    /// The shard before as far as it is held; nothing for the very first one.
    pub previous: Option<Checkpoint>,
}

impl ShardOpening {
    /// The beginning of the first shard of all.
    pub const FIRST: Self = Self {
        start: ShardStart::Opened,
        previous: None,
    };

    /// The beginning of a shard that goes on from another.
    pub const fn after(start: ShardStart, previous: Checkpoint) -> Self {
        Self {
            start,
            previous: Some(previous),
        }
    }

    /// The data of the event; its `type` is [`ShardStart::as_str`], its stream
    /// [`StreamKey::LEDGER`].
    pub fn to_data(&self) -> Data {
        let Some(previous) = &self.previous else {
            return Data::new();
        };
        let root = BASE64_STANDARD.encode(previous.root.as_bytes());
        Data::new()
            .with(ORIGIN, previous.origin.as_str())
            .with(SIZE, previous.size.to_string())
            .with(ROOT, root)
    }

    /// Reads the event that a shard begins with; nothing when it is another event.
    pub fn of(event: &Event) -> Option<Self> {
        let body = &event.body;
        let start = [ShardStart::Opened, ShardStart::Restored]
            .into_iter()
            .find(|start| body.stream == StreamKey::LEDGER && body.kind == start.as_str())?;
        let previous = match body.data.get(ORIGIN) {
            None => None,
            Some(_) => Some(previous(&body.data)?),
        };
        Some(Self { start, previous })
    }
}

/// The `type` of the last event of a shard that was closed in order.
pub const SHARD_CLOSED: &str = "ledger.closed";

const ORIGIN: &str = "previous_origin";
const SIZE: &str = "previous_size";
const ROOT: &str = "previous_root";

fn previous(data: &Data) -> Option<Checkpoint> {
    Some(Checkpoint {
        origin: Origin::parse(data.text(ORIGIN)?).ok()?,
        size: decimal(data.text(SIZE)?)?,
        root: base64_hash(data.text(ROOT)?)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EventBody, EventId, Hash, Timestamp};

    fn event(kind: &str, stream: StreamKey, data: Data) -> Event {
        let body = EventBody {
            id: EventId::from_bytes([1; 16]),
            at: Timestamp::from_millis(0),
            stream,
            copy: None,
            lseq: 0,
            subject: None,
            kind: kind.to_owned(),
            state: "OPEN".to_owned(),
            actor: "svc:doors".to_owned(),
            data,
        };
        body.sequenced(0, Hash::ZERO)
    }

    fn last() -> Checkpoint {
        Checkpoint {
            origin: Origin::parse("ledger.example/doors/2026").unwrap(),
            size: 10_000_000_000,
            root: Hash::from_bytes([7; 32]),
        }
    }

    #[test]
    fn an_opening_is_read_as_it_was_written() {
        for start in [ShardStart::Opened, ShardStart::Restored] {
            let opening = ShardOpening::after(start, last());
            let event = event(start.as_str(), StreamKey::LEDGER, opening.to_data());
            assert_eq!(ShardOpening::of(&event), Some(opening));
        }
        let first = event("ledger.opened", StreamKey::LEDGER, Data::new());
        assert_eq!(ShardOpening::of(&first), Some(ShardOpening::FIRST));
    }

    #[test]
    fn what_is_no_opening_is_not_read_as_one() {
        let whole = ShardOpening::after(ShardStart::Opened, last()).to_data();
        let other = StreamKey::from_bytes([1; 16]);
        assert_eq!(
            ShardOpening::of(&event("ledger.opened", other, whole.clone())),
            None
        );
        let ledger = StreamKey::LEDGER;
        assert_eq!(
            ShardOpening::of(&event("opened", ledger, whole.clone())),
            None
        );
        for (member, value) in [(SIZE, "010"), (ROOT, "AAAA"), (ORIGIN, "")] {
            let broken = whole.clone().with(member, value);
            assert_eq!(
                ShardOpening::of(&event("ledger.opened", ledger, broken)),
                None,
                "{member}"
            );
        }
    }
}
