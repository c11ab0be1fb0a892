//! Hand-over in a folder: nothing half, nothing twice, nothing lost (design section 8).

use std::fs;
use std::time::Duration;

use letter_delivery::LetterState;
use letter_gateway::{GatewayError, Scanned};

use crate::support::letters::{Message, WORD, report};
use crate::support::{World, names};
use letter_delivery::testkit::Trouble;

fn scanned(change: impl FnOnce(&mut Scanned)) -> Scanned {
    let mut scanned = Scanned::default();
    change(&mut scanned);
    scanned
}

#[tokio::test]
async fn rule_1_a_file_is_moved_on_only_when_it_is_durable() {
    let world = World::new().await;
    world.hand_over("a.txt", report("D-1", "Rest"));
    world.store.set(Trouble::Unavailable);
    let error = world.gateway.scan(&world.source()).await.unwrap_err();
    assert!(matches!(error, GatewayError::Store(_)));
    assert_eq!(world.files("in"), ["a.txt"]);
    world.store.set(Trouble::None);
    assert_eq!(world.scan().await, scanned(|s| s.taken = 1));
    assert_eq!(
        (world.files("in").len(), world.files("taken")),
        (0, vec!["a.txt".to_owned()])
    );
    assert_eq!(world.letter().state, LetterState::Parsed);
}

#[tokio::test]
async fn a_crash_between_durable_and_moved_makes_a_duplicate_and_no_second_letter() {
    let world = World::new().await;
    world.hand_over("a.txt", report("D-1", "Rest"));
    fs::write(world.path("taken"), "a file where the folder should be").unwrap();
    assert_eq!(world.scan().await, scanned(|s| s.failed = 1));
    assert_eq!(
        (world.files("in"), world.letters().len()),
        (vec!["a.txt".to_owned()], 1)
    );
    fs::remove_file(world.path("taken")).unwrap();
    let expected = scanned(|s| (s.taken, s.duplicates) = (1, 1));
    assert_eq!(world.scan().await, expected);
    assert_eq!((world.files("in").len(), world.letters().len()), (0, 1));
}

#[tokio::test]
async fn a_file_that_is_still_being_written_is_left_alone() {
    let world = World::new().await.still_for(Duration::from_secs(3600));
    world.hand_over("a.txt", report("D-1", "Rest"));
    world.hand_over("b.txt.tmp", report("D-2", "Rest"));
    assert_eq!(world.scan().await, scanned(|s| s.waiting = 2));
    world.hand_over("a.txt.json", r#"{"document_id":"D-1"}"#);
    let expected = scanned(|s| (s.taken, s.waiting) = (1, 1));
    assert_eq!(world.scan().await, expected);
    assert_eq!(world.files("taken"), ["a.txt", "a.txt.json"]);
}

#[tokio::test]
async fn a_sidecar_that_is_written_in_place_is_waited_for() {
    let world = World::new().await.still_for(Duration::from_secs(3600));
    world.hand_over("w.docx", WORD);
    world.hand_over("w.json", r#"{"document_id":"W-"#);
    assert_eq!(world.scan().await, scanned(|s| s.waiting = 1));
    assert_eq!(world.files("in"), ["w.docx", "w.json"]);
}

#[tokio::test]
async fn a_sidecar_that_is_wrong_holds_its_document_with_the_reason_beside_it() {
    let world = World::new().await;
    world.hand_over("w.docx", WORD);
    world.hand_over("w.json", r#"{"documentid":"W-1"}"#);
    assert_eq!(world.scan().await, scanned(|s| s.refused = 1));
    assert_eq!(
        world.files("refused"),
        ["w.docx", "w.docx.reason.txt", "w.json"]
    );
    let reason = fs::read_to_string(world.path("refused").join("w.docx.reason.txt")).unwrap();
    assert!(reason.contains("no member \"documentid\""), "{reason}");
    assert_eq!(
        (world.count("intake.refused"), world.letters().len()),
        (0, 1)
    );
}

#[tokio::test]
async fn a_sidecar_that_disagrees_with_its_document_holds_it() {
    let world = World::new().await;
    world.hand_over("a.txt", report("D-1", "Rest"));
    world.hand_over(
        "a.json",
        r#"{"document_id":"D-1","patient":{"nhs_number":"9990581398"}}"#,
    );
    let expected = scanned(|s| (s.taken, s.held) = (1, 1));
    assert_eq!(world.scan().await, expected);
    assert_eq!(world.letter().reason.as_deref(), Some("sidecar-disagrees"));
}

#[tokio::test]
async fn limits_a_file_at_the_limit_and_past_it() {
    let world = World::new().await;
    let letter = report("D-1", "Rest");
    let mut folder = world.source();
    folder.bytes_max = u64::try_from(letter.len()).unwrap();
    world.hand_over("a.txt", &letter);
    world.hand_over("b.txt", format!("{letter} "));
    let found = world.gateway.scan(&folder).await.unwrap();
    assert_eq!(found, scanned(|s| (s.taken, s.refused) = (1, 1)));
    assert_eq!(world.files("refused"), ["b.txt", "b.txt.reason.txt"]);
}

#[tokio::test]
async fn two_empty_files_are_two_letters_that_failed_to_arrive() {
    let world = World::new().await;
    world.hand_over("a.txt", "");
    world.hand_over("b.txt", "");
    let expected = scanned(|s| (s.taken, s.refused, s.held) = (2, 2, 2));
    assert_eq!(world.scan().await, expected);
    assert_eq!(world.files("refused"), ["a.txt", "b.txt"]);
    assert_eq!(world.letters().len(), 2);
}

#[tokio::test]
async fn one_bad_file_never_keeps_its_neighbours() {
    let world = World::new().await;
    world.hand_over("a.bin", [0_u8, 159, 146, 150]);
    world.hand_over("b.docx", b"PK\x03\x04 cut short");
    world.hand_over("c.hl7", b"MSH|");
    world.hand_over("d.pdf", b"%PDF-1.7");
    world.hand_over("e.txt", report("D-1", "Rest"));
    let found = world.scan().await;
    assert_eq!((found.taken, found.failed), (5, 0));
    assert_eq!(
        world
            .letters()
            .iter()
            .filter(|l| l.state == LetterState::Parsed)
            .count(),
        1
    );
    assert_eq!(world.files("in").len(), 0);
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_that_may_not_be_read_is_told_and_stays() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::new().await;
    let path = world.hand_over("a.txt", report("D-1", "Rest"));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::read(&path).is_ok() {
        println!("skipped: this account may read everything");
        return;
    }
    world.hand_over("b.txt", report("D-2", "Rest"));
    assert_eq!(
        world.scan().await,
        scanned(|s| (s.taken, s.failed) = (1, 1))
    );
    assert_eq!(world.files("in"), ["a.txt"]);
}

#[tokio::test]
async fn files_of_one_name_stand_side_by_side_where_they_went() {
    let world = World::new().await;
    for number in ["D-1", "D-2", "D-3"] {
        world.hand_over("letter.txt", report(number, "Rest"));
        world.scan().await;
    }
    assert_eq!(
        world.files("taken"),
        ["letter.txt", "letter.txt.1", "letter.txt.2"]
    );
}

#[tokio::test]
async fn a_folder_that_is_gone_is_told_and_stops_neither_the_other_nor_the_sending() {
    let world = World::new().await;
    world.hand_over("a.txt", report("D-1", "Rest"));
    let mut run = world.run();
    let missing = letter_gateway::Folder::new("other", world.path("missing/in"));
    run.folders.insert(0, missing);
    let error = world.gateway.run_once(&run).await.unwrap_err();
    assert!(matches!(&error, GatewayError::Folder { .. }));
    assert!(
        error.to_string().contains("check that it exists"),
        "{error}"
    );
    assert_eq!(world.received("Y99901GP1").len(), 1);
}

#[tokio::test]
async fn messages_of_one_file_are_taken_each_and_the_file_goes_where_the_readable_go() {
    let world = World::new().await;
    let file = [
        Message::new("A-1", "One").bytes(),
        b"MSH|^~\\&|EPR\rZZZ\r".to_vec(),
    ]
    .concat();
    world.hand_over("two.hl7", file);
    let found = world.scan().await;
    assert_eq!((found.taken, found.refused, found.held), (2, 1, 1));
    assert_eq!(names(&world.path("taken")), ["two.hl7"]);
}

/// Another device than the one of temporary files, where there is one.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_file_goes_to_another_device_whole() {
    let Ok(elsewhere) = tempfile::TempDir::new_in("/dev/shm") else {
        println!("skipped: /dev/shm (not present)");
        return;
    };
    let world = World::new().await;
    let letter = report("D-1", "Rest");
    world.hand_over("a.txt", &letter);
    world.hand_over("a.json", r#"{"document_id":"D-1"}"#);
    let mut folder = world.source();
    folder.taken = elsewhere.path().join("taken");
    let found = world.gateway.scan(&folder).await.unwrap();
    assert_eq!(found, scanned(|s| s.taken = 1));
    assert_eq!(world.files("in").len(), 0);
    assert_eq!(names(&folder.taken), ["a.json", "a.txt"]);
    let moved = fs::read_to_string(folder.taken.join("a.txt")).unwrap();
    assert_eq!(moved, letter);
}

#[tokio::test]
async fn a_file_that_vanishes_is_nobodys_fault() {
    let world = World::new().await;
    for number in 0..30 {
        world.hand_over(
            &format!("{number:02}.txt"),
            report(&format!("D-{number}"), "Rest"),
        );
    }
    let inbox = world.path("in");
    let thief = std::thread::spawn(move || {
        for number in (0..30).rev() {
            let _ = fs::remove_file(inbox.join(format!("{number:02}.txt")));
        }
    });
    let found = world.scan().await;
    thief.join().unwrap();
    assert_eq!(world.scan().await.failed, 0);
    assert_eq!(found.taken, world.letters().len());
    assert_eq!(world.files("in").len(), 0);
}
