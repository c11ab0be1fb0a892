//! The process is killed at random moments while letters go through.

use std::collections::BTreeMap;
use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use letterbox_tests::{Dice, Letter, Mesh, Site};
use mesh_testserver::{Fault, FaultAction};

/// How often it is killed, where `LETTERBOX_CRASH_ROUNDS` does not say.
const ROUNDS: u32 = 50;
/// Letters that arrive before each kill.
const LETTERS_A_ROUND: u32 = 4;
/// Milliseconds after which it is killed.
const DELAY_MIN: u64 = 5;
const DELAY_MAX: u64 = 400;
const PRACTICE: &str = "YGM24GP1";
/// More runs than any letter needs to get through when nobody kills them.
const RUNS_MAX: u32 = 20;

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

/// Issue "What must be shown" 3.
#[tokio::test(flavor = "multi_thread")]
async fn design_5_1_no_letter_is_lost_or_doubled_unknown_when_the_process_is_killed() {
    let mut dice = Dice::new();
    let mesh = Mesh::start().await;
    let site = Site::new(&mesh);
    let mut received = Received::new();
    let (rounds, mut killed, mut handed) = (rounds(), 0, 0);
    let mut longest = DELAY_MAX;
    while killed < rounds {
        for _ in 0..LETTERS_A_ROUND {
            if handed < rounds * LETTERS_A_ROUND {
                handed += 1;
                site.hand_over(&Letter::new(handed));
            }
        }
        if dice.between(0, 4) == 0 {
            mesh.server()
                .fault(Fault::new("POST", "*/outbox", FaultAction::DropAfter));
        }
        let begin = Instant::now();
        let mut run = site.start(&["run", "--once"]);
        let delay = Duration::from_millis(dice.between(DELAY_MIN, longest + 1));
        while begin.elapsed() < delay && !run.has_ended() {
            sleep(Duration::from_millis(1));
        }
        if run.has_ended() {
            // The next one is killed before it is through.
            longest = u64::try_from(begin.elapsed().as_millis())
                .unwrap()
                .clamp(DELAY_MIN, DELAY_MAX);
        } else {
            killed += 1;
            longest = (longest + DELAY_MIN).min(DELAY_MAX);
        }
        let _ = run.kill();
        if dice.between(0, 5) == 0 {
            collect(&mesh, &mut received);
        }
    }
    mesh.server().clear_faults();

    // MESH is asked about a copy once a minute at most, so some are not yet known to be collected.
    let mut runs = 0;
    let ways = loop {
        let outcome = site.run_once();
        collect(&mesh, &mut received);
        let ways = site.ledger().ways().await;
        let open: Vec<_> = ways.iter().filter(|way| !way.is_accepted()).collect();
        if open.is_empty() && site.names("in").is_empty() {
            break ways;
        }
        runs += 1;
        assert!(runs < RUNS_MAX, "{outcome:#?} {open:#?}");
        sleep(Duration::from_millis(100));
    };

    assert_eq!(archived(&site), usize::try_from(handed).unwrap());
    assert!(site.names("refused").is_empty());
    assert_eq!(
        ways.len(),
        usize::try_from(handed).unwrap(),
        "each letter once"
    );
    let mut doubles = 0;
    for way in &ways {
        let copy = &way.view.copies[0];
        let count = received.remove(copy.local_id.as_str()).unwrap_or(0);
        assert!(
            count >= 1,
            "{} never arrived: {:?}",
            way.document,
            way.kinds
        );
        if count > 1 {
            doubles += 1;
            let reported = copy.alert.is_some() || way.count("send.multiple") > 0;
            assert!(
                reported,
                "{} arrived {count} times, unknown: {:?}",
                way.document, way.kinds
            );
        }
    }
    assert!(
        received.is_empty(),
        "messages that no letter knows: {received:?}"
    );
    let restarts = ways
        .iter()
        .map(|way| way.count("send.unknown"))
        .sum::<usize>();
    println!("{killed} kills, {handed} letters, {restarts} doubtful sends, {doubles} doubles");
    assert!(
        restarts > 0,
        "no kill met an open attempt: the test shows nothing"
    );
    let _ = site.letterbox(&["audit", "verify"]).exits(0);
}
