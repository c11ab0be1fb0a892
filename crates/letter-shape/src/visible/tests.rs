use super::*;

fn seen(html: &str) -> String {
    visible_text(html)
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn blocks_cells_and_breaks_part_words() {
    assert_eq!(
        seen("<p>a</p><p>b<br>c</p><table><tr><td>d</td><td>e</td></tr></table>f"),
        "a b c d e f"
    );
    assert_eq!(
        seen("<ul><li>a<li>b</ul>c<hr>d<div>e</div>f"),
        "a b c d e f"
    );
}

#[test]
fn tags_within_a_line_do_not() {
    assert_eq!(
        seen("5<b>0</b><span> m</span><i>g</i> H<sub>2</sub>O"),
        "50 mg H2O"
    );
}

#[test]
fn references_are_resolved_once() {
    assert_eq!(
        seen("&lt;b&gt; &amp;lt; &micro;g &#181; &#xB5; &#8805; &nbsp; &eacute;"),
        "<b> &lt; µg µ µ ≥ é"
    );
    assert_eq!(seen("&#146;"), "’");
    assert_eq!(
        seen("a & b &unheardof; &; AT&T &#xD800;"),
        "a & b &unheardof; &; AT&T &#xD800;"
    );
}

#[test]
fn a_lone_sign_is_text() {
    assert_eq!(seen("eGFR < 60, 3<4, a <- b"), "eGFR < 60, 3<4, a <- b");
}

#[test]
fn attributes_may_hold_the_end_of_a_tag() {
    assert_eq!(seen("<p title='a > b'>c</p><a name=\"x>y\">d</a>"), "c d");
}

#[test]
fn what_is_not_shown_does_not_count() {
    for html in [
        "<head><title>x</title></head>",
        "<script>x</script>",
        "<script>'<p>x'</script>",
        "<!-- x -->",
        "<!-- x > y -->",
        "<!DOCTYPE x>",
        "<?x?>",
        "<p hidden>x</p>",
        "<p style='display:none'>x</p>",
        "<div style='display:none'><p>x</p>x</div>",
        "<details><p>x</p></details>",
        "<svg><text>x</text></svg>",
        "<p><del>x</del></p>",
        "<p style=\"font-size: 0\">x</p>",
        "<!-- never ends x",
        "<p style='display:none'>x",
        "<P STYLE='Display:None'>x</P>",
        "<textarea><p>x</p></textarea>",
    ] {
        assert_eq!(seen(html), "", "{html}");
    }
}

#[test]
fn after_the_hidden_comes_the_shown() {
    assert_eq!(
        seen("<p hidden>x</p>a<p style='display:none'>x<p>b</p>"),
        "a b"
    );
    assert_eq!(
        seen("<table><tr style='display:none'><td>x</td><tr><td>a</td></table>b"),
        "a b"
    );
    assert_eq!(seen("<br hidden>a<hr style='display:none'>b"), "a b");
    assert_eq!(seen("<div hidden><span>x</div>a</span>b"), "ab");
}

#[test]
fn a_style_sheet_that_hides_makes_all_uncertain() {
    assert_eq!(
        seen("<p>a</p><style>.x { display : none }</style><p>b</p>"),
        ""
    );
    assert_eq!(
        seen("<p>a</p><style>p { margin: 1em }</style><p>b</p>"),
        "a b"
    );
}

#[test]
fn colour_and_size_that_show_are_no_matter() {
    assert_eq!(
        seen("<p style='color:#000;font-size:10pt'>a</p><font color=red>b</font>"),
        "a b"
    );
}

#[test]
fn nesting_at_its_limit() {
    let nested = |depth: usize| format!("{}a", "<div>".repeat(depth));
    assert_eq!(seen(&nested(hidden::DEPTH_MAX)), "a");
    assert_eq!(seen(&nested(hidden::DEPTH_MAX + 1)), "");
}

#[test]
fn raw_text_ends_at_its_own_end_in_any_case() {
    assert_eq!(
        seen("<script>'</p>'</SCRIPT>a<title>x</Title >b<style>y"),
        "a b"
    );
}
