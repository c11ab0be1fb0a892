use std::fmt;

use serde::{Serialize, Serializer};

/// What becomes of a document: exactly one for each (source-documents section 8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "every intake path must say what it does for each of the six"
)]
pub enum Disposition {
    /// Goes out as a letter.
    Send,
    /// Waits on the work list: a person decides.
    Hold,
    /// Takes back a document that may have gone out before.
    Withdraw,
    /// Never sent, kept in the record.
    Suppress,
    /// Was taken before; no new work. Known only to who remembers earlier documents.
    Duplicate,
    /// Can never be accepted; the sender is told.
    Reject,
}

impl Disposition {
    /// The word used in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::Hold => "hold",
            Self::Withdraw => "withdraw",
            Self::Suppress => "suppress",
            Self::Duplicate => "duplicate",
            Self::Reject => "reject",
        }
    }
}

macro_rules! codes {
    ($(#[$outer:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $code:literal,)* }) => {
        $(#[$outer])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $name { $($(#[$doc])* $variant,)* }

        impl $name {
            /// Every value, in the order of the checks.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The code of source-documents section 8.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }
        }
    };
}

codes! {
    /// Why a document has its disposition.
    ///
    /// The order is the order of the checks (source-documents section 8): readable, active
    /// content, identity, page count, check digit, sign-off, finality, restriction, practice.
    /// Within one disposition the earliest gives the reason.
    Reason {
        /// Nothing stands against sending.
        Ok = "ok",
        /// No bytes, or white space only.
        Empty = "empty",
        /// Past a limit of size or count.
        TooLarge = "too-large",
        /// Nested deeper than the limit.
        TooDeep = "too-deep",
        /// The XML of a Word file declares a document type.
        XmlDtd = "xml-dtd",
        /// A format that no reader here takes; an addition of ours to section 8.
        UnsupportedFormat = "unsupported-format",
        /// Broken in its own format.
        Malformed = "malformed",
        /// MSH-11 is not that of a live feed.
        ProcessingId = "processing-id",
        /// A segment without which the message says nothing.
        SegmentMissing = "segment-missing",
        /// An HL7 event that carries no document.
        UnsupportedEvent = "unsupported-event",
        /// Macros, embedded objects, links that fetch.
        ActiveContent = "active-content",
        /// Encrypted.
        Encrypted = "encrypted",
        /// Holds tracked changes that nobody accepted or refused.
        TrackedChanges = "tracked-changes",
        /// No content, only a pointer to it.
        ReferencePointer = "reference-pointer",
        /// The attachment is broken, or is not what it says.
        AttachmentInvalid = "attachment-invalid",
        /// A sender used the same control id for another message. Known only to who remembers.
        ControlIdReused = "control-id-reused",
        /// Names two patients.
        PatientMismatch = "patient-mismatch",
        /// Gives two NHS numbers for one patient.
        NhsNumberConflict = "nhs-number-conflict",
        /// Sidecar and content disagree; an addition of ours to section 8.
        SidecarDisagrees = "sidecar-disagrees",
        /// Pages or content are missing.
        IncompleteDocument = "incomplete-document",
        /// No NHS number, or no name.
        NoPatient = "no-patient",
        /// The NHS number's check digit does not hold.
        NhsNumberInvalid = "nhs-number-invalid",
        /// No date of birth, or none that can be.
        BirthDateInvalid = "birth-date-invalid",
        /// Taken back by its source.
        Cancelled = "cancelled",
        /// Not signed.
        NotAuthenticated = "not-authenticated",
        /// Perhaps signed: a signature without a time, or one where none is read; an addition of
        /// ours to section 8. Unlike a draft it is nobody's to sign: a person looks.
        SignatureUnclear = "signature-unclear",
        /// Signed, but not final or not available.
        NotFinal = "not-final",
        /// Carries no number that names it; an addition of ours to section 8.
        NoDocumentNumber = "no-document-number",
        /// Not to be released to the GP.
        Restricted = "restricted",
        /// Names no practice.
        NoGpPractice = "no-gp-practice",
        /// Equal to one taken before. Known only to who remembers earlier documents.
        Duplicate = "duplicate",
    }
}

impl Reason {
    /// Whether this reason may stand beside a disposition.
    pub const fn is_for(self, disposition: Disposition) -> bool {
        match disposition {
            Disposition::Withdraw => matches!(self, Self::Cancelled),
            _ => self.disposition() as u8 == disposition as u8,
        }
    }

    /// The disposition that this reason leads to; a cancel notice without content is a
    /// withdrawal instead of a suppression.
    pub(crate) const fn disposition(self) -> Disposition {
        match self {
            Self::Ok => Disposition::Send,
            Self::Duplicate => Disposition::Duplicate,
            Self::Restricted | Self::Cancelled => Disposition::Suppress,
            Self::Empty
            | Self::TooLarge
            | Self::TooDeep
            | Self::XmlDtd
            | Self::Malformed
            | Self::ProcessingId
            | Self::SegmentMissing
            | Self::UnsupportedEvent => Disposition::Reject,
            _ => Disposition::Hold,
        }
    }
}

codes! {
    /// Something a person may want to know, which does not stop a document.
    Warning {
        /// The bytes are not in the character set they claim.
        CharsetMismatch = "charset-mismatch",
        /// Control characters were left out.
        ControlCharactersDropped = "control-characters-dropped",
        /// A London time that comes twice; the earlier was taken.
        AmbiguousLocalTime = "ambiguous-local-time",
        /// A London time that does not exist; one hour was added.
        NonexistentLocalTime = "nonexistent-local-time",
        /// Hidden text was left out.
        HiddenTextDropped = "hidden-text-dropped",
        /// Images are present, and are not text.
        ImagePresent = "image-present",
        /// Comments of an editor were left out.
        CommentsDropped = "comments-dropped",
        /// Segments end otherwise than with CR.
        SegmentTerminator = "segment-terminator",
        /// A byte order mark.
        Bom = "bom",
        /// The document it follows is not known. Known only to who remembers earlier documents.
        ParentUnknown = "parent-unknown",
        /// The source says that the patient has died.
        PatientDeceased = "patient-deceased",
        /// Neither code nor title tells the kind of document.
        UnknownDocumentType = "unknown-document-type",
        /// Bytes before a frame were dropped.
        BytesBeforeFrame = "bytes-before-frame",
        /// A frame ended without its last byte.
        UnterminatedFrame = "unterminated-frame",
        /// An escape sequence kept as it stands, or dropped as local; an addition of ours.
        EscapeNotUnderstood = "escape-not-understood",
        /// A symbol without a Unicode character that we know; an addition of ours.
        SymbolUnknown = "symbol-unknown",
        /// A line of the head says something that no label leads to; an addition of ours.
        HeadNotRead = "head-not-read",
        /// The identity inside an attachment could not be read; an addition of ours.
        AttachmentUnchecked = "attachment-unchecked",
    }
}

macro_rules! as_code {
    ($($type:ident)*) => {$(
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    )*};
}

as_code! { Disposition Reason Warning }
