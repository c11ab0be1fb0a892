//! The disk is full, and then it is not.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use letterbox_tests::{MemoryDisk, Mesh, Running, Siege};

const DISK: &str = "12m";
/// What is left when the ballast is on board (reliability-and-security facts 4.4).
const LEFT: u64 = 64 * 1024;
/// The disk must be seen to be full after so many letters.
const LETTERS_MAX: usize = 200;
/// Looks at the folder that must leave the letter where it is.
const LOOKS: Duration = Duration::from_millis(2_500);
const PATIENCE: Duration = Duration::from_secs(30);

fn disk() -> Option<MemoryDisk> {
    let disk = MemoryDisk::new(DISK);
    if disk.is_none() {
        println!("skipped: a disk that fills up (it takes an administrator to mount)");
    }
    disk
}

/// Puts one of the site's folders on the disk.
fn put_on(disk: &MemoryDisk, folder: &Path) {
    let there = disk.path().join(folder.file_name().unwrap());
    fs::create_dir(&there).unwrap();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        fs::copy(entry.path(), there.join(entry.file_name())).unwrap();
    }
    fs::remove_dir_all(folder).unwrap();
    symlink(there, folder).unwrap();
}

/// Fills the disk, but for `left` bytes.
fn fill(disk: &MemoryDisk, left: u64) {
    let ballast = disk.path().join("ballast");
    let _ = fs::write(&ballast, vec![0; 64 << 20]);
    let file = fs::File::options().write(true).open(&ballast).unwrap();
    let bytes = file.metadata().unwrap().len();
    file.set_len(bytes.saturating_sub(left)).unwrap();
}

fn free(disk: &MemoryDisk) {
    fs::remove_file(disk.path().join("ballast")).unwrap();
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < PATIENCE, "{what} did not come");
        sleep(Duration::from_millis(20));
    }
}

/// Sends letters until one is acknowledged.
fn is_taken(siege: &mut Siege) -> bool {
    siege.source.send_one().is_ok_and(|code| code == "AA")
}

/// Sends letters until one is not taken: the sender is told to try again, or hears nothing.
fn is_refused(siege: &mut Siege) {
    for _ in 0..LETTERS_MAX {
        match siege.source.send_one().as_deref() {
            Ok("AA") => {}
            Ok("AE") | Err(_) => return,
            Ok(other) => panic!("a full disk was answered {other}: that is for ever"),
        }
    }
    panic!("the disk never filled");
}

/// Issue "What must be shown" 3: nothing is taken that cannot be kept, and it goes on by itself.
#[tokio::test(flavor = "multi_thread")]
async fn reliability_4_4_a_full_disk_refuses_letters_and_takes_them_when_there_is_space() {
    let Some(disk) = disk() else { return };
    let mesh = Mesh::start().await;
    let mut siege = Siege::new(&mesh, 0);
    put_on(&disk, &siege.site.path("data"));
    let mut running = siege.site.start(&["run"]);
    wait_until("the first letter", || is_taken(&mut siege));
    for round in 0..2 {
        fill(&disk, LEFT);
        is_refused(&mut siege);
        siege.source.put(&siege.site);
        let waiting = siege.site.names("in");
        sleep(LOOKS);
        assert_eq!(siege.site.names("in"), waiting, "taken onto a full disk");
        assert!(!running.has_ended(), "round {round}: {:#?}", running.kill());
        free(&disk);
        wait_until("a letter after the disk was freed", || is_taken(&mut siege));
        wait_until("the letter of the folder", || {
            siege.site.names("in").is_empty()
        });
    }
    assert_clean_after(siege, running, &mesh).await;
}

/// Where taken documents go is full: they stay where they are, are taken once, and go when they
/// can.
#[tokio::test(flavor = "multi_thread")]
async fn reliability_4_4_a_full_archive_keeps_the_document_in_the_folder_and_takes_it_once() {
    let Some(disk) = disk() else { return };
    let mesh = Mesh::start().await;
    let mut siege = Siege::new(&mesh, 0);
    put_on(&disk, &siege.site.part("taken"));
    fill(&disk, 0);
    for _ in 0..3 {
        siege.source.put(&siege.site);
    }
    let running = siege.site.start(&["run"]);
    wait_until("a send", || mesh.sends() == 3);
    sleep(LOOKS);
    assert_eq!(siege.site.names("in").len(), 3, "moved onto a full disk");
    assert_eq!(
        siege.site.names("taken").len(),
        0,
        "pieces were left behind"
    );
    free(&disk);
    wait_until("the archive", || siege.site.names("taken").len() == 3);
    assert_clean_after(siege, running, &mesh).await;
    assert_eq!(mesh.sends(), 3);
}

async fn assert_clean_after(mut siege: Siege, running: Running, mesh: &Mesh) {
    let ended = running.terminate();
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    siege.judge(mesh).await;
    siege.settle(mesh).await.assert_clean("after a full disk");
}
