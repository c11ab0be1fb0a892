mod hidden;
mod tokens;

use hidden::Stack;
use tokens::{Token, tokens};

/// The text that a reader of an HTML page sees, extracted without the code that wrote it.
///
/// Blocks, cells and breaks separate words; tags within a line do not. What is not shown does not
/// count: head, scripts, comments, and everything hidden by style, attribute, colour, size or
/// position. Struck-out text counts as not shown too. A style sheet that hides anything makes the
/// whole text uncertain, and nothing is taken as seen.
///
/// ```
/// use letter_shape::visible_text;
/// let html = "<h1>Plan</h1><p>take 5<b>0</b>&nbsp;mg <span style='display: none'>not</span></p>";
/// assert_eq!(visible_text(html).split_whitespace().collect::<Vec<_>>(), ["Plan", "take", "50", "mg"]);
/// ```
pub fn visible_text(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut stack = Stack::default();
    for token in tokens(html) {
        match token {
            Token::Text(text) => {
                if stack.in_style() && hidden::hides(text) {
                    return String::new();
                }
                if stack.shows() {
                    out.push_str(&tokens::unescape(text));
                }
            }
            Token::Open { name, inside } => {
                if breaks(&name) {
                    out.push('\n');
                }
                stack.open(&name, inside);
            }
            Token::Close { name } => {
                if breaks(&name) {
                    out.push('\n');
                }
                stack.close(&name);
            }
        }
    }
    out
}

/// Tags within a line do not part a word; every other does.
fn breaks(name: &str) -> bool {
    !matches!(
        name,
        "a" | "abbr"
            | "b"
            | "big"
            | "code"
            | "em"
            | "font"
            | "i"
            | "small"
            | "span"
            | "strong"
            | "sub"
            | "sup"
            | "tt"
            | "u"
            | "s"
            | "strike"
            | "del"
            | "ins"
    )
}

#[cfg(test)]
mod tests;
