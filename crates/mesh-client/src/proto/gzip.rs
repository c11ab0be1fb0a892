use std::io::{self, Read};

use flate2::bufread::GzDecoder;

use super::Damage;

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Unpacks a body by its `Content-Encoding`: none, `identity` or `gzip`.
///
/// # Errors
///
/// [`Damage::Encoding`], [`Damage::TooLarge`], and for gzip those of [`decode_gzip`].
pub fn decode_body(encoding: Option<&str>, body: Vec<u8>, max: usize) -> Result<Vec<u8>, Damage> {
    match encoding
        .map(|text| text.trim().to_ascii_lowercase())
        .as_deref()
    {
        None | Some("" | "identity") if body.len() > max => Err(Damage::TooLarge { max }),
        None | Some("" | "identity") => Ok(body),
        Some("gzip" | "x-gzip") => decode_gzip(&body, max),
        Some(_) => Err(Damage::Encoding),
    }
}

/// Unpacks gzip, all of it or nothing (mesh-api section 10): every member with its checksum and
/// length, nothing cut, nothing behind the last trailer, not more than `max` bytes.
///
/// # Errors
///
/// [`Damage::GzipCut`], [`Damage::GzipDamaged`], [`Damage::GzipTrailing`] and
/// [`Damage::TooLarge`].
///
/// ```
/// use mesh_client::proto::{Damage, decode_gzip};
/// assert_eq!(decode_gzip(b"", 100), Err(Damage::GzipCut));
/// assert_eq!(decode_gzip(b"a letter that was never packed", 100), Err(Damage::GzipDamaged));
/// ```
pub fn decode_gzip(packed: &[u8], max: usize) -> Result<Vec<u8>, Damage> {
    let mut unpacked = Vec::new();
    let mut rest = member(packed, &mut unpacked, max)?;
    while rest.starts_with(&GZIP_MAGIC) {
        rest = member(rest, &mut unpacked, max)?;
    }
    match rest.len() {
        0 => Ok(unpacked),
        bytes => Err(Damage::GzipTrailing { bytes }),
    }
}

/// Unpacks one member and gives what follows it.
fn member<'a>(packed: &'a [u8], out: &mut Vec<u8>, max: usize) -> Result<&'a [u8], Damage> {
    let room = max.saturating_sub(out.len());
    let limit = u64::try_from(room).unwrap_or(u64::MAX).saturating_add(1);
    let mut reader = GzDecoder::new(packed).take(limit);
    reader.read_to_end(out).map_err(|error| damage(&error))?;
    if out.len() > max {
        return Err(Damage::TooLarge { max });
    }
    Ok(reader.into_inner().into_inner())
}

fn damage(error: &io::Error) -> Damage {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Damage::GzipCut,
        _ => Damage::GzipDamaged,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use proptest::prelude::*;
    use std::io::Write as _;

    const MAX: usize = 1 << 20;

    fn gzip(data: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn several_members_are_one_body() {
        let packed = [gzip(b"first "), gzip(b""), gzip(b"second")].concat();
        assert_eq!(decode_gzip(&packed, MAX).unwrap(), b"first second");
    }

    #[test]
    fn bytes_behind_the_trailer_are_refused() {
        let packed = [gzip(b"letter"), b"xy".to_vec()].concat();
        assert_eq!(
            decode_gzip(&packed, MAX),
            Err(Damage::GzipTrailing { bytes: 2 })
        );
        let padded = [gzip(b"letter"), vec![0; 8]].concat();
        assert_eq!(
            decode_gzip(&padded, MAX),
            Err(Damage::GzipTrailing { bytes: 8 })
        );
    }

    #[test]
    fn a_second_member_that_is_cut_is_refused() {
        let second = gzip(b"second");
        let packed = [gzip(b"first"), second[..second.len() - 1].to_vec()].concat();
        assert_eq!(decode_gzip(&packed, MAX), Err(Damage::GzipCut));
    }

    #[test]
    fn size_at_its_limit() {
        let packed = gzip(&vec![b'a'; 1000]);
        assert_eq!(decode_gzip(&packed, 1000).unwrap().len(), 1000);
        assert_eq!(
            decode_gzip(&packed, 999),
            Err(Damage::TooLarge { max: 999 })
        );
        let twice = [packed.clone(), packed].concat();
        assert_eq!(decode_gzip(&twice, 2000).unwrap().len(), 2000);
        assert_eq!(
            decode_gzip(&twice, 1999),
            Err(Damage::TooLarge { max: 1999 })
        );
        assert_eq!(decode_body(None, vec![0; 10], 10).unwrap().len(), 10);
        assert_eq!(
            decode_body(None, vec![0; 11], 10),
            Err(Damage::TooLarge { max: 10 })
        );
    }

    #[test]
    fn the_header_decides_and_nothing_else() {
        let packed = gzip(b"letter");
        assert_eq!(decode_body(None, packed.clone(), MAX).unwrap(), packed);
        assert_eq!(
            decode_body(Some("GZIP"), packed.clone(), MAX).unwrap(),
            b"letter"
        );
        assert_eq!(decode_body(Some("br"), packed, MAX), Err(Damage::Encoding));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn any_cut_is_seen(data in prop::collection::vec(any::<u8>(), 0..400), at in any::<prop::sample::Index>()) {
            let packed = gzip(&data);
            let cut = &packed[..at.index(packed.len())];
            prop_assert!(decode_gzip(cut, MAX).is_err());
        }

        // A flip in the header's time or system byte changes no content; whatever is given out
        // is what was put in.
        #[test]
        fn any_flip_is_seen_or_harmless(
            data in prop::collection::vec(any::<u8>(), 0..400),
            at in any::<prop::sample::Index>(),
            bit in 0_u8..8,
        ) {
            let mut packed = gzip(&data);
            let at = at.index(packed.len());
            packed[at] ^= 1 << bit;
            match decode_gzip(&packed, MAX) {
                Err(_) => {}
                Ok(unpacked) => prop_assert_eq!(unpacked, data),
            }
        }

        #[test]
        fn no_bytes_make_it_panic(data in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode_gzip(&data, 64);
            let _ = decode_gzip(&[&[0x1f, 0x8b, 8, 0][..], &data].concat(), 64);
        }
    }
}
