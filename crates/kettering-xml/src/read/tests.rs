use super::*;
use crate::Mode;
use crate::rule::Purpose;

fn read_as(text: &str, mode: Mode) -> (Option<Element>, Vec<String>) {
    let mut findings = Findings::new(Purpose::Parse(mode));
    let tree = read(text, &mut findings);
    let report = findings.into_report();
    let ids = report
        .into_iter()
        .map(|f| format!("{} {}", f.severity, f.rule));
    (tree, ids.collect())
}

fn refused(text: &str) -> Vec<String> {
    let (tree, ids) = read_as(text, Mode::Lenient);
    assert!(tree.is_none(), "{text} was read");
    ids
}

#[test]
fn pieces_of_text_are_joined() {
    let (tree, ids) = read_as(
        "<a>x &amp; <![CDATA[<y>]]]]><![CDATA[>]]> &#374;&#x175;</a>",
        Mode::Strict,
    );
    assert_eq!(tree.unwrap().text(), "x & <y>]]> Ŷŵ");
    assert!(ids.is_empty());
}

#[test]
fn k_w01_what_is_not_one_whole_document() {
    for text in [
        "",
        "text",
        "<a>",
        "<a><b></a>",
        "<a/><b/>",
        "</a>",
        "<a/>x",
        "<a b='1' b='2'/>",
        "<a b=1/>",
        "<a>&",
        "<a>x & y</a>",
        "<a b='&x'/>",
        "<a>&#xD800;</a>",
        "<a>&#;</a>",
        "<a/><!DOCTYPE a>",
        "<a><![CDATA[x</a>",
        "<a><!-- x</a>",
    ] {
        assert_eq!(refused(text), ["error K-W01"], "{text}");
    }
}

#[test]
fn k_w02_references_to_forbidden_characters_vanish_with_a_finding() {
    let (tree, ids) = read_as("<a>x&#11;y</a>", Mode::Lenient);
    assert_eq!(tree.unwrap().text(), "xy");
    assert_eq!(ids, ["warning K-W02"]);
    assert_eq!(read_as("<a>x&#0;y</a>", Mode::Strict).1, ["error K-W02"]);
}

#[test]
fn k_w04_html_entities_outside_cdata() {
    let (tree, ids) = read_as("<a b='&eacute;'>500&nbsp;mg</a>", Mode::Lenient);
    let tree = tree.unwrap();
    assert_eq!(
        (tree.text(), tree.attribute("b")),
        ("500\u{a0}mg", Some("é"))
    );
    assert_eq!(ids, ["warning K-W04", "warning K-W04"]);
    assert_eq!(read_as("<a>&nbsp;</a>", Mode::Strict).1, ["error K-W04"]);
    assert_eq!(refused("<a>&unheardof;</a>"), ["error K-W04"]);
}

#[test]
fn k_w05_an_internal_subset_is_not_looked_into() {
    let bomb = "<!DOCTYPE a [<!ENTITY b \"bb\">]><a>&b;</a>";
    assert_eq!(refused(bomb), ["error K-W05"]);
    assert!(
        read_as("<!DOCTYPE a SYSTEM 'x.dtd'><a/>", Mode::Strict)
            .1
            .is_empty()
    );
}

#[test]
fn k_w06_depth_at_its_limit() {
    let nested = |depth: usize| "<a>".repeat(depth) + &"</a>".repeat(depth);
    assert!(
        read_as(&nested(Limits::DEPTH_MAX), Mode::Strict)
            .0
            .is_some()
    );
    assert_eq!(refused(&nested(Limits::DEPTH_MAX + 1)), ["error K-W06"]);
}

#[test]
fn k_w06_elements_at_their_limit() {
    let wide = |count: usize| format!("<a>{}</a>", "<b/>".repeat(count - 1));
    assert!(
        read_as(&wide(Limits::ELEMENTS_MAX), Mode::Strict)
            .0
            .is_some()
    );
    assert_eq!(refused(&wide(Limits::ELEMENTS_MAX + 1)), ["error K-W06"]);
}

#[test]
fn k_w06_attributes_at_their_limit() {
    let dressed = |count: usize| {
        let attributes: String = (0..count).map(|n| format!(" k{n}='v'")).collect();
        format!("<a{attributes}/>")
    };
    assert!(
        read_as(&dressed(Limits::ATTRIBUTES_MAX), Mode::Strict)
            .0
            .is_some()
    );
    assert_eq!(
        refused(&dressed(Limits::ATTRIBUTES_MAX + 1)),
        ["error K-W06"]
    );
}
