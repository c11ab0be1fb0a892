//! The query of a request.

/// The values of `name=value&…`, decoded; `None` when it is none.
pub(super) fn pairs(query: &str) -> Option<Vec<(String, String)>> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=')?;
            Some((decode(name)?, decode(value)?))
        })
        .collect()
}

fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let high = char::from(rest.next()?).to_digit(16)?;
                let low = char::from(rest.next()?).to_digit(16)?;
                u8::try_from(high * 16 + low).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_decoded_once() {
        let found = pairs("document=W%2F0001%2525&source=epr+2&").unwrap();
        let found: Vec<_> = found.iter().map(|(n, v)| (&**n, &**v)).collect();
        assert_eq!(found, [("document", "W/0001%25"), ("source", "epr 2")]);
        assert_eq!(pairs(""), Some(vec![]));
    }

    #[test]
    fn what_is_no_query_is_refused() {
        for wrong in [
            "document",
            "document=%",
            "document=%4",
            "document=%zz",
            "a=%ff",
        ] {
            assert_eq!(pairs(wrong), None, "{wrong}");
        }
    }
}
