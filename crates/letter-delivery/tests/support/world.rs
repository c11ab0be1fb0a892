//! A trust with an engine, the model store and a clock that stands until it is told to go.

use audit_core::{Data, StreamKey, salted_digest};
use chrono::{DateTime, Duration, TimeZone as _, Utc};
use letter_delivery::testkit::{ModelRows, ModelStore, SeededDice};
use letter_delivery::{
    Address, Ambiguous, AskResult, ClaimRequest, Claimed, Commit, CopyRecord, Decided, Decision,
    DecisionError, Disposition, Engine, Intake, Job, LetterRecord, Order, Policy, Prepared,
    PreparedCopy, Reason, SendResult, ShapedCopy, Store as _, StoreError, Taken, TakenAs,
    TrackResult, Verdict, WorkKind,
};
use nhs_types::{MailboxId, OdsCode, Sensitive, WorkflowId};

pub(crate) use letter_delivery::testkit::{keys as trust_keys, ready};

pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) store: ModelStore,
    pub(crate) now: DateTime<Utc>,
    policy: Policy,
    seed: u64,
}

pub(crate) fn address() -> Address {
    Address::new(
        OdsCode::parse("A81001").unwrap(),
        MailboxId::parse("A81001OT001").unwrap(),
        WorkflowId::parse("TRANSFER_OF_CARE").unwrap(),
        "edt-html",
    )
}

pub(crate) fn shaped(text: &str) -> ShapedCopy {
    let proof = Data::new().with("words", 3);
    ShapedCopy::new(text.as_bytes().to_vec(), "application/xml", proof)
}

pub(crate) fn to_one() -> Prepared {
    let copy = PreparedCopy::new(address(), Data::new(), Ok(shaped("<letter/>")));
    Prepared::Copies(vec![copy])
}

/// A document of the source `epr` with this text.
pub(crate) fn document(number: &str, text: &str, disposition: Disposition) -> Intake {
    let content = *salted_digest(&[0; 16], text.as_bytes()).as_bytes();
    let raw = text.as_bytes().to_vec();
    let mut intake = Intake::new("epr", number, disposition, "reason", content, raw);
    intake.class = "outpatient-letter".to_owned();
    intake.letter = Some(Sensitive::new(text.as_bytes().to_vec()));
    intake
}

pub(crate) fn signed(number: &str, text: &str) -> Intake {
    document(number, text, Disposition::Send)
}

pub(crate) fn withdrawal(number: &str) -> Intake {
    let mut intake = document(number, "cancelled", Disposition::Withdraw);
    intake.letter = None;
    intake
}

pub(crate) fn accepted(id: &str) -> SendResult {
    SendResult::Accepted {
        message_id: id.to_owned(),
    }
}

pub(crate) fn refused() -> SendResult {
    SendResult::Refused {
        code: "EPL-153".to_owned(),
    }
}

pub(crate) fn retryable() -> SendResult {
    SendResult::Retry {
        after: None,
        code: "http-429".to_owned(),
        unreachable: false,
    }
}

pub(crate) fn unreachable() -> SendResult {
    SendResult::Retry {
        after: None,
        code: "connect".to_owned(),
        unreachable: true,
    }
}

pub(crate) fn unknown() -> SendResult {
    SendResult::Unknown {
        code: "timeout".to_owned(),
    }
}

pub(crate) fn found(id: &str) -> AskResult {
    AskResult::Found {
        message_id: id.to_owned(),
    }
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(Policy::default(), 1)
    }

    pub(crate) fn with(policy: Policy, seed: u64) -> Self {
        Self {
            engine: engine(&policy, seed),
            store: ModelStore::default(),
            now: Utc.with_ymd_and_hms(2026, 2, 3, 10, 0, 0).unwrap(),
            policy,
            seed,
        }
    }

    /// The process dies and another begins: only the store is left.
    pub(crate) fn restart(&mut self) {
        self.seed += 1;
        self.engine = engine(&self.policy, self.seed);
    }

    pub(crate) fn later(&mut self, by: Duration) {
        self.now += by;
    }

    /// Decides on a document as it stands in the store, without writing.
    pub(crate) fn decide(&mut self, intake: Intake) -> Taken {
        let key = |number: &str| self.engine.keys().document(&intake.source, number);
        let known = key(&intake.document);
        let replaced = intake.replaces.as_deref().map(key);
        let known = ready(self.store.document(known)).unwrap();
        let replaced = replaced.and_then(|key| ready(self.store.document(key)).unwrap());
        self.engine.intake(self.now, intake, known, replaced)
    }

    /// Takes a document in.
    pub(crate) fn take(&mut self, intake: Intake) -> TakenAs {
        let taken = self.decide(intake);
        self.commit(taken.commit).unwrap();
        taken.as_what
    }

    pub(crate) fn commit(&self, commit: Commit) -> Result<(), StoreError> {
        ready(self.store.commit(commit))
    }

    /// Claims all that is due.
    pub(crate) fn claim(&mut self) -> Vec<Claimed> {
        let tokens = self.engine.lease_tokens(16);
        let until = self.now + self.policy.lease;
        let request = ClaimRequest::new(self.now, until, tokens);
        ready(self.store.claim(request)).unwrap()
    }

    /// Goes to the time when work of this kind is due, and begins it.
    pub(crate) fn begin_next(&mut self, kind: WorkKind) -> Order {
        self.begin_if_due(kind).expect("an order")
    }

    /// As [`Self::begin_next`], where there may be nothing left to do.
    pub(crate) fn begin_if_due(&mut self, kind: WorkKind) -> Option<Order> {
        let due = self.work_due(kind).expect("work of that kind");
        self.now = self.now.max(due);
        let mut claimed = self.claim();
        claimed.retain(|claimed| claimed.work.kind == kind);
        if claimed.is_empty() {
            // Somebody has it under a lease: it ends.
            self.now += self.policy.lease;
            return self.begin_if_due(kind);
        }
        let begun = self.engine.begin(self.now, claimed.remove(0));
        self.commit(begun.commit).unwrap();
        begun.order
    }

    pub(crate) fn work_due(&self, kind: WorkKind) -> Option<DateTime<Utc>> {
        let rows = self.store.rows();
        let of_kind = rows.work.values().filter(|row| row.work.kind == kind);
        of_kind.map(|row| row.work.due_at).min()
    }

    pub(crate) fn prepare(&mut self, prepared: Prepared) {
        let order = self.begin_next(WorkKind::Prepare);
        assert_eq!(order.job, Job::Prepare);
        let commit = self.engine.prepared(self.now, order.claimed, prepared);
        self.commit(commit).unwrap();
    }

    pub(crate) fn send(&mut self, result: SendResult) {
        let order = self.begin_next(WorkKind::Send);
        assert!(matches!(order.job, Job::Send { .. }));
        let commit = self.engine.sent(self.now, order.claimed, result);
        self.commit(commit).unwrap();
    }

    pub(crate) fn ask(&mut self, result: AskResult) {
        let order = self.begin_next(WorkKind::Ask);
        assert!(matches!(order.job, Job::Ask { .. }));
        let commit = self.engine.asked(self.now, order.claimed, result);
        self.commit(commit).unwrap();
    }

    pub(crate) fn track(&mut self, result: TrackResult) {
        let order = self.begin_next(WorkKind::Track);
        assert!(matches!(order.job, Job::Track { .. }));
        let commit = self.engine.tracked(self.now, order.claimed, result);
        self.commit(commit).unwrap();
    }

    /// Document `D-1`, queued for one practice.
    pub(crate) fn queued() -> Self {
        let mut world = Self::new();
        world.take(signed("D-1", "a letter"));
        world.prepare(to_one());
        world
    }

    /// Document `D-1`, sent, with the attempt open.
    pub(crate) fn sending() -> (Self, Order) {
        let mut world = Self::queued();
        let order = world.begin_next(WorkKind::Send);
        (world, order)
    }

    /// Document `D-1`, held because MESH could not be asked whether it has it.
    pub(crate) fn held_in_doubt() -> Self {
        let mut policy = Policy::default();
        policy.ambiguous = Ambiguous::Hold;
        let mut world = Self::with(policy, 1);
        world.take(signed("D-1", "a letter"));
        world.prepare(to_one());
        world.send(unknown());
        while world.work_due(WorkKind::Ask).is_some() {
            world.ask(AskResult::Unavailable);
        }
        world
    }

    /// A person of this account decides about a letter as it stands in the store.
    pub(crate) fn verdict(
        &mut self,
        key: StreamKey,
        verdict: &Verdict,
    ) -> Result<Decided, DecisionError> {
        let (letter, copies) = {
            let rows = self.store.rows();
            (rows.letters[&key].clone(), rows.copies_of(key))
        };
        let mut decided = self.engine.decide(self.now, verdict, letter, copies)?;
        let commit = std::mem::take(&mut decided.commit);
        self.commit(commit).expect("nobody else decides");
        Ok(decided)
    }

    /// The person of this account decides about document `D-1`, version 1.
    pub(crate) fn decides(
        &mut self,
        account: &str,
        decision: Decision,
    ) -> Result<Decided, DecisionError> {
        self.decides_about(account, decision, None)
    }

    /// As [`Self::decides`], about one copy.
    pub(crate) fn decides_about(
        &mut self,
        account: &str,
        decision: Decision,
        copy: Option<u32>,
    ) -> Result<Decided, DecisionError> {
        let by = self.engine.keys().account(account);
        let reason = Reason::parse("because").unwrap();
        let verdict = Verdict::new(decision, by, reason).about(copy);
        self.verdict(self.letter_key("D-1", 1), &verdict)
    }

    /// The key of document `D-1`'s first copy.
    pub(crate) fn copy_key(&self, rows: &ModelRows) -> StreamKey {
        rows.copies_of(self.letter_key("D-1", 1))[0].key
    }

    pub(crate) fn letter_key(&self, number: &str, version: u32) -> StreamKey {
        self.engine.keys().letter("epr", number, version)
    }

    pub(crate) fn letter(&self, number: &str, version: u32) -> LetterRecord {
        let key = self.letter_key(number, version);
        self.store.rows().letters[&key].clone()
    }

    /// The only copy of a version.
    pub(crate) fn copy(&self, number: &str, version: u32) -> CopyRecord {
        let letter = self.letter(number, version).key;
        let mut copies = self.store.rows().copies_of(letter);
        assert_eq!(copies.len(), 1);
        copies.remove(0)
    }

    /// The `type`s of the events of a version's only copy, after those that queued it.
    pub(crate) fn sent_events(&self, number: &str, version: u32) -> Vec<String> {
        let rows_key = self.copy(number, version).key;
        let rows = self.store.rows();
        let kinds = rows.kinds(rows_key);
        assert_eq!(kinds[..3], ["routed", "rendered", "queued"]);
        kinds[3..].iter().map(|kind| (*kind).to_owned()).collect()
    }

    /// The ledger verifies, the rows follow from it, and all work that must be there is there.
    pub(crate) fn check(&self) {
        let verification = self.store.verify();
        assert!(verification.is_clean(), "{:?}", verification.faults);
        assert_eq!(self.store.audit(), []);
        crate::invariants::check(&self.store.rows());
    }
}

fn engine(policy: &Policy, seed: u64) -> Engine {
    Engine::new(
        trust_keys(),
        policy.clone(),
        Box::new(SeededDice::new(seed)),
    )
}
