mod body;

use clinical_letter::{Letter, Relation};

use crate::profile::HtmlSubset;

/// Writes a letter as simple HTML: title, notices, patient banner, sections, signature, copies,
/// document number. No style, no image, no nested table; every fact stands in the flow of text.
pub fn render_html(letter: &Letter, subset: HtmlSubset) -> String {
    let mut html = Html::default();
    let title = letter.document.title.expose();
    html.raw("<html>\n<head><title>");
    html.text(title);
    html.raw("</title></head>\n<body>\n");
    html.element("h1", title);
    notices(letter, &mut html);
    html.table(&banner(letter));
    for (index, section) in letter.sections.iter().enumerate() {
        body::section(section, index + 1, subset, &mut html);
    }
    html.raw("<hr>\n");
    html.table(&signature(letter));
    copies(letter, &mut html);
    html.element("p", &format!("Document number: {}", letter.document.id));
    html.raw("</body>\n</html>\n");
    html.0
}

/// What must be read first (kettering-xml facts, section 9: a replacement says so at the top).
fn notices(letter: &Letter, html: &mut Html) {
    let parent = letter.document.parent.as_deref().unwrap_or_default();
    let notice = match letter.document.relation {
        Relation::Replacement => {
            format!("This replaces the letter with document number {parent}.")
        }
        Relation::Addendum => format!("Addendum to the letter with document number {parent}."),
        Relation::Edit => "This replaces an earlier version of this letter.".to_owned(),
        _ => String::new(),
    };
    html.important(&notice);
    if let Some(reason) = &letter.change_reason {
        html.important(&format!("Reason: {}", reason.expose()));
    }
    if letter.images > 0 {
        let count = letter.images;
        html.important(&format!("Images in the original, not shown here: {count}"));
    }
}

type Row = (&'static str, String);

fn banner(letter: &Letter) -> Vec<Row> {
    let patient = &letter.patient;
    let address = patient.address.expose_lines().iter().map(String::as_str);
    let postcode = patient.address.postcode().map(nhs_types::Postcode::expose);
    let address: Vec<&str> = address.chain(postcode).collect();
    let practice = &letter.practice;
    let encounter = &letter.encounter;
    let event = match letter.document.event_at {
        Some(at) => body::minute(at),
        None => body::day(letter.document.event_date),
    };
    let gp = practice.gp_name.as_ref().map(body::name);
    let code = practice.code.as_ref().map(|code| code.as_str().to_owned());
    let rows = [
        ("Patient", Some(body::name(&patient.name))),
        ("NHS number", Some(patient.nhs_number.spaced())),
        (
            "Date of birth",
            Some(body::day(patient.birth_date.expose())),
        ),
        ("Sex", patient.sex.map(|sex| body::sex(sex).to_owned())),
        ("Address", Some(address.join("\n"))),
        (
            "Hospital number",
            patient.hospital_number.as_ref().map(|n| n.expose().clone()),
        ),
        ("GP", gp),
        ("Practice", practice.name.clone()),
        ("Practice code", code),
        ("Date", Some(event)),
        ("Admitted", encounter.admitted.map(body::day)),
        ("Discharged", encounter.discharged.map(body::day)),
        ("Ward or clinic", encounter.location.clone()),
    ];
    filled(rows)
}

fn signature(letter: &Letter) -> Vec<Row> {
    filled([
        ("Signed by", letter.author.name.clone()),
        ("Role", letter.author.role.clone()),
        ("Signed on", Some(body::minute(letter.document.signed_at))),
    ])
}

fn filled<const N: usize>(rows: [(&'static str, Option<String>); N]) -> Vec<Row> {
    let given = rows
        .into_iter()
        .filter_map(|(label, value)| Some((label, value?)));
    given
        .filter(|(_, value)| !value.trim().is_empty())
        .collect()
}

fn copies(letter: &Letter, html: &mut Html) {
    if letter.cc.is_empty() {
        return;
    }
    html.element("h2", "Copies to");
    html.raw("<ul>\n");
    for copy in &letter.cc {
        html.element("li", copy.expose());
    }
    html.raw("</ul>\n");
}

/// HTML under way.
#[derive(Default)]
struct Html(String);

impl Html {
    fn raw(&mut self, markup: &str) {
        self.0.push_str(markup);
    }

    /// Text, with line ends as breaks.
    fn text(&mut self, text: &str) {
        for c in kettering_xml::sendable_text(text).chars() {
            match c {
                '&' => self.raw("&amp;"),
                '<' => self.raw("&lt;"),
                '>' => self.raw("&gt;"),
                '\n' => self.raw("<br>\n"),
                c => self.0.push(c),
            }
        }
    }

    fn element(&mut self, name: &str, text: &str) {
        self.raw(&format!("<{name}>"));
        self.text(text);
        self.raw(&format!("</{name}>\n"));
    }

    fn important(&mut self, text: &str) {
        if !text.is_empty() {
            self.raw("<p><b>");
            self.text(text);
            self.raw("</b></p>\n");
        }
    }

    /// A table of two columns: what, and its value.
    fn table(&mut self, rows: &[Row]) {
        self.raw(TABLE);
        for (label, value) in rows {
            self.raw("<tr><td><b>");
            self.text(label);
            self.raw("</b></td> <td>");
            self.text(value);
            self.raw("</td></tr>\n");
        }
        self.raw("</table>\n");
    }
}

const TABLE: &str = "<table border=\"1\" width=\"100%\">\n";
