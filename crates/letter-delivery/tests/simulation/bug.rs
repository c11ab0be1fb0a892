//! Twelve bugs that can be planted, each where the program that drives the engine, or the store,
//! could have it. The simulation must find every one.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bug {
    /// The first byte leaves before `send.started` is durable.
    EffectBeforeCommit,
    /// After a lost answer the message is sent again without asking.
    ResendWithoutAsking,
    /// The local id does not change with the series and the copy.
    LocalIdReused,
    /// The store takes the outcome of work from one that lost its lease.
    LeaseNotFenced,
    /// A report is acknowledged to MESH before it is in the ledger.
    MeshAckedBeforeCommit,
    /// Messages of the inbox that were dealt with are met again.
    SeenSetSkipped,
    /// An event becomes durable without the work it causes.
    EventWithoutWork,
    /// Timers follow the wall clock, which jumps.
    TimerByWallClock,
    /// What is not allowed in a state is not recorded.
    AnomalyDropped,
    /// The latest version is not looked at before sending.
    OldAfterNew,
    /// What an outage caused counts as an attempt of the letter.
    BreakerSpends,
    /// That a letter must not go is not looked at before sending.
    SuppressionNotChecked,
}
