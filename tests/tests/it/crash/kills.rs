//! SIGKILL at random moments of a run that is fed by folder and MLLP.

use std::thread;
use std::time::{Duration, Instant};

use letterbox_tests::{Budget, Dice, Mesh, Siege, Verdict};
use mesh_testserver::{Fault, FaultAction};

/// How often it is killed, where `LETTERBOX_KILLS` does not say.
const KILLS: usize = 60;
/// Kills before a site is brought to rest and judged; a new one follows.
const KILLS_A_SITE: usize = 30;
/// Letters that a site sees at most.
const LETTERS_A_SITE: u32 = 500;
/// Milliseconds after which it is killed.
const DELAY_MIN: u64 = 5;
const DELAY_MAX: u64 = 240;
/// Every how many kills the store is judged as it was left, before a start could mend it.
const JUDGED: u64 = 5;

/// Letters arrive, and the process dies somewhere on the way.
fn kill_one(siege: &mut Siege, dice: &mut Dice, mesh: &Mesh) -> bool {
    for _ in 0..dice.between(0, 3) {
        siege.source.put(&siege.site);
    }
    if dice.between(0, 6) == 0 {
        let lost = Fault::new("POST", "*/outbox", FaultAction::DropAfter);
        mesh.server().fault(lost);
    }
    if dice.between(0, 5) == 0 {
        siege.collect(mesh, dice);
    }
    let delay = Duration::from_millis(dice.between(DELAY_MIN, DELAY_MAX));
    let messages = u32::try_from(dice.between(0, 4)).unwrap();
    let once = dice.between(0, 4) == 0;
    let arguments: &[&str] = if once { &["run", "--once"] } else { &["run"] };
    let begin = Instant::now();
    let mut run = siege.site.start(arguments);
    siege.while_fed(messages, |_| {
        while begin.elapsed() < delay && !run.has_ended() {
            thread::sleep(Duration::from_millis(1));
        }
        let has_ended = run.has_ended();
        let left = run.kill();
        assert!(once || !has_ended, "it ended by itself: {left:#?}");
        !has_ended
    })
}

/// Oracle (a) to (f) over a site that was killed again and again.
async fn siege(mesh: &Mesh, dice: &mut Dice, first: u32, kills: usize) -> Verdict {
    let mut siege = Siege::new(mesh, first);
    let mut killed = 0;
    while killed < kills {
        killed += usize::from(kill_one(&mut siege, dice, mesh));
        if dice.between(0, JUDGED) == 0 {
            siege.judge(mesh).await;
        }
    }
    siege.settle(mesh).await
}

/// Issue "What must be shown" 3.
#[tokio::test(flavor = "multi_thread")]
async fn design_5_1_a_kill_at_any_moment_loses_nothing_and_doubles_nothing_untold() {
    let budget = Budget::new("kills", KILLS);
    let mesh = Mesh::start().await;
    let mut dice = Dice::new();
    let mut verdict = Verdict::default();
    let (mut killed, mut first) = (0, 0);
    while budget.goes_on(killed) {
        let kills = KILLS_A_SITE.min(budget.pieces() - killed);
        verdict.add(siege(&mesh, &mut dice, first, kills).await);
        verdict.assert_clean(&format!("after {killed} kills and {kills} more"));
        killed += kills;
        first += LETTERS_A_SITE;
        mesh.server().clear_log();
    }
    budget.tell(&[
        ("kills", killed),
        ("letters", verdict.letters),
        ("acknowledged", verdict.acknowledged),
        ("sends in doubt", verdict.doubts),
        ("doubles, all reported", verdict.doubles),
        ("lost", verdict.wrong.len()),
    ]);
    assert!(
        verdict.doubts > 0,
        "no kill met an open attempt: the test shows nothing"
    );
    assert!(
        verdict.acknowledged > killed,
        "hardly anything went through"
    );
}
