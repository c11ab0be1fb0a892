//! From bytes to a table, or to a refusal of the whole (gp-routing 4.3, 16, 17).

use std::fmt::Write as _;

use csv::StringRecord;
use nhs_types::Location;
use sha2::{Digest as _, Sha256};

use super::refusal::{Faults, TableRefused};
use super::{Dialect, Practice, PracticeTable, TableLimits, row};

pub(super) const COLUMNS: usize = 27;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// The new table must have at least this many hundredths of the rows of the table in use.
const KEPT_ROWS_PERCENT: usize = 90;
/// Of 100 rows at least this many are active; fewer mean that the status column changed.
const ACTIVE_ROWS_PERCENT: usize = 10;
pub(super) const LOAD_AGAIN: &str = "download the file again; the table in use stays";

pub(super) fn table(bytes: &[u8], limits: &TableLimits) -> Result<PracticeTable, TableRefused> {
    let text = whole_text(bytes, limits)?;
    let (dialect, mut rows) = rows(text)?;
    rows.sort_by(|(left, _), (right, _)| left.code().cmp(right.code()));
    refuse_duplicates(&rows)?;
    let practices = rows.into_iter().map(|(practice, _)| practice).collect();
    let table = PracticeTable::new(practices, dialect, digest(bytes));
    refuse_wrong_counts(&table, limits)?;
    Ok(table)
}

/// The practices with the lines they stand on. The first row tells the dialect of all.
fn rows(text: &str) -> Result<(Dialect, Vec<(Practice, u64)>), TableRefused> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut record = StringRecord::new();
    let mut faults = Faults::default();
    let mut rows = Vec::new();
    let mut told = None;
    while !faults.is_full() && reader.read_record(&mut record).map_err(|_| no_csv())? {
        let form = match told {
            Some(form) => form,
            None => dialect(&record)?,
        };
        told = Some(form);
        let practice = row::practice(&record, form, &mut faults);
        rows.extend(practice.map(|practice| (practice, line_of(&record))));
    }
    faults.into_result()?;
    told.map(|form| (form, rows)).ok_or_else(no_csv)
}

/// The text of the file, if it can be a whole practice file at all.
fn whole_text<'a>(bytes: &'a [u8], limits: &TableLimits) -> Result<&'a str, TableRefused> {
    let refuse = |rule, message: String| Err(TableRefused::one(rule, Location::Whole, message));
    if bytes.len() > limits.maximum_bytes {
        let (got, most) = (bytes.len(), limits.maximum_bytes);
        return refuse(
            "ODS-SIZE",
            format!("{got} bytes, more than {most}: is this the practice file?"),
        );
    }
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return refuse("ODS-EMPTY", format!("the file is empty; {LOAD_AGAIN}"));
    }
    if bytes.trim_ascii_start().starts_with(b"<") {
        return refuse(
            "ODS-HTML",
            format!(
                "this is a web page and no table: the download was refused or redirected; {LOAD_AGAIN}"
            ),
        );
    }
    let text = std::str::from_utf8(bytes).map_err(|error| not_utf8(bytes, error.valid_up_to()))?;
    refuse_cut_short(text)?;
    Ok(text)
}

fn not_utf8(bytes: &[u8], valid: usize) -> TableRefused {
    let line = 1 + bytes
        .iter()
        .take(valid)
        .filter(|byte| **byte == b'\n')
        .count();
    let message = "a byte that is not UTF-8: the file was damaged or saved by another program";
    TableRefused::one(
        "ODS-ENCODING",
        at_line(line),
        format!("{message}; {LOAD_AGAIN}"),
    )
}

fn refuse_cut_short(text: &str) -> Result<(), TableRefused> {
    let lines = text.lines().count();
    if !text.ends_with('\n') {
        let message =
            format!("the last line has no line end: the file was cut short; {LOAD_AGAIN}");
        return Err(TableRefused::one("ODS-CUT", at_line(lines), message));
    }
    if text.bytes().filter(|byte| *byte == b'"').count() % 2 != 0 {
        let message =
            format!("a quotation mark is missing: the file was cut short or changed; {LOAD_AGAIN}");
        return Err(TableRefused::one("ODS-QUOTES", at_line(lines), message));
    }
    Ok(())
}

fn no_csv() -> TableRefused {
    let message = format!("not a table of comma-separated values; {LOAD_AGAIN}");
    TableRefused::one("ODS-CSV", Location::Whole, message)
}

/// The dialect, told from the status column of the first row.
fn dialect(first: &StringRecord) -> Result<Dialect, TableRefused> {
    let field = |index| first.get(index).unwrap_or_default();
    let code = field(0);
    let is_word = |text: &str| text.len() > 1 && text.bytes().all(|byte| byte.is_ascii_uppercase());
    match field(row::STATUS) {
        "A" | "C" | "D" | "P" => Ok(Dialect::Legacy),
        word if is_word(word) => Ok(Dialect::DataSearchExport),
        _ if code.len() > 6 || code.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
            Err(header_row())
        }
        _ => Err(TableRefused::one(
            "ODS-DIALECT",
            Location::Line(1),
            "column 13 holds neither a status letter A, C, D or P nor a status word such as ACTIVE: this is not the file epraccur, or its layout changed",
        )),
    }
}

fn header_row() -> TableRefused {
    TableRefused::one(
        "ODS-HEADER",
        Location::Line(1),
        "the first line is a header or no row of practices: epraccur has none; take the file as it was published",
    )
}

fn refuse_duplicates(sorted: &[(Practice, u64)]) -> Result<(), TableRefused> {
    let mut faults = Faults::default();
    for ((one, line), (other, other_line)) in sorted.iter().zip(sorted.iter().skip(1)) {
        if one.code() == other.code() {
            let (first, second) = (line.min(other_line), line.max(other_line));
            faults.add(
                "ODS-DUPLICATE",
                Location::Line(*second),
                format!(
                    "{} stands already on line {first}: codes are unique; {LOAD_AGAIN}",
                    one.code()
                ),
            );
        }
    }
    faults.into_result()
}

fn refuse_wrong_counts(table: &PracticeTable, limits: &TableLimits) -> Result<(), TableRefused> {
    let mut faults = Faults::default();
    let rows = table.len();
    if rows < limits.minimum_rows {
        let least = limits.minimum_rows;
        faults.add("ODS-ROWS", Location::Whole, format!("{rows} rows, at least {least} were expected: the file is not whole; {LOAD_AGAIN}, or lower the minimum"));
    }
    if let Some(previous) = limits.previous_rows
        && rows.saturating_mul(100) < previous.saturating_mul(KEPT_ROWS_PERCENT)
    {
        faults.add("ODS-SHRUNK", Location::Whole, format!("{rows} rows, the table in use has {previous}: rows never vanish by the dozen; {LOAD_AGAIN}"));
    }
    let active = table.counts().active;
    if active.saturating_mul(100) < rows.saturating_mul(ACTIVE_ROWS_PERCENT) {
        faults.add("ODS-ACTIVE", Location::Whole, format!("only {active} of {rows} rows are active: the status column changed its meaning; ask for a reader of the new form"));
    }
    faults.into_result()
}

/// The line a row begins on.
pub(super) fn line_of(record: &StringRecord) -> u64 {
    record.position().map_or(0, csv::Position::line)
}

fn at_line(line: usize) -> Location {
    Location::Line(u64::try_from(line).unwrap_or(u64::MAX))
}

fn digest(bytes: &[u8]) -> String {
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}
