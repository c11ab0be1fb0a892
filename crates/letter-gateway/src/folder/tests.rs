use super::*;
use crate::folder::listing::Listing;
use tempfile::TempDir;

struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(TempDir::new().unwrap());
        fs::create_dir(place.folder().inbox).unwrap();
        place
    }

    fn folder(&self) -> Folder {
        let mut folder = Folder::new("epr", self.0.path().join("in"));
        folder.still_for = Duration::ZERO;
        folder
    }

    fn put(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder().inbox.join(name);
        fs::write(&path, text).unwrap();
        path
    }

    fn list(&self) -> Listing {
        self.folder().list(&mut Watched::new()).unwrap()
    }

    /// Names of the documents that are ready, with those of their sidecars.
    fn ready(&self) -> Vec<String> {
        let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
        let show = |item: &Item| match &item.sidecar {
            Some(sidecar) => format!("{} + {}", name(&item.document), name(sidecar)),
            None => name(&item.document),
        };
        self.list().ready.iter().map(show).collect()
    }
}

#[test]
fn design_8_a_sidecar_is_named_after_the_whole_document_or_its_stem() {
    let place = Place::new();
    for name in [
        "a.docx",
        "a.json",
        "b.txt",
        "b.txt.json",
        "c",
        "c.json",
        "D.TXT",
        "D.TXT.JSON",
    ] {
        place.put(name, "");
    }
    let expected = [
        "D.TXT + D.TXT.JSON",
        "a.docx + a.json",
        "b.txt + b.txt.json",
        "c + c.json",
    ];
    assert_eq!(place.ready(), expected);
}

#[test]
fn design_5_two_documents_that_share_a_sidecar_are_left_for_a_person() {
    let place = Place::new();
    for name in ["a.docx", "a.txt", "a.json", "b.txt"] {
        place.put(name, "");
    }
    assert_eq!(place.ready(), ["b.txt"]);
    assert_eq!(place.list().failed, 2);
    place.put("a.docx.json", "");
    assert_eq!(
        place.ready(),
        ["b.txt", "a.docx + a.docx.json", "a.txt + a.json"]
    );
}

#[test]
fn a_sidecar_alone_and_what_is_being_written_wait() {
    let place = Place::new();
    for name in [
        "a.json",
        "b.tmp",
        "c.txt.PART",
        "d.partial",
        ".hidden",
        ".e.json",
    ] {
        place.put(name, "");
    }
    let listing = place.list();
    assert_eq!(
        (listing.ready.len(), listing.waiting, listing.failed),
        (0, 4, 0)
    );
}

#[cfg(unix)]
#[test]
fn folders_are_passed_by_and_links_are_told_and_never_followed() {
    let place = Place::new();
    fs::create_dir(place.folder().inbox.join("old.txt")).unwrap();
    let outside = place.0.path().join("outside.txt");
    fs::write(&outside, "").unwrap();
    std::os::unix::fs::symlink(&outside, place.folder().inbox.join("a.txt")).unwrap();
    std::os::unix::fs::symlink("/nowhere", place.folder().inbox.join("b.txt")).unwrap();
    let listing = place.list();
    assert_eq!(
        (listing.ready.len(), listing.waiting, listing.failed),
        (0, 0, 2)
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_name_of_odd_bytes_is_a_name() {
    use std::os::unix::ffi::OsStrExt as _;
    let place = Place::new();
    let name = std::ffi::OsStr::from_bytes(b"\xff\n\x01.txt");
    fs::write(place.folder().inbox.join(name), "").unwrap();
    let listing = place.list();
    assert_eq!(listing.ready.len(), 1);
    let moved = move_item(&listing.ready[0], &place.folder().taken).unwrap();
    assert_eq!(moved.file_name(), Some(name));
}

fn set_time(file: &Path, time: std::time::SystemTime) {
    let file = fs::OpenOptions::new().write(true).open(file).unwrap();
    file.set_modified(time).unwrap();
}

#[test]
fn a_file_is_still_at_the_limit_of_its_age_and_not_before() {
    let place = Place::new();
    let mut folder = place.folder();
    folder.still_for = Duration::from_secs(60);
    let file = place.put("a.txt", "");
    let now = std::time::SystemTime::now();
    set_time(&file, now - Duration::from_secs(60));
    assert!(folder.is_still(&file, &mut Watched::new()));
    set_time(&file, now - Duration::from_secs(50));
    assert!(!folder.is_still(&file, &mut Watched::new()));
}

#[test]
fn a_file_from_the_future_is_watched_and_taken_when_it_stays_the_same() {
    let place = Place::new();
    let mut folder = place.folder();
    folder.still_for = Duration::from_millis(30);
    let file = place.put("a.txt", "half");
    let future = std::time::SystemTime::now() + Duration::from_secs(3600);
    set_time(&file, future);
    let mut watched = Watched::new();
    assert_eq!(folder.list(&mut watched).unwrap().waiting, 1);
    std::thread::sleep(Duration::from_millis(40));
    fs::write(&file, "half and whole").unwrap();
    set_time(&file, future);
    assert_eq!(folder.list(&mut watched).unwrap().waiting, 1, "it changed");
    std::thread::sleep(Duration::from_millis(40));
    assert_eq!(folder.list(&mut watched).unwrap().ready.len(), 1);
    fs::remove_file(&file).unwrap();
    folder.list(&mut watched).unwrap();
    assert!(watched.is_empty());
}

#[test]
fn a_crash_between_document_and_sidecar_is_finished_and_no_new_pair_is_made() {
    let place = Place::new();
    let (document, sidecar) = (place.put("a.txt", "one"), place.put("a.json", "{}"));
    let item = Item {
        document,
        sidecar: Some(sidecar.clone()),
    };
    // The document is moved, and the sidecar's turn never comes.
    let taken = place.folder().taken;
    fs::create_dir_all(&taken).unwrap();
    move_item(&item, &taken).unwrap();
    fs::rename(taken.join("a.json"), &sidecar).unwrap();
    let note = place.folder().inbox.join(".a.json.moving");
    assert!(!note.exists());
    let print = |path: &Path| Print::of(path).unwrap().text();
    let gone = print(&taken.join("a.txt"));
    fs::write(&note, format!("{}\n{gone}\ntaken\n", print(&sidecar))).unwrap();

    place.put("a.txt", "another letter under the old name");
    let listing = place.list();
    assert_eq!(listing.left_behind, [(sidecar.clone(), taken.clone())]);
    assert_eq!(
        place.ready(),
        ["a.txt"],
        "without the other letter's sidecar"
    );
    finish_move(&sidecar, &taken).unwrap();
    assert!(taken.join("a.json").exists() && !note.exists() && !sidecar.exists());
}

#[test]
fn a_crash_before_the_document_moved_leaves_the_pair_and_a_new_sidecar_is_a_new_one() {
    let place = Place::new();
    let (document, sidecar) = (place.put("a.txt", "one"), place.put("a.json", "{}"));
    let note = place.folder().inbox.join(".a.json.moving");
    let print = |path: &Path| Print::of(path).unwrap().text();
    let text = format!("{}\n{}\ntaken\n", print(&sidecar), print(&document));
    fs::write(&note, text).unwrap();
    assert_eq!(place.ready(), ["a.txt + a.json"]);
    fs::remove_file(&document).unwrap();
    place.put("a.json", r#"{"document_id":"another"}"#);
    let listing = place.list();
    assert_eq!((listing.left_behind.len(), listing.waiting), (0, 1));
}

fn why(text: &str) -> String {
    let place = Place::new();
    match read_sidecar(&place.put("a.json", text)) {
        Err(Unread::Wrong(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn rule_12_what_is_wrong_with_a_sidecar_is_told_without_its_values() {
    assert_eq!(
        why("{\"source\":\"EPR\",\n\"documentid\":\"W-1\"}"),
        "its sidecar is not what the contract says: it has no member \"documentid\" (line 2, column 12)"
    );
    assert!(why("{").contains("ends too early"));
    assert!(why("not json").contains("no JSON"));
    for text in [
        r#"{"patient":{"nhs_number":9990012377}}"#,
        r#"{"patient":{"birth_date":"Canary 1951"}}"#,
        r#"{"patient":"Canary 9990012377"}"#,
        r#"{"event_at":"Canary 9990012377"}"#,
    ] {
        let why = why(text);
        assert!(
            !why.contains("9990012377") && !why.contains("anary"),
            "{why}"
        );
        assert!(why.contains("not of the kind"), "{why}");
    }
}

#[test]
fn limits_a_sidecar_at_the_limit_and_past_it() {
    let place = Place::new();
    let most = usize::try_from(SIDECAR_BYTES_MAX).unwrap();
    let padded = |bytes: usize| format!("{{}}{}", " ".repeat(bytes - 2));
    assert!(read_sidecar(&place.put("a.json", &padded(most))).is_ok());
    assert!(why(&padded(most + 1)).contains("more than 1048576 bytes"));
    assert!(matches!(
        read_sidecar(Path::new("/nowhere/a.json")),
        Err(Unread::Gone)
    ));
}

#[test]
fn a_folder_that_would_be_fed_by_itself_is_refused() {
    let place = Place::new();
    let mut folder = place.folder();
    folder.check().unwrap();
    folder.taken.clone_from(&folder.inbox);
    assert!(matches!(folder.check(), Err(GatewayError::Folder { .. })));
}
