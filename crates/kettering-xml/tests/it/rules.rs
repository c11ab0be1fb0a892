//! One test for each rule about messages of others: a good example with one fault planted.

use kettering_xml::{Dialect, Mode, Parsed, parse};
use nhs_types::Severity;

use crate::support::{bytes, data};

fn example(name: &str) -> String {
    let bytes = bytes(&data().join("examples").join(name));
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

fn parsed(text: &str, mode: Mode) -> Parsed {
    let bytes: Vec<u8> = text.chars().map(|c| u8::try_from(c).unwrap()).collect();
    parse(&bytes, mode)
}

/// Plants a fault and expects its rule alone: a warning when lenient, an error when strict.
fn expect(rule: &str, file: &str, from: &str, to: &str) {
    expect_as(rule, file, from, to, [Severity::Warning, Severity::Error]);
}

fn expect_as(rule: &str, file: &str, from: &str, to: &str, weights: [Severity; 2]) {
    let good = example(file);
    assert!(good.contains(from), "{from} is not in {file}");
    let bad = good.replacen(from, to, 1);
    for (mode, weight) in [Mode::Lenient, Mode::Strict].into_iter().zip(weights) {
        let findings = parsed(&bad, mode).findings;
        let found: Vec<(String, Severity)> = findings
            .into_iter()
            .map(|f| (f.rule.to_string(), f.severity))
            .collect();
        assert_eq!(found, [(rule.to_owned(), weight)], "{mode:?}: {to}");
    }
}

const EDT: &str = "k01-discharge-edt-html.xml";
const CLASSIC: &str = "k03-ed-classic-html.xml";
const TEXT: &str = "k08-ooh-edt-plain-text.xml";
const ALWAYS: [Severity; 2] = [Severity::Error, Severity::Error];
const NEVER: [Severity; 2] = [Severity::Warning, Severity::Warning];

#[test]
fn k_s01_another_root() {
    let bad = example(EDT).replace("ReportMsg", "OtherMsg");
    assert!(parsed(&bad, Mode::Lenient).findings.holds("K-S01"));
    expect_as(
        "K-S01",
        EDT,
        "<ReportMsg ",
        "<ReportMsg xmlns:x='y' ",
        ALWAYS,
    );
}

#[test]
fn k_s02_vital_elements_stop_lenient_reading_too() {
    expect_as(
        "K-S02",
        EDT,
        "<MsgId>7b0f7c52-6f0b-4d37-9a53-2f5f2b0f7a11</MsgId>",
        "",
        ALWAYS,
    );
    expect_as(
        "K-S02",
        EDT,
        "<FamilyName>TESTCASE</FamilyName>",
        "<FamilyName/>",
        ALWAYS,
    );
    expect_as("K-S02", EDT, "<GivenName>Marigold</GivenName>", "", ALWAYS);
    expect_as("K-S02", EDT, "<BirthDate>19580317</BirthDate>", "", ALWAYS);
}

#[test]
fn k_s02_metadata() {
    expect(
        "K-S02",
        EDT,
        "<MsgSender>RZZHC001</MsgSender>",
        "<MsgSender> </MsgSender>",
    );
    expect(
        "K-S02",
        EDT,
        "<DocCreationDate>202611201358</DocCreationDate>",
        "",
    );
    expect(
        "K-S02",
        CLASSIC,
        "<ServiceEventType>AE</ServiceEventType>",
        "",
    );
}

#[test]
fn k_s03_an_element_twice() {
    expect("K-S03", EDT, "<Sex>2</Sex>", "<Sex>2</Sex><Sex>2</Sex>");
}

#[test]
fn k_s04_the_wrong_order() {
    expect(
        "K-S04",
        EDT,
        "<BirthDate>19580317</BirthDate>\n    <Sex>2</Sex>",
        "<Sex>2</Sex><BirthDate>19580317</BirthDate>",
    );
}

#[test]
fn k_s05_unknown_parts_are_kept() {
    expect(
        "K-S05",
        EDT,
        "<Sex>2</Sex>",
        "<Sex>2</Sex><Religion>x</Religion>",
    );
    expect("K-S05", EDT, "<MsgId>", "<MsgId lang='en'>");
    expect("K-S05", EDT, "<PatientId>", "<PatientId>words");
    let bad = example(EDT).replace("<Sex>2</Sex>", "<Religion>x</Religion>");
    let root = parsed(&bad, Mode::Lenient).root.unwrap();
    assert_eq!(root.text_at("PatientMatchingInfo/Religion"), Some("x"));
}

#[test]
fn k_s06_no_directory() {
    let bad = example(EDT).replace("Parties", "Partners");
    assert!(parsed(&bad, Mode::Lenient).findings.holds("K-S06"));
    assert!(parsed(&bad, Mode::Lenient).findings.has_errors());
    assert_eq!(parsed(&bad, Mode::Lenient).dialect, None);
}

#[test]
fn k_s06_both_directories_are_read_as_edt() {
    let agents = "</Parties><AgentsDirectory><AgentInContext><IdValue>1</IdValue><AgentRel>\
        <AgentRelType>3</AgentRelType><AgentId><IdType>PRA</IdType><IdValue>Y99001</IdValue>\
        </AgentId></AgentRel></AgentInContext></AgentsDirectory>";
    let bad = example(EDT).replace("</Parties>", agents);
    let read = parsed(&bad, Mode::Lenient);
    assert_eq!(read.dialect, Some(Dialect::Hybrid));
    assert!(read.findings.holds("K-S06") && !read.findings.has_errors());
}

#[test]
fn k_s07_requester_and_provider() {
    expect(
        "K-S07",
        EDT,
        "<ServiceProvider><IdValue>2<",
        "<ServiceProvider><IdValue>7<",
    );
    expect(
        "K-S07",
        EDT,
        "<ServiceProvider><IdValue>2<",
        "<ServiceProvider><IdValue>1<",
    );
    expect(
        "K-S07",
        CLASSIC,
        "<ServiceProvider><IdValue>2<",
        "<ServiceProvider><IdValue>9<",
    );
}

#[test]
fn k_s09_two_text_blocks() {
    expect(
        "K-S09",
        TEXT,
        "</TextBlock>",
        "</TextBlock><TextBlock>more</TextBlock>",
    );
}

#[test]
fn k_v02_every_date() {
    for from in [
        "<MsgIssueDate>202611201405",
        "<EventDate>202611181030",
        "<EventDateEnd>202611201100",
        "<DocCreationDate>202611201358",
    ] {
        let to = from.replace("202611", "202644");
        expect("K-V02", EDT, from, &to);
    }
    expect("K-V02", CLASSIC, "<Date>202611191955", "<Date>202661191955");
    expect(
        "K-V02",
        EDT,
        "<BirthDate>19580317<",
        "<BirthDate>17/03/1958<",
    );
    expect(
        "K-V02",
        EDT,
        "<BirthDate>19580317<",
        "<BirthDate>195803170000<",
    );
}

#[test]
fn k_v03_day_and_month_swapped() {
    let bad = example(EDT).replace("19580317", "19581703");
    let ids: Vec<String> = parsed(&bad, Mode::Lenient)
        .findings
        .into_iter()
        .map(|f| f.rule.to_string())
        .collect();
    assert_eq!(ids, ["K-V02", "K-V03"]);
}

#[test]
fn k_v04_not_ten_digits() {
    for number in ["999030824", "99903082411", "999 030 8241", "999030824X"] {
        expect("K-V04", EDT, "9990308241", number);
    }
}

#[test]
fn k_v05_the_check_digit() {
    for number in ["9990308242", "1234567890", "1111111111", "0000000000"] {
        expect("K-V05", EDT, "9990308241", number);
    }
}

#[test]
fn k_v06_the_dummy_number() {
    expect("K-V06", EDT, "9990308241", "9999999999");
}

#[test]
fn k_v07_id_types_have_one_case() {
    expect("K-V07", EDT, "<IdType>Nhs<", "<IdType>NHS<");
    expect(
        "K-V07",
        EDT,
        "HcpCode IdType=\"GP\"",
        "HcpCode IdType=\"gp\"",
    );
    expect(
        "K-V07",
        EDT,
        "OrgCode IdType=\"Provider\"",
        "OrgCode IdType=\"Trust\"",
    );
    expect(
        "K-V07",
        CLASSIC,
        "<IdType>Specialist<",
        "<IdType>Consultant<",
    );
    expect(
        "K-V07",
        CLASSIC,
        "<AgentId><IdType>Provider<",
        "<AgentId><IdType>provider<",
    );
}

#[test]
fn k_v07_practice_is_as_good_as_pra() {
    let text = example(EDT).replace("IdType=\"PRA\"", "IdType=\"Practice\"");
    assert!(parsed(&text, Mode::Strict).findings.is_empty());
}

#[test]
fn k_v08_too_long() {
    expect(
        "K-V08",
        EDT,
        "<FamilyName>TESTCASE<",
        &format!("<FamilyName>{}<", "x".repeat(51)),
    );
    expect("K-V08", EDT, "<CodeName>H2z..<", "<CodeName>12345678901<");
}

#[test]
fn k_v09_values_of_lists() {
    expect("K-V09", EDT, "MsgStatus=\"Live\"", "MsgStatus=\"live\"");
    expect(
        "K-V09",
        EDT,
        "MsgUrgency=\"Normal\"",
        "MsgUrgency=\"Urgent\"",
    );
    expect("K-V09", EDT, "<Sex>2<", "<Sex>F<");
    expect("K-V09", EDT, "<PersonNameType>CU<", "<PersonNameType>PR<");
    expect("K-V09", EDT, "<ActionRequested>Y<", "<ActionRequested>Yes<");
    expect("K-V09", EDT, "RcStatus=\"Current\"", "RcStatus=\"Old\"");
}

#[test]
fn k_v10_terms_of_a_code() {
    let short = "<Term30>Community acquired pneumonia</Term30>";
    expect("K-V10", EDT, short, "");
    expect(
        "K-V10",
        EDT,
        short,
        &format!("{short}<Term60>Pneumonia</Term60>"),
    );
    expect(
        "K-V10",
        EDT,
        short,
        &format!("<Term30>{}</Term30>", "x".repeat(31)),
    );
    let text = example(EDT).replace(
        short,
        &format!("<Term30>{}</Term30><Term60/>", "x".repeat(30)),
    );
    assert!(
        parsed(&text, Mode::Strict).findings.is_empty(),
        "an empty term is an absent one"
    );
}

#[test]
fn k_v11_the_end_before_the_start() {
    expect(
        "K-V11",
        EDT,
        "<EventDateEnd>202611201100",
        "<EventDateEnd>202611181029",
    );
}

#[test]
fn k_v12_born_after_the_event() {
    expect("K-V12", EDT, "<BirthDate>19580317", "<BirthDate>20261119");
}

#[test]
fn k_v13_codes_of_organisations() {
    expect("K-V13", EDT, ">Y99001<", ">y99001<");
    expect("K-V13", EDT, ">RZZ<", ">RZ<");
    expect("K-V13", CLASSIC, ">RZZ01<", ">RZZ-01<");
}

#[test]
fn k_v14_gp_codes() {
    expect_as("K-V14", EDT, ">G1234567<", ">1234567<", NEVER);
    expect_as("K-V14", CLASSIC, ">G7654321<", ">G76543210<", NEVER);
}

#[test]
fn k_v15_event_types_are_a_closed_list() {
    expect(
        "K-V15",
        CLASSIC,
        "<ServiceEventType>AE<",
        "<ServiceEventType>ED<",
    );
}

#[test]
fn k_v16_source_types() {
    for number in ["10000", "-1", "two", "2.0"] {
        let to = format!("<ReportSourceType>{number}<");
        expect("K-V16", EDT, "<ReportSourceType>2<", &to);
    }
}

#[test]
fn k_v17_nobody_is_named() {
    expect("K-V17", EDT, "<HcpName>Miss P Placeholder</HcpName>", "");
}

#[test]
fn k_v18_no_department() {
    expect(
        "K-V18",
        EDT,
        "<DepartmentName>General Medicine</DepartmentName>",
        "",
    );
}

#[test]
fn k_p01_no_text_item_at_all() {
    let text = example(TEXT);
    let (before, rest) = text.split_once("<TextItem").unwrap();
    let (_, after) = rest.split_once("</TextItem>").unwrap();
    let bad = format!("{before}{after}");
    let read = parsed(&bad, Mode::Lenient);
    assert!(read.findings.holds("K-P01") && read.findings.has_errors());
    assert!(read.payload.is_none());
}

#[test]
fn k_p06_the_markup_indicator() {
    expect("K-P06", EDT, "-//IETF//DTD HTML//EN", "text/html");
}

#[test]
fn k_p07_hidden_text_of_others_is_a_warning() {
    expect_as(
        "K-P07",
        EDT,
        "<h2>Diagnoses",
        "<h2 hidden style='display:none'>Diagnoses",
        NEVER,
    );
}
