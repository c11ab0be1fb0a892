//! The clock moves, and the process stands still for a while.

use std::fs::File;
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use chrono::{DateTime, Datelike as _, Days, NaiveDate, TimeDelta, Utc, Weekday};
use letterbox_tests::{Dice, FakeClock, Mesh, Running, Siege};
use rusqlite::Connection;

const DAY: i64 = 86_400;
/// How long it is watched after a jump.
const WATCHED: Duration = Duration::from_secs(3);
/// Requests to MESH that a jump may cause for each letter: a question whose time has come, or a
/// send; and those that a run makes anyway.
const REQUESTS_A_LETTER: usize = 3;
const REQUESTS_ANYWAY: usize = 12;
const PATIENCE: Duration = Duration::from_secs(25);

/// A run with a clock of its own.
struct Clocked {
    siege: Siege,
    mesh: Mesh,
    clock: FakeClock,
    running: Option<Running>,
    letters: usize,
}

impl Clocked {
    async fn start(offset: i64) -> Option<Self> {
        let Some(clock) = FakeClock::new() else {
            println!("skipped: a clock that moves (libfaketime is not present)");
            return None;
        };
        clock.set(offset);
        let mesh = Mesh::start().await;
        if offset != 0 {
            mesh.server().set_clock(Some(now_at(offset)));
        }
        let siege = Siege::new(&mesh, 0);
        let often = "look_every_seconds = 1\npoll_every_seconds = 1\n";
        siege.site.change_config("look_every_seconds = 1\n", often);
        // The practice table was imported the day before, by the program's clock.
        let day_before = now_at(offset) - TimeDelta::days(1);
        let table = File::options()
            .append(true)
            .open(siege.site.path("data/practices.csv"));
        table
            .unwrap()
            .set_modified(SystemTime::from(day_before))
            .unwrap();
        let running = Running::start(&mut clock.on(siege.site.command(&["run"])));
        Some(Self {
            siege,
            mesh,
            clock,
            running: Some(running),
            letters: 0,
        })
    }

    /// A letter by each road is taken.
    fn letters_come(&mut self, when: &str) {
        self.siege.source.put(&self.siege.site);
        self.wait(when, |one| {
            one.siege.source.send_one().is_ok_and(|code| code == "AA")
        });
        self.letters += 2;
    }

    fn all_sent(&mut self, when: &str) {
        self.wait(when, |one| one.mesh.sends() == one.letters);
    }

    fn letters_go(&mut self, when: &str) {
        self.letters_come(when);
        self.all_sent(when);
    }

    /// The service's clock moves too; it stands still there.
    fn mesh_agrees(&self, offset: i64) {
        self.mesh.server().set_clock(Some(now_at(offset)));
    }

    /// A report that comes now is read now, whatever the clock did.
    fn reports_come(&mut self, when: &str) {
        self.siege.return_one(&self.mesh);
        self.wait(when, |one| one.mesh.waiting("RT9OT001").is_empty());
    }

    fn wait(&mut self, when: &str, mut is_so: impl FnMut(&mut Self) -> bool) {
        let begin = Instant::now();
        while !is_so(self) {
            if begin.elapsed() > PATIENCE {
                let ended = self.running.take().unwrap().kill().said();
                let status = self.siege.site.letterbox(&["status"]).said();
                let (sends, letters) = (self.mesh.sends(), self.letters);
                panic!("{when}: {sends} sends of {letters} letters\n{status}\n{ended}");
            }
            sleep(Duration::from_millis(20));
        }
    }

    /// Moves the clock, and sees that no storm of requests comes of it.
    fn jump(&self, offset: i64) {
        let before = self.mesh.server().log().len();
        self.clock.set(offset);
        sleep(WATCHED);
        let requests = self.mesh.server().log().len() - before;
        let most = self.letters * REQUESTS_A_LETTER + REQUESTS_ANYWAY;
        assert!(
            requests <= most,
            "{requests} requests after a jump to {offset:+} s"
        );
    }

    /// How often the ledger says that the clock was set (W-CLK).
    fn jumps_told(&self) -> u16 {
        let db = Connection::open(self.siege.site.path("data/rt9.db")).unwrap();
        let sql = "SELECT count(*) FROM event WHERE instr(bytes, '\"type\":\"clock.jump\"')";
        db.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    async fn end(mut self) {
        let ended = self.running.take().unwrap().terminate();
        assert!(matches!(ended.code, Some(0)), "{ended:#?}");
        self.mesh.server().set_clock(None);
        self.siege.judge(&self.mesh).await;
        let said = self.siege.site.letterbox(&["status"]).exits(0).said();
        let words = said.split_whitespace();
        let negative = words.filter(|word| word.starts_with('-') && word.len() > 1);
        let negative: Vec<&str> = negative
            .filter(|word| word.ends_with(['s', 'm', 'h', 'd']))
            .collect();
        assert!(negative.is_empty(), "negative ages: {said}");
        self.siege
            .settle(&self.mesh)
            .await
            .assert_clean("after the clock moved");
    }
}

fn now_at(offset: i64) -> DateTime<Utc> {
    DateTime::<Utc>::from(SystemTime::now()) + TimeDelta::seconds(offset)
}

/// The offset that puts the clock some seconds before midnight UTC of a day, or before an hour.
fn shortly_before(day: NaiveDate, hour: u32) -> i64 {
    let moment = day.and_hms_opt(hour, 0, 0).unwrap().and_utc();
    (moment - now_at(0)).num_seconds() - 3
}

/// The next last Sunday of a month.
fn next_last_sunday(month: u32) -> NaiveDate {
    next_day(|day| day.month() == month && day.weekday() == Weekday::Sun && day.day() > 24)
}

fn next_day(is_it: impl Fn(NaiveDate) -> bool) -> NaiveDate {
    let tomorrow = now_at(DAY).date_naive();
    let mut days = (0..3_000).map(|n| tomorrow.checked_add_days(Days::new(n)).unwrap());
    days.find(|day| is_it(*day)).unwrap()
}

/// Reliability facts 4.6: our clock alone is a day off, and MESH says so. Letters are taken, and
/// none is tried in vain; when the clock is right again all go.
#[tokio::test(flavor = "multi_thread")]
async fn reliability_4_6_a_clock_that_is_a_day_off_makes_letters_wait_and_storms_nothing() {
    let Some(mut clocked) = Clocked::start(0).await else {
        return;
    };
    clocked.letters_go("before the jump");
    clocked.jump(DAY);
    clocked.letters_come("a day ahead");
    assert!(
        clocked.mesh.sends() < clocked.letters,
        "MESH took it all the same"
    );
    clocked.jump(0);
    clocked.all_sent("with the right clock again");
    assert_eq!(clocked.jumps_told(), 2, "each jump is told once");
    clocked.end().await;
}

/// The clock jumps a day forward, two days back, and is right again, and MESH agrees each time:
/// what is measured, and what is due, must not wait for days to pass.
#[tokio::test(flavor = "multi_thread")]
async fn reliability_4_6_a_clock_that_jumps_a_day_stops_neither_sending_nor_reading() {
    let Some(mut clocked) = Clocked::start(0).await else {
        return;
    };
    clocked.letters_go("before the jump");
    for offset in [DAY, -DAY, 0] {
        clocked.mesh_agrees(offset);
        clocked.jump(offset);
        let when = format!("at {offset:+} s");
        clocked.letters_go(&when);
        clocked.reports_come(&when);
    }
    assert_eq!(clocked.jumps_told(), 3, "each jump is told once");
    clocked.end().await;
}

/// The clocks change in spring and in autumn, the year ends, a leap day begins and ends.
#[tokio::test(flavor = "multi_thread")]
async fn reliability_4_6_letters_go_through_every_odd_moment_of_the_calendar() {
    let leap = |day: NaiveDate| day.month() == 2 && day.day() == 29;
    let after_leap = next_day(|day| leap(day.pred_opt().unwrap()));
    let moments = [
        ("summer time begins", next_last_sunday(3), 1),
        ("summer time ends", next_last_sunday(10), 1),
        ("a year begins", next_day(|day| day.ordinal() == 1), 0),
        ("a leap day begins", next_day(leap), 0),
        ("a leap day ends", after_leap, 0),
    ];
    let moments = moments.map(|(what, day, hour)| {
        tokio::task::spawn_blocking(move || {
            tokio::runtime::Handle::current().block_on(go_through(what, day, hour));
        })
    });
    for moment in moments {
        moment.await.unwrap();
    }
}

async fn go_through(what: &str, day: NaiveDate, hour: u32) {
    let offset = shortly_before(day, hour);
    let Some(mut clocked) = Clocked::start(offset).await else {
        return;
    };
    clocked.letters_go(what);
    sleep(WATCHED);
    clocked.letters_go(what);
    clocked.reports_come(what);
    clocked.end().await;
}

/// The machine sleeps in the middle of its work; time went on without it.
#[tokio::test(flavor = "multi_thread")]
async fn reliability_4_6_a_process_that_stood_still_goes_on() {
    let mesh = Mesh::start().await;
    let mut dice = Dice::new();
    let mut siege = Siege::new(&mesh, 0);
    let running = siege.site.start(&["run"]);
    for _ in 0..3 {
        siege.source.put(&siege.site);
        sleep(Duration::from_millis(dice.between(0, 60)));
        assert!(running.signal("-STOP"));
        siege.source.put(&siege.site);
        sleep(Duration::from_millis(700));
        assert!(running.signal("-CONT"));
    }
    let begin = Instant::now();
    while mesh.sends() < 6 {
        assert!(begin.elapsed() < PATIENCE, "{} sends", mesh.sends());
        sleep(Duration::from_millis(20));
    }
    let ended = running.terminate();
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    siege.judge(&mesh).await;
    siege
        .settle(&mesh)
        .await
        .assert_clean("after it stood still");
}
