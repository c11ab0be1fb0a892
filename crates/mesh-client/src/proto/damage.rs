/// What is wrong with an answer that claims success.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Damage {
    /// The status is no success of this operation and no error either.
    #[error("that is no answer to this operation")]
    UnexpectedStatus,
    /// The body is no JSON, for instance a page of a gateway.
    #[error("the body is not JSON")]
    NotJson,
    /// The JSON lacks something or has it in another form.
    #[error("the body has no usable {member}")]
    Member {
        /// Name of the member.
        member: &'static str,
    },
    /// The packed body breaks off before its end.
    #[error("the packed body is cut short")]
    GzipCut,
    /// The packed body is damaged, or its checksum or length is wrong.
    #[error("the packed body is damaged")]
    GzipDamaged,
    /// Bytes follow the packed body that are no further part of it.
    #[error("{bytes} bytes follow the packed body")]
    GzipTrailing {
        /// How many.
        bytes: usize,
    },
    /// A `Content-Encoding` that was not asked for.
    #[error("the content encoding is neither gzip nor identity")]
    Encoding,
    /// The body is shorter or longer than its `Content-Length`.
    #[error("the body has {got} bytes instead of {expected}")]
    Length {
        /// What the header says.
        expected: u64,
        /// What came.
        got: u64,
    },
    /// Nothing in the answer tells where its body ends, so a cut could not be seen.
    #[error("nothing tells where the body ends")]
    NoLength,
    /// A chunk range that cannot be read, or does not fit to what was asked for.
    #[error("the chunk range is `{got}` where {expected} was expected")]
    ChunkRange {
        /// What was expected.
        expected: String,
        /// What came.
        got: String,
    },
    /// No header of the answer tells of a message: it is a gateway's page.
    #[error("it does not come from a MESH service")]
    NotMesh,
    /// The answer belongs to another message.
    #[error("the answer is about another message")]
    OtherMessage,
    /// More than the limit that the client was given.
    #[error("it is larger than the limit of {max} bytes")]
    TooLarge {
        /// The limit.
        max: usize,
    },
    /// More chunks than any message has.
    #[error("it has {count} chunks, at most {max} are allowed")]
    TooManyChunks {
        /// What the answer says.
        count: u32,
        /// The limit.
        max: u32,
    },
}

impl Damage {
    /// True when asking again will give the same.
    pub fn is_lasting(&self) -> bool {
        matches!(
            self,
            Self::TooLarge { .. } | Self::TooManyChunks { .. } | Self::Encoding
        )
    }
}
