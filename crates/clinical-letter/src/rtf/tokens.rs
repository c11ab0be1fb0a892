//! The visible text of RTF: groups, control words, characters (source-documents section 7.2).

use encoding_rs::{Encoding, WINDOWS_1252};

use crate::Reason;
use crate::charset::single_byte;
use crate::limits::RTF_DEPTH_MAX;

type Broken = (Reason, &'static str);

const MALFORMED: Broken = (Reason::AttachmentInvalid, "the RTF is malformed");
const TOO_DEEP: Broken = (Reason::AttachmentInvalid, "the RTF is nested too deep");
const TRACKED: Broken = (Reason::TrackedChanges, "the RTF holds tracked changes");

/// Destinations that are no text of the letter.
const DROPPED: &[&[u8]] = &[
    b"fonttbl",
    b"colortbl",
    b"stylesheet",
    b"info",
    b"pict",
    b"object",
    b"themedata",
    b"datastore",
    b"listtable",
    b"listoverridetable",
    b"rsidtbl",
    b"generator",
];

/// What a group hands down to the groups within.
#[derive(Clone, Copy)]
struct State {
    skipped: bool,
    hidden: bool,
    fallback: usize,
}

struct Reader {
    stack: Vec<State>,
    state: State,
    encoding: &'static Encoding,
    to_skip: usize,
    units: Vec<u16>,
    bytes: Vec<u8>,
    text: String,
}

/// The visible text, header and footer included, one paragraph or row a line.
pub(super) fn text(bytes: &[u8]) -> Result<String, Broken> {
    let mut reader = Reader {
        stack: Vec::new(),
        state: State {
            skipped: false,
            hidden: false,
            fallback: 1,
        },
        encoding: WINDOWS_1252,
        to_skip: 0,
        units: Vec::new(),
        bytes: Vec::new(),
        text: String::new(),
    };
    let mut rest = bytes;
    while let [byte, after @ ..] = rest {
        rest = match byte {
            b'{' => reader.open(after)?,
            b'}' => reader.close(after)?,
            b'\\' => reader.control(after)?,
            b'\r' | b'\n' => after,
            _ => {
                reader.byte(*byte);
                after
            }
        };
    }
    reader.flush();
    if reader.stack.is_empty() {
        Ok(reader.text)
    } else {
        Err(MALFORMED)
    }
}

impl Reader {
    fn open<'a>(&mut self, rest: &'a [u8]) -> Result<&'a [u8], Broken> {
        if self.stack.len() >= RTF_DEPTH_MAX {
            return Err(TOO_DEEP);
        }
        self.stack.push(self.state);
        Ok(rest)
    }

    fn close<'a>(&mut self, rest: &'a [u8]) -> Result<&'a [u8], Broken> {
        self.flush();
        self.to_skip = 0;
        self.state = self.stack.pop().ok_or(MALFORMED)?;
        Ok(rest)
    }

    fn control<'a>(&mut self, rest: &'a [u8]) -> Result<&'a [u8], Broken> {
        let letters = rest
            .iter()
            .take_while(|byte| byte.is_ascii_alphabetic())
            .count();
        if letters == 0 {
            return self.symbol(rest);
        }
        let (word, after) = rest.split_at(letters);
        let signed = usize::from(after.first() == Some(&b'-'));
        let digits = after
            .iter()
            .skip(signed)
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        let length = if digits == 0 { 0 } else { signed + digits };
        let (number, after) = after.split_at(length);
        let number = match number {
            [] => None,
            number => {
                let parsed = std::str::from_utf8(number)
                    .ok()
                    .and_then(|text| text.parse().ok());
                Some(parsed.ok_or(MALFORMED)?)
            }
        };
        let after = after.strip_prefix(b" ").unwrap_or(after);
        self.word(word, number, after)
    }

    fn symbol<'a>(&mut self, rest: &'a [u8]) -> Result<&'a [u8], Broken> {
        let [sign, after @ ..] = rest else {
            return Err(MALFORMED);
        };
        match sign {
            b'\'' => {
                let digits = after.get(..2).ok_or(MALFORMED)?;
                let text = std::str::from_utf8(digits).map_err(|_| MALFORMED)?;
                self.byte(u8::from_str_radix(text, 16).map_err(|_| MALFORMED)?);
                return after.get(2..).ok_or(MALFORMED);
            }
            b'*' => self.state.skipped = true,
            b'~' => self.push('\u{a0}'),
            b'_' => self.push('\u{2011}'),
            b'\\' | b'{' | b'}' => self.byte(*sign),
            b'\r' | b'\n' => self.push('\n'),
            _ => {}
        }
        Ok(after)
    }

    fn word<'a>(
        &mut self,
        word: &[u8],
        number: Option<i32>,
        rest: &'a [u8],
    ) -> Result<&'a [u8], Broken> {
        if DROPPED.contains(&word) {
            self.state.skipped = true;
        }
        match word {
            b"par" | b"line" | b"sect" | b"page" | b"row" => self.push('\n'),
            b"tab" | b"cell" => self.push('\t'),
            b"lquote" => self.push('‘'),
            b"rquote" => self.push('’'),
            b"ldblquote" => self.push('“'),
            b"rdblquote" => self.push('”'),
            b"endash" => self.push('–'),
            b"emdash" => self.push('—'),
            b"bullet" => self.push('•'),
            b"u" => self.unit(number.ok_or(MALFORMED)?)?,
            b"uc" => self.state.fallback = count(number)?,
            b"v" => self.state.hidden = number != Some(0),
            b"deleted" | b"revised" if number != Some(0) => return Err(TRACKED),
            b"ansicpg" => {
                let label = format!("windows-{}", number.unwrap_or(1252));
                self.encoding = Encoding::for_label(label.as_bytes()).unwrap_or(WINDOWS_1252);
            }
            b"bin" => return rest.get(count(number)?..).ok_or(MALFORMED),
            _ => {}
        }
        Ok(rest)
    }

    /// A UTF-16 code unit, written as a signed number.
    fn unit(&mut self, number: i32) -> Result<(), Broken> {
        let unit = if number < 0 {
            number + 0x1_0000
        } else {
            number
        };
        self.flush_bytes();
        if !self.is_silent() {
            self.units.push(u16::try_from(unit).map_err(|_| MALFORMED)?);
        }
        self.to_skip = self.state.fallback;
        Ok(())
    }

    const fn is_silent(&self) -> bool {
        self.state.skipped || self.state.hidden
    }

    fn byte(&mut self, byte: u8) {
        if self.to_skip > 0 {
            self.to_skip -= 1;
        } else if !self.is_silent() {
            self.flush_units();
            self.bytes.push(byte);
        }
    }

    fn push(&mut self, c: char) {
        self.flush();
        if !self.is_silent() {
            self.text.push(c);
        }
    }

    fn flush(&mut self) {
        self.flush_units();
        self.flush_bytes();
    }

    fn flush_units(&mut self) {
        let units = std::mem::take(&mut self.units);
        self.text.push_str(&String::from_utf16_lossy(&units));
    }

    fn flush_bytes(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        self.text.push_str(&single_byte(self.encoding, &bytes));
    }
}

fn count(number: Option<i32>) -> Result<usize, Broken> {
    usize::try_from(number.unwrap_or(0)).map_err(|_| MALFORMED)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn section_7_2_visible_text() {
        let rtf = br"{\rtf1\ansi\ansicpg1252\uc1{\fonttbl{\f0 Arial;}}{\*\x no}\u321?uk \'92s\par a\~b{\v hidden}\cell c\row}";
        assert_eq!(text(rtf).unwrap(), "Łuk ’s\na\u{a0}b\tc\n");
        assert_eq!(
            text(br"{\rtf1\uc1\u-10179?\u-9216?x}").unwrap(),
            "\u{1f400}x"
        );
        assert_eq!(text(br"{\rtf1 a\bin3 }}}b}").unwrap(), "ab");
    }

    #[test]
    fn section_7_2_tracked_changes_and_broken_files() {
        assert_eq!(text(br"{\rtf1 {\deleted old}}"), Err(TRACKED));
        for broken in [
            &br"{\rtf1"[..],
            br"{\rtf1 \'9}",
            br"{\rtf1}}",
            br"{\rtf1\u99999999999 }",
        ] {
            assert_eq!(text(broken), Err(MALFORMED));
        }
    }

    #[test]
    fn limits_depth_at_the_limit_and_past_it() {
        let nested = |depth: usize| [vec![b'{'; depth], vec![b'}'; depth]].concat();
        assert!(text(&nested(RTF_DEPTH_MAX)).is_ok());
        assert_eq!(text(&nested(RTF_DEPTH_MAX + 1)), Err(TOO_DEEP));
        assert_eq!(text(&nested(200_000)), Err(TOO_DEEP));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in "[{}\\\\a-z0-9' *-]{0,80}") {
            let _ = text(bytes.as_bytes());
        }
    }
}
