/// The elements that are open, and whether what stands in them is shown.
#[derive(Default)]
pub(super) struct Stack {
    open: Vec<Open>,
    too_deep: bool,
}

/// Deepest nesting that is followed; text after anything deeper counts as not seen.
pub(super) const DEPTH_MAX: usize = 256;

struct Open {
    name: String,
    hidden: bool,
}

impl Stack {
    pub(super) fn shows(&self) -> bool {
        !self.too_deep && !self.open.iter().any(|element| element.hidden)
    }

    pub(super) fn in_style(&self) -> bool {
        self.open
            .last()
            .is_some_and(|element| element.name == "style")
    }

    pub(super) fn open(&mut self, name: &str, inside: &str) {
        self.close_implied(name);
        let self_closed = inside.trim_end().ends_with('/');
        if is_void(name) || (self_closed && !is_unseen(name)) {
            return;
        }
        if self.open.len() >= DEPTH_MAX {
            self.too_deep = true;
            return;
        }
        self.open.push(Open {
            name: name.to_owned(),
            hidden: is_unseen(name) || is_hidden_by_attributes(inside),
        });
    }

    /// Closes an element and all that stayed open in it; an end without a start is nothing.
    pub(super) fn close(&mut self, name: &str) {
        if let Some(at) = self.open.iter().rposition(|element| element.name == name) {
            self.open.truncate(at);
        }
    }

    /// A new paragraph, item, row or cell ends the one before it.
    fn close_implied(&mut self, name: &str) {
        let ends: &[&str] = match name {
            "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "table" | "ul" | "ol" | "div"
            | "pre" | "hr" | "dl" | "blockquote" => &["p"],
            "li" => &["li", "p"],
            "td" | "th" => &["td", "th", "p"],
            "tr" => &["tr", "td", "th", "p"],
            "body" => &["head"],
            _ => &[],
        };
        while let Some(last) = self.open.last()
            && ends.contains(&last.name.as_str())
        {
            self.open.pop();
        }
    }
}

fn is_void(name: &str) -> bool {
    matches!(
        name,
        "area"
            | "base"
            | "br"
            | "col"
            | "embed"
            | "frame"
            | "hr"
            | "img"
            | "input"
            | "link"
            | "meta"
            | "param"
            | "source"
            | "track"
            | "wbr"
    )
}

/// Elements whose content is not shown as text, or shown as not valid.
fn is_unseen(name: &str) -> bool {
    matches!(
        name,
        "head"
            | "title"
            | "script"
            | "style"
            | "template"
            | "noscript"
            | "noframes"
            | "object"
            | "iframe"
            | "applet"
            | "audio"
            | "video"
            | "canvas"
            | "svg"
            | "textarea"
            | "select"
            | "option"
            | "datalist"
            | "details"
            | "dialog"
            | "s"
            | "strike"
            | "del"
    )
}

/// By `style`, `hidden`, `aria-hidden` or a colour that cannot be seen on paper.
fn is_hidden_by_attributes(inside: &str) -> bool {
    if inside.trim().is_empty() {
        return false;
    }
    let plain = super::tokens::unescape(inside);
    let words = plain.split(|c: char| c.is_whitespace() || c == '=' || c == '/');
    let mut names = words.map(str::to_ascii_lowercase);
    let compact = compact(&plain);
    names.any(|name| name == "hidden" || name == "aria-hidden")
        || hides_compact(&compact)
        || [
            "color=\"white",
            "color='white",
            "color=white",
            "color=\"#fff",
            "color='#fff",
            "color=#fff",
        ]
        .iter()
        .any(|mark| compact.contains(mark) && !compact.contains("bgcolor"))
}

/// Whether a declaration of style takes text out of sight.
pub(super) fn hides(style: &str) -> bool {
    hides_compact(&compact(style))
}

fn hides_compact(style: &str) -> bool {
    HIDING.iter().any(|mark| style.contains(mark))
}

/// Lower case, without white space and comments.
fn compact(style: &str) -> String {
    let mut out = String::with_capacity(style.len());
    let mut rest = style;
    while let Some((before, after)) = rest.split_once("/*") {
        out.push_str(before);
        rest = after.split_once("*/").map_or("", |(_, tail)| tail);
    }
    out.push_str(rest);
    out.retain(|c| !c.is_whitespace());
    out.to_ascii_lowercase()
}

/// Broad on purpose: our own pages carry no style at all, and doubt is a hold.
const HIDING: [&str; 24] = [
    "display:none",
    "visibility:hidden",
    "visibility:collapse",
    "opacity:0",
    "opacity:.",
    "font-size:0",
    "font-size:.",
    "font-size:1px",
    "line-height:0",
    "max-height:0",
    "max-width:0",
    "height:0",
    "width:0",
    "position:absolute",
    "position:fixed",
    "text-indent:-",
    "margin-left:-",
    "clip:",
    "clip-path:",
    "color:white",
    "color:#fff",
    "color:transparent",
    "content-visibility:hidden",
    "mso-hide:all",
];
