//! The process is killed at random moments while letters go through.

use std::collections::BTreeMap;
use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use letterbox_tests::{Dice, Letter, Mesh, Site, Way};
use mesh_testserver::{Fault, FaultAction};

/// How often it is killed, where `LETTERBOX_CRASH_ROUNDS` does not say.
const ROUNDS: u32 = 50;
/// Letters that arrive before each kill.
const LETTERS_A_ROUND: u32 = 4;
/// Milliseconds after which it is killed.
const DELAY_MIN: u64 = 5;
const DELAY_MAX: u64 = 400;
const PRACTICE: &str = "YGM24GP1";
/// Answers that were lost in a row may have MESH left alone for half a minute.
const SETTLES_WITHIN: Duration = Duration::from_secs(60);

fn rounds() -> u32 {
    let given = std::env::var("LETTERBOX_CRASH_ROUNDS");
    given
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(ROUNDS)
}

/// Messages at the practice by their local id.
type Received = BTreeMap<String, usize>;

fn collect(mesh: &Mesh, received: &mut Received) {
    for message in mesh.collect(PRACTICE) {
        let local_id = message.local_id.expect("every send has a local id");
        *received.entry(local_id.as_str().to_owned()).or_default() += 1;
    }
}

/// Documents in `taken`. A name is reserved by an empty file: a kill just then leaves it behind.
fn archived(site: &Site) -> usize {
    let names = site.names("taken").into_iter();
    let sizes = names.map(|name| fs::metadata(site.part("taken").join(name)).unwrap().len());
    sizes.filter(|size| *size > 0).count()
}

/// The program under attack, and what its practice received.
struct Siege {
    dice: Dice,
    mesh: Mesh,
    site: Site,
    received: Received,
    killed: u32,
    handed: u32,
    /// Milliseconds within which the next kill falls: not much longer than a run takes.
    within: u64,
}

impl Siege {
    async fn new() -> Self {
        let mesh = Mesh::start().await;
        Self {
            dice: Dice::new(),
            site: Site::new(&mesh),
            mesh,
            received: Received::new(),
            killed: 0,
            handed: 0,
            within: DELAY_MAX,
        }
    }

    fn letters_arrive(&mut self, letters: u32) {
        for _ in 0..LETTERS_A_ROUND.min(letters - self.handed) {
            self.handed += 1;
            self.site.hand_over(&Letter::new(self.handed));
        }
        if self.dice.between(0, 4) == 0 {
            let lost = Fault::new("POST", "*/outbox", FaultAction::DropAfter);
            self.mesh.server().fault(lost);
        }
        if self.dice.between(0, 5) == 0 {
            collect(&self.mesh, &mut self.received);
        }
    }

    fn run_and_kill(&mut self) {
        let delay = Duration::from_millis(self.dice.between(DELAY_MIN, self.within + 1));
        let begin = Instant::now();
        let mut run = self.site.start(&["run", "--once"]);
        while begin.elapsed() < delay && !run.has_ended() {
            sleep(Duration::from_millis(1));
        }
        if run.has_ended() {
            let took = u64::try_from(begin.elapsed().as_millis()).unwrap();
            self.within = took.clamp(DELAY_MIN, DELAY_MAX);
        } else {
            self.killed += 1;
            self.within = (self.within + DELAY_MIN).min(DELAY_MAX);
        }
        let _ = run.kill();
        if self.dice.between(0, 8) == 0 && self.site.path("data/rt9.db").exists() {
            let _ = self.site.letterbox(&["audit", "verify"]).exits(0);
        }
    }

    /// Runs in peace until all letters are with MESH. It is asked about each once a minute at
    /// most, so some are not yet known to be collected.
    async fn settle(&mut self) -> Vec<Way> {
        self.mesh.server().clear_faults();
        let begin = Instant::now();
        loop {
            let _ = self.site.run_once();
            collect(&self.mesh, &mut self.received);
            let ways = self.site.ledger().ways().await;
            let open: Vec<_> = ways.iter().filter(|way| !way.is_accepted()).collect();
            if open.is_empty() && self.site.names("in").is_empty() {
                return ways;
            }
            assert!(begin.elapsed() < SETTLES_WITHIN, "{open:#?}");
            sleep(Duration::from_millis(200));
        }
    }

    /// Whether the practice has this letter more than once, which the ledger must then report.
    fn is_double(&mut self, way: &Way) -> bool {
        let copy = &way.view.copies[0];
        let count = self.received.remove(copy.local_id.as_str()).unwrap_or(0);
        let known = copy.alert.is_some() || way.count("send.multiple") > 0;
        let (document, kinds) = (&way.document, &way.kinds);
        assert!(count >= 1, "{document} never arrived: {kinds:?}");
        assert!(
            count == 1 || known,
            "{document} arrived {count} times, unknown: {kinds:?}"
        );
        count > 1
    }
}

/// Issue "What must be shown" 3.
#[tokio::test(flavor = "multi_thread")]
async fn design_5_1_no_letter_is_lost_or_doubled_unknown_when_the_process_is_killed() {
    let rounds = rounds();
    let mut siege = Siege::new().await;
    while siege.killed < rounds {
        siege.letters_arrive(rounds * LETTERS_A_ROUND);
        siege.run_and_kill();
    }
    let ways = siege.settle().await;
    let handed = usize::try_from(siege.handed).unwrap();
    assert_eq!(archived(&siege.site), handed);
    assert!(siege.site.names("refused").is_empty());
    assert_eq!(ways.len(), handed, "each letter once");
    let doubles = ways.iter().filter(|way| siege.is_double(way)).count();
    assert!(
        siege.received.is_empty(),
        "messages of no letter: {:?}",
        siege.received
    );

    let doubts: usize = ways.iter().map(|way| way.count("send.unknown")).sum();
    let killed = siege.killed;
    println!("{killed} kills, {handed} letters, {doubts} doubtful sends, {doubles} doubles");
    assert!(
        doubts > 0,
        "no kill met an open attempt: the test shows nothing"
    );
    let _ = siege.site.letterbox(&["audit", "verify"]).exits(0);
}
