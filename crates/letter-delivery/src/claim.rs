//! Which work is begun first when there is more of it than hands.

use std::collections::BTreeMap;

use audit_core::StreamKey;
use chrono::{DateTime, Duration, Utc};
use nhs_types::MailboxId;

use crate::commit::{Lane, LeaseToken, WorkKind};

/// Which work to claim; [`Store::claim`](crate::Store::claim) says what a store does with it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ClaimRequest {
    /// What is due at this time.
    pub now: DateTime<Utc>,
    /// Also what may be pulled forward to this time, by a run that does not wait for timers.
    pub pull_forward_to: Option<DateTime<Utc>>,
    /// Until when the leases last.
    pub lease_until: DateTime<Utc>,
    /// One token for each piece of work; their number is the limit.
    pub tokens: Vec<LeaseToken>,
    /// How many pieces at most that need the transport: none while its breaker is open.
    pub transport: usize,
    /// Today's work that became due after this goes before what has waited longer.
    pub fresh_since: DateTime<Utc>,
    /// How many pieces at most that are not fresh, so that a place stays free for what is.
    pub waited: usize,
    /// How many of these at most out of the replay lane.
    pub replay: usize,
    /// How many pieces to one destination may be under a lease at the same time.
    pub per_destination: usize,
    /// The shortest time between two claims of today's work to one destination.
    pub today_apart: Option<Duration>,
    /// The shortest time between two claims of the replay lane to one destination.
    pub replay_apart: Option<Duration>,
}

/// The work of one lane that waits in one line, as far as a claim may take of it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Line {
    /// The lane.
    pub lane: Lane,
    /// What is to be done.
    pub kind: WorkKind,
    /// The mailbox it sends to, for work that does.
    pub destination: Option<MailboxId>,
    /// Stream and due time of its first pieces, oldest first.
    pub first: Vec<(StreamKey, DateTime<Utc>)>,
}

impl Line {
    /// The first pieces of a line.
    pub const fn new(
        lane: Lane,
        kind: WorkKind,
        destination: Option<MailboxId>,
        first: Vec<(StreamKey, DateTime<Utc>)>,
    ) -> Self {
        Self {
            lane,
            kind,
            destination,
            first,
        }
    }
}

/// Whose turn a piece of work has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the order of the turns is the rule"
)]
pub enum Turn {
    /// Of today, and due a short while: it goes first.
    Fresh,
    /// Of today, and due for long: what an outage left behind.
    Late,
    /// Of a backlog that is sent again.
    Replay,
}

impl Turn {
    const ALL: [Self; 3] = [Self::Fresh, Self::Late, Self::Replay];

    pub(crate) fn of(lane: Lane, due_at: DateTime<Utc>, fresh_since: DateTime<Utc>) -> Self {
        match lane {
            Lane::Replay => Self::Replay,
            Lane::Today if due_at < fresh_since => Self::Late,
            Lane::Today => Self::Fresh,
        }
    }
}

impl ClaimRequest {
    /// Claims what is due, as much as there are tokens.
    pub const fn new(
        now: DateTime<Utc>,
        lease_until: DateTime<Utc>,
        tokens: Vec<LeaseToken>,
    ) -> Self {
        Self {
            now,
            pull_forward_to: None,
            lease_until,
            tokens,
            transport: usize::MAX,
            fresh_since: DateTime::<Utc>::MIN_UTC,
            waited: usize::MAX,
            replay: usize::MAX,
            per_destination: usize::MAX,
            today_apart: None,
            replay_apart: None,
        }
    }

    /// Claims also what may be pulled forward to this time.
    #[must_use]
    pub const fn pulling_forward_to(mut self, to: DateTime<Utc>) -> Self {
        self.pull_forward_to = Some(to);
        self
    }

    /// The shortest time between two claims of a lane to one destination.
    pub const fn apart(&self, lane: Lane) -> Option<Duration> {
        match lane {
            Lane::Today => self.today_apart,
            Lane::Replay => self.replay_apart,
        }
    }

    /// How many pieces of a line may be claimed now: `in_flight` are under a lease to its
    /// destination, and the last of its lane was claimed at `last`.
    ///
    /// A line without a destination has neither a pace nor a limit of its own.
    pub fn places(
        &self,
        lane: Lane,
        destination: Option<&MailboxId>,
        in_flight: usize,
        last: Option<DateTime<Utc>>,
    ) -> usize {
        let limit = self.tokens.len();
        if destination.is_none() {
            return limit;
        }
        let free = self.per_destination.saturating_sub(in_flight).min(limit);
        let Some(apart) = self.apart(lane) else {
            return free;
        };
        let is_time = last.is_none_or(|last| self.now.signed_duration_since(last) >= apart);
        if is_time { free.min(1) } else { 0 }
    }

    /// Chooses, from the first pieces of every line that has places, which to claim.
    ///
    /// The turns in their order: fresh, late, replay. Within a turn the first of each line, the
    /// oldest before the younger, then the second of each: a line that is long or slow delays no
    /// other.
    ///
    /// ```
    /// use audit_core::StreamKey;
    /// use chrono::{DateTime, Utc};
    /// use letter_delivery::{ClaimRequest, Lane, LeaseToken, Line, WorkKind};
    ///
    /// let now: DateTime<Utc> = "2026-02-03T10:10:00Z".parse()?;
    /// let piece = |byte| (StreamKey::from_bytes([byte; 16]), now);
    /// let lines = [
    ///     Line::new(Lane::Replay, WorkKind::Prepare, None, vec![piece(1), piece(2)]),
    ///     Line::new(Lane::Today, WorkKind::Prepare, None, vec![piece(3)]),
    /// ];
    /// let tokens = vec![LeaseToken::from_random([0; 16]), LeaseToken::from_random([1; 16])];
    /// let request = ClaimRequest::new(now, now, tokens);
    /// let chosen = request.choose(&lines, &Default::default());
    /// assert_eq!(chosen, [piece(3).0, piece(1).0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn choose(&self, lines: &[Line], in_flight: &BTreeMap<MailboxId, usize>) -> Vec<StreamKey> {
        let mut hands = Hands {
            request: self,
            in_flight: in_flight.clone(),
            taken: Vec::new(),
            lines: BTreeMap::new(),
            transport: self.transport,
            waited: self.waited,
            replay: self.replay,
        };
        for turn in Turn::ALL {
            for piece in self.in_order(turn, lines) {
                hands.offer(turn, &piece);
            }
        }
        hands.taken
    }

    fn in_order<'a>(&self, turn: Turn, lines: &'a [Line]) -> Vec<Piece<'a>> {
        let mut pieces: Vec<Piece<'a>> = Vec::new();
        for line in lines {
            let of_turn = |due_at| Turn::of(line.lane, due_at, self.fresh_since) == turn;
            let first = line.first.iter().filter(|(_, due_at)| of_turn(*due_at));
            pieces.extend(first.enumerate().map(|(place, (stream, due_at))| Piece {
                place,
                due_at: *due_at,
                stream: *stream,
                line,
            }));
        }
        pieces.sort_by_key(|piece| (piece.place, piece.due_at, piece.stream));
        pieces
    }
}

struct Piece<'a> {
    place: usize,
    due_at: DateTime<Utc>,
    stream: StreamKey,
    line: &'a Line,
}

/// What is still free while a claim is put together.
struct Hands<'a> {
    request: &'a ClaimRequest,
    in_flight: BTreeMap<MailboxId, usize>,
    taken: Vec<StreamKey>,
    /// Pieces taken of a line that has a pace.
    lines: BTreeMap<(Lane, MailboxId), usize>,
    transport: usize,
    waited: usize,
    replay: usize,
}

impl Hands<'_> {
    fn offer(&mut self, turn: Turn, piece: &Piece<'_>) {
        if self.taken.len() >= self.request.tokens.len() || !self.has_room(turn, piece.line) {
            return;
        }
        self.taken.push(piece.stream);
        if piece.line.kind.needs_transport() {
            self.transport = self.transport.saturating_sub(1);
        }
        if turn != Turn::Fresh {
            self.waited = self.waited.saturating_sub(1);
        }
        if turn == Turn::Replay {
            self.replay = self.replay.saturating_sub(1);
        }
        if let Some(destination) = &piece.line.destination {
            let key = (piece.line.lane, destination.clone());
            *self.in_flight.entry(destination.clone()).or_default() += 1;
            *self.lines.entry(key).or_default() += 1;
        }
    }

    fn has_room(&self, turn: Turn, line: &Line) -> bool {
        let may_wait = turn == Turn::Fresh || self.waited > 0;
        let may_replay = turn != Turn::Replay || self.replay > 0;
        let may_travel = !line.kind.needs_transport() || self.transport > 0;
        may_wait && may_replay && may_travel && self.has_place(line)
    }

    fn has_place(&self, line: &Line) -> bool {
        let Some(destination) = &line.destination else {
            return true;
        };
        let in_flight = self.in_flight.get(destination).copied().unwrap_or(0);
        let is_paced = self.request.apart(line.lane).is_some();
        let key = (line.lane, destination.clone());
        in_flight < self.request.per_destination && !(is_paced && self.lines.contains_key(&key))
    }
}

#[cfg(test)]
mod tests;
