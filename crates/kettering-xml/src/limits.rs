/// Sizes and counts beyond which a message is not read, or not built (kettering-xml facts 7, 8.12).
///
/// They bound memory and time on hostile input; each is far above what a real letter needs.
///
/// ```
/// assert!(kettering_xml::Limits::PAYLOAD_WARN < kettering_xml::Limits::PAYLOAD_MAX);
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Limits;

impl Limits {
    /// Largest message that is read, in bytes.
    pub const INPUT_MAX: usize = 32 * 1024 * 1024;
    /// Deepest nesting of elements; the format needs 7.
    pub const DEPTH_MAX: usize = 64;
    /// Most elements in a message.
    pub const ELEMENTS_MAX: usize = 10_000;
    /// Most attributes of an element.
    pub const ATTRIBUTES_MAX: usize = 32;
    /// Decoded payload in bytes from which a warning is given: about 5 MB once in base64.
    pub const PAYLOAD_WARN: usize = 3_500_000;
    /// Largest decoded payload in bytes: about 12 MB in base64.
    pub const PAYLOAD_MAX: usize = 9_000_000;
    /// Most findings kept for one message; the rest is counted in a last one.
    pub const FINDINGS_MAX: usize = 1_000;
    /// Most lines of an address that are emitted.
    pub const ADDRESS_LINES_MAX: usize = 5;
}
