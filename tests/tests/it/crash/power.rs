//! The power is cut: what was not synced is gone.

use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use letterbox_tests::{
    Budget, Dice, ImageDisk, Injection, MemoryDisk, Mesh, Plan, Running, Siege, Site, Source,
    Verdict, can_inject,
};

/// How often the power is cut, where `LETTERBOX_CUTS` does not say.
const CUTS: usize = 8;
/// Cuts that one disk goes through, each from what the one before left.
const CUTS_A_DISK: usize = 8;
/// How often it is cut without durability: each time, letters must be lost.
const CUTS_IN_VAIN: usize = 2;
const LETTERS_A_DISK: u32 = 500;
const DISK_MEBIBYTES: u64 = 48;
/// All images of one test.
const ROOM: &str = "400m";
const PATIENCE: Duration = Duration::from_secs(20);

/// What the program's syncs do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Syncs {
    Work,
    DoNothing,
}

/// A site on a disk whose power can be cut.
struct Plugged {
    disk: ImageDisk,
    siege: Siege,
    cuts: usize,
}

impl Plugged {
    /// Nothing where there are no loop devices or they are not ours to use.
    fn new(room: &Path, mesh: &Mesh, first: u32) -> Option<Self> {
        let disk = ImageDisk::new(room, &format!("disk-{first}"), DISK_MEBIBYTES)?;
        let source = Source::new(first);
        let plan = Plan {
            within: Some(disk.path().to_owned()),
            ..Siege::plan(&source)
        };
        let site = Site::planned(mesh, plan);
        let _ = site.run_once().exits(0);
        // What was set up before the first cut is durable.
        let synced = Command::new("sync").arg("-f").arg(disk.path()).status();
        assert!(synced.unwrap().success());
        Some(Self {
            disk,
            siege: Siege::of(site, source),
            cuts: 0,
        })
    }

    /// Runs until some letters were acknowledged, and a moment more; then the power is cut. The
    /// process is stopped first: whatever anyone saw of it was done before.
    async fn cut(&mut self, mesh: &Mesh, dice: &mut Dice, syncs: Syncs) {
        for _ in 0..dice.between(0, 3) {
            self.siege.source.put(&self.siege.site);
        }
        let messages = u32::try_from(dice.between(1, 6)).unwrap();
        let pause = Duration::from_millis(dice.between(0, 90));
        let running = self.start(syncs);
        self.feed(messages, pause);
        assert!(running.signal("-STOP"), "it ended: {:#?}", running.kill());
        self.siege.source.look_into(&self.siege.site);
        self.cuts += 1;
        let cut = self.disk.cut(&format!(
            "cut-{}-{}",
            self.siege.source.listen.port(),
            self.cuts
        ));
        let _ = running.kill();
        let home = self.siege.site.folder().file_name().unwrap().to_owned();
        self.siege.move_to(cut.path().join(home));
        self.disk = cut;
        self.siege.judge(mesh).await;
        if dice.between(0, 3) == 0 {
            self.siege.collect(mesh, dice);
        }
    }

    fn start(&self, syncs: Syncs) -> Running {
        let site = &self.siege.site;
        match syncs {
            Syncs::Work => site.start(&["run"]),
            Syncs::DoNothing => {
                let mut syncs = Injection::new("fsync,fdatasync,sync_file_range,msync");
                syncs.detached = true;
                Running::start(&mut syncs.instead("retval=0").command(site, &["run"]))
            }
        }
    }

    fn feed(&mut self, messages: u32, pause: Duration) {
        let begin = Instant::now();
        self.siege.while_fed(messages, |is_fed| {
            while !is_fed() && begin.elapsed() < PATIENCE {
                thread::sleep(Duration::from_millis(1));
            }
        });
        thread::sleep(pause);
    }
}

fn room() -> Option<MemoryDisk> {
    let room = MemoryDisk::new(ROOM);
    if room.is_none() {
        println!("skipped: power cuts by image copy (it takes an administrator to mount)");
    }
    room
}

/// Issue "What must be shown" 3: what was acknowledged when the power went is there when it is
/// back, and the outside saw nothing that the disk does not know.
#[tokio::test(flavor = "multi_thread")]
async fn reliability_4_3_a_power_cut_loses_nothing_that_was_acknowledged() {
    let budget = Budget::new("cuts", CUTS);
    let Some(room) = room() else { return };
    let mesh = Mesh::start().await;
    let mut dice = Dice::new();
    let mut verdict = Verdict::default();
    let (mut cuts, mut first) = (0, 0);
    while budget.goes_on(cuts) {
        let Some(mut plugged) = Plugged::new(room.path(), &mesh, first) else {
            println!("skipped: power cuts by image copy (no loop device, mkfs.ext4 or e2fsck)");
            return;
        };
        for _ in 0..CUTS_A_DISK.min(budget.pieces() - cuts) {
            plugged.cut(&mesh, &mut dice, Syncs::Work).await;
            cuts += 1;
        }
        verdict.add(plugged.siege.settle(&mesh).await);
        verdict.assert_clean(&format!("after {cuts} power cuts"));
        first += LETTERS_A_DISK;
    }
    budget.tell(&[
        ("power cuts", cuts),
        ("letters", verdict.letters),
        ("acknowledged", verdict.acknowledged),
        ("sends in doubt", verdict.doubts),
        ("lost", verdict.wrong.len()),
    ]);
    assert!(verdict.acknowledged > cuts, "hardly anything went through");
}

/// The test above can fail: with syncs that do nothing, the same cuts lose letters, and the same
/// oracle says so.
#[tokio::test(flavor = "multi_thread")]
async fn reliability_4_3_a_power_cut_without_syncs_loses_letters_and_is_found_out() {
    let Some(room) = room() else { return };
    if !can_inject() {
        println!("skipped: power cuts without syncs (strace is not present, or may not trace)");
        return;
    }
    let mesh = Mesh::start().await;
    let mut dice = Dice::new();
    for n in 0..CUTS_IN_VAIN {
        let first = LETTERS_A_DISK * u32::try_from(n).unwrap();
        let Some(mut plugged) = Plugged::new(room.path(), &mesh, first) else {
            println!("skipped: power cuts without syncs (no loop device, mkfs.ext4 or e2fsck)");
            return;
        };
        plugged.cut(&mesh, &mut dice, Syncs::DoNothing).await;
        let told = plugged.siege.source.acks().acknowledged().len();
        assert!(told > 0, "nothing was acknowledged: the test shows nothing");
        assert!(
            plugged.siege.has_lost(),
            "{told} acknowledged, never synced, and none lost?"
        );
    }
    println!("without syncs {CUTS_IN_VAIN} of {CUTS_IN_VAIN} power cuts lost acknowledged letters");
}
