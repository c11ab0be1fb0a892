//! Practice files: what is read, and each damaged copy of gp-routing section 17 refused.

use gp_routing::{
    Dialect, PracticeStatus, PracticeTable, PracticeType, SAMPLE_TABLE, TableLimits, TableRefused,
};
use nhs_types::OdsCode;

use crate::support::sample;

fn read(text: &str) -> Result<PracticeTable, TableRefused> {
    PracticeTable::read(text.as_bytes(), &TableLimits::at_least(1))
}

fn refused(text: &str) -> String {
    let refusal = read(text).unwrap_err();
    refusal
        .findings
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}

/// The sample with the first occurrence of a text replaced.
fn changed(from: &str, to: &str) -> String {
    assert!(SAMPLE_TABLE.contains(from), "{from}");
    SAMPLE_TABLE.replacen(from, to, 1)
}

fn code(text: &str) -> OdsCode {
    OdsCode::parse(text).unwrap()
}

#[test]
fn gp_routing_4_1_a_row_is_read_with_all_its_parts() {
    let table = sample();
    let practice = table.practice(&code("Y99902")).unwrap();
    assert_eq!(practice.name(), "THE BRIDGE SURGERY");
    assert_eq!(
        practice.address_lines().collect::<Vec<_>>(),
        ["BRIDGE HOUSE", "2 RIVER LANE", "NORTHMOOR"]
    );
    assert_eq!(practice.postcode(), "NM1 2BB");
    assert_eq!(practice.geography(), "QZ1");
    assert_eq!(practice.opened().to_string(), "1988-10-01");
    assert_eq!(practice.closed(), None);
    assert_eq!(practice.practice_type(), PracticeType::GpPractice);
    assert!(table.practice(&code("Y98765")).is_none());
    assert!(
        table
            .practices()
            .map(gp_routing::Practice::code)
            .is_sorted()
    );
}

#[test]
fn gp_routing_4_1_statuses_settings_and_counts() {
    let table = sample();
    let of = |text: &str| {
        let practice = table.practice(&code(text)).unwrap();
        (
            practice.status(),
            practice.practice_type(),
            practice.is_island(),
        )
    };
    assert_eq!(
        of("Y99910"),
        (PracticeStatus::Closed, PracticeType::GpPractice, false)
    );
    assert_eq!(
        of("Y99912"),
        (PracticeStatus::Dormant, PracticeType::GpPractice, false)
    );
    assert_eq!(
        of("Y99913"),
        (PracticeStatus::Proposed, PracticeType::GpPractice, false)
    );
    assert_eq!(
        of("Y99920"),
        (PracticeStatus::Active, PracticeType::Secure, false)
    );
    assert_eq!(
        of("Y99930"),
        (PracticeStatus::Active, PracticeType::OtherService, false)
    );
    assert_eq!(
        of("Y99933"),
        (PracticeStatus::Active, PracticeType::Unclassified, false)
    );
    assert_eq!(
        of("GUE999"),
        (PracticeStatus::Active, PracticeType::Unclassified, true)
    );
    let counts = table.counts();
    assert_eq!(
        (
            counts.rows,
            counts.active,
            counts.closed,
            counts.dormant,
            counts.proposed
        ),
        (22, 18, 2, 1, 1)
    );
    assert_eq!(counts.active_gp_practices, 9);
    assert_eq!((table.len(), table.is_empty()), (22, false));
    assert_eq!(table.dialect(), Dialect::Legacy);
}

#[test]
fn the_digest_is_of_the_bytes_as_they_came() {
    let with_mark = format!("\u{feff}{SAMPLE_TABLE}");
    let table = read(&with_mark).unwrap();
    assert_eq!(table.len(), sample().len());
    assert_ne!(table.digest(), sample().digest());
    assert_eq!(sample().digest().len(), 64);
    assert_eq!(sample().date(), None);
}

#[test]
fn gp_routing_17_line_ends_of_windows_and_any_order_of_rows_are_read() {
    assert_eq!(
        read(&SAMPLE_TABLE.replace('\n', "\r\n")).unwrap().counts(),
        sample().counts()
    );
    let mut lines: Vec<_> = SAMPLE_TABLE.lines().collect();
    lines.reverse();
    let reversed = format!("{}\n", lines.join("\n"));
    let table = read(&reversed).unwrap();
    assert_eq!(
        table.practice(&code("Y99901")).unwrap().name(),
        "HAWTHORN MEDICAL CENTRE"
    );
}

/// The sample in the newer dialect: words for status, roles for setting.
fn newer() -> String {
    let words = [
        (r#","A","B""#, r#","ACTIVE","""#),
        (r#","A","Z""#, r#","ACTIVE","""#),
        (r#","C","B""#, r#","INACTIVE","""#),
        (r#","D","B""#, r#","DORMANT","""#),
        (r#","P","B""#, r#","PROPOSED","""#),
    ];
    let roles = [
        (r#","4","""#, r#","RO76|RO80","""#),
        (r#","25","""#, r#","RO82","""#),
        (r#","0","""#, r#","RO72","""#),
    ];
    let text = words
        .iter()
        .chain(&roles)
        .fold(String::from(SAMPLE_TABLE), |text, (from, to)| {
            text.replace(from, to)
        });
    format!("\u{feff}{text}")
}

#[test]
fn gp_routing_4_3_the_newer_dialect() {
    let table = read(&newer()).unwrap();
    assert_eq!(table.dialect(), Dialect::DataSearchExport);
    let practice = |text: &str| table.practice(&code(text)).unwrap().clone();
    assert_eq!(practice("Y99901").status(), PracticeStatus::Active);
    assert_eq!(practice("Y99901").practice_type(), PracticeType::GpPractice);
    assert_eq!(practice("Y99910").status(), PracticeStatus::Closed);
    assert_eq!(practice("Y99912").status(), PracticeStatus::Dormant);
    assert_eq!(practice("Y99913").status(), PracticeStatus::Proposed);
    assert_eq!(
        practice("Y99920").practice_type(),
        PracticeType::OtherService
    );
    assert!(practice("Y99940").is_island());
}

#[test]
fn gp_routing_4_3_a_status_word_that_is_not_known_is_not_active() {
    let text = newer().replacen(r#","ACTIVE","""#, r#","SUSPENDED","""#, 1);
    let table = read(&text).unwrap();
    let first = table.practice(&code("A99991")).unwrap();
    assert_eq!(first.status(), PracticeStatus::Closed);
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table, one row a copy")]
fn gp_routing_17_every_damaged_copy_is_refused() {
    let cut = |bytes: usize| SAMPLE_TABLE.get(..SAMPLE_TABLE.len() - bytes).unwrap();
    let lines: Vec<_> = SAMPLE_TABLE.lines().collect();
    let copies = [
        ("empty", String::new()),
        ("white space", String::from(" \r\n\n")),
        (
            "web page",
            String::from("<!DOCTYPE html>\n<html><body>403 Forbidden</body></html>\n"),
        ),
        (
            "header row",
            format!(
                "OrgCode,Name,Region,Geography,A1,A2,A3,A4,A5,Postcode,Open,Close,Status,Sub,Parent,Join,Left,Tel,,,,Amended,,Org,,Setting,\n{SAMPLE_TABLE}"
            ),
        ),
        ("no line end after the last row", cut(1).to_owned()),
        ("cut inside a field", cut(20).to_owned()),
        (
            "cut inside a field, and a line end put after it",
            format!("{}\n", cut(20)),
        ),
        (
            "cut after a field, and a line end put after it",
            format!("{}\n", cut(7)),
        ),
        (
            "a quotation mark lost in the middle",
            changed("\"HAWTHORN", "HAWTHORN"),
        ),
        (
            "two quotation marks lost, rows run together",
            changed("\"THE BRIDGE SURGERY\"", "\"THE BRIDGE SURGERY").replacen(
                "\"ST OSWALD'S PRACTICE\"",
                "ST OSWALD'S PRACTICE\"",
                1,
            ),
        ),
        ("a column too few", changed(",\"4\",\"\"\n", ",\"4\"\n")),
        (
            "a column too many",
            changed(",\"4\",\"\"\n", ",\"4\",\"\",\"\"\n"),
        ),
        (
            "small letters in a code",
            changed("\"Y99901\"", "\"y99901\""),
        ),
        ("no code", changed("\"Y99901\"", "\"\"")),
        ("a code with a space", changed("\"Y99901\"", "\"Y99 01\"")),
        ("a code twice", format!("{SAMPLE_TABLE}{}\n", lines[0])),
        ("no name", changed("\"HAWTHORN MEDICAL CENTRE\"", "\" \"")),
        (
            "open date with month 13",
            changed("\"20200101\",\"\",\"A\"", "\"20201301\",\"\",\"A\""),
        ),
        (
            "open date missing",
            changed("\"20200101\",\"\",\"A\"", "\"\",\"\",\"A\""),
        ),
        (
            "date in another form",
            changed("\"20200101\",\"\",\"A\"", "\"01/01/2020\",\"\",\"A\""),
        ),
        (
            "close before open",
            changed("\"20240331\",\"C\"", "\"19700331\",\"C\""),
        ),
        (
            "status of another form",
            changed("\"A\",\"B\"", "\"X\",\"B\""),
        ),
        (
            "two dialects in one file",
            changed("\"C\",\"B\"", "\"INACTIVE\",\"B\""),
        ),
        ("setting is no number", changed(",\"27\",", ",\"RO182\",")),
        (
            "nobody is active",
            SAMPLE_TABLE
                .replace("\"A\",\"B\"", "\"C\",\"B\"")
                .replace("\"A\",\"Z\"", "\"C\",\"Z\""),
        ),
        ("another file", String::from("name,age\nx,1\n")),
        ("a file of one word", String::from("hello\n")),
    ];
    let told: String = copies
        .iter()
        .map(|(what, text)| format!("{what}\n{}\n\n", refused(text)))
        .collect();
    insta::assert_snapshot!(told);
}

#[test]
fn gp_routing_17_bytes_that_are_no_text_are_refused_with_their_line() {
    let mut bytes = SAMPLE_TABLE.as_bytes().to_vec();
    let second_line = SAMPLE_TABLE.find('\n').unwrap() + 12;
    bytes[second_line] = 0xff;
    let refusal = PracticeTable::read(&bytes, &TableLimits::at_least(1)).unwrap_err();
    assert!(
        refusal.to_string().contains("ODS-ENCODING at line 2"),
        "{refusal}"
    );
}

#[test]
fn gp_routing_16_rows_at_the_limits() {
    let with = |set: fn(&mut TableLimits)| {
        let mut limits = TableLimits::at_least(22);
        set(&mut limits);
        PracticeTable::read(SAMPLE_TABLE.as_bytes(), &limits)
            .map_err(|refusal| refusal.findings[0].rule.to_string())
    };
    assert!(with(|_| {}).is_ok());
    assert_eq!(
        with(|limits| limits.minimum_rows = 23).unwrap_err(),
        "ODS-ROWS"
    );
    assert!(with(|limits| limits.previous_rows = Some(24)).is_ok());
    assert_eq!(
        with(|limits| limits.previous_rows = Some(25)).unwrap_err(),
        "ODS-SHRUNK"
    );
    assert!(with(|limits| limits.maximum_bytes = SAMPLE_TABLE.len()).is_ok());
    assert_eq!(
        with(|limits| limits.maximum_bytes = SAMPLE_TABLE.len() - 1).unwrap_err(),
        "ODS-SIZE"
    );
    assert_eq!(TableLimits::default().minimum_rows, 5_000);
    assert!(PracticeTable::read(SAMPLE_TABLE.as_bytes(), &TableLimits::default()).is_err());
}

#[test]
fn gp_routing_16_a_tenth_of_active_rows_is_the_least() {
    let with_active = |count: usize| {
        let rows: Vec<_> = (0..100)
            .map(|n| {
                let status = if n < count { "A" } else { "C" };
                SAMPLE_TABLE
                    .lines()
                    .next()
                    .unwrap()
                    .replacen("A99991", &format!("Y98{n:03}"), 1)
                    .replacen("\"A\",\"B\"", &format!("\"{status}\",\"B\""), 1)
            })
            .collect();
        read(&format!("{}\n", rows.join("\n")))
    };
    assert!(with_active(10).is_ok());
    assert_eq!(
        with_active(9).unwrap_err().findings[0].rule.as_str(),
        "ODS-ACTIVE"
    );
}

#[test]
fn at_most_twenty_faults_are_told() {
    let wrong = SAMPLE_TABLE.replace(",\"99Z\",\"\",\"", ",\"\",\"");
    let refusal = read(&wrong).unwrap_err();
    assert_eq!(
        refusal.findings.len(),
        18,
        "one for each row that has this column"
    );
    let all = format!("{wrong}{wrong}");
    let refusal = read(&all).unwrap_err();
    assert_eq!(refusal.findings.len(), 20);
    assert!(
        refusal
            .to_string()
            .starts_with("practice table refused, 20 faults or more found: ")
    );
}
