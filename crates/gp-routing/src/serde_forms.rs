//! Reading forms whose errors never repeat what was given: it may be about a patient.

use std::fmt;
use std::marker::PhantomData;

use chrono::{DateTime, NaiveDate, Utc};
use nhs_types::{BirthDate, Sensitive};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

use crate::due;

/// A text about a patient. A number is refused: it may have lost leading zeros (gp-routing 2.2).
pub(crate) fn private_text<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Sensitive<String>>, D::Error> {
    let text = deserializer.deserialize_any(PrivateText)?;
    Ok(text.map(Sensitive::new))
}

/// A text that may be misplaced patient data, such as a practice code typed by hand.
pub(crate) fn plain_text<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    deserializer.deserialize_any(PrivateText)
}

/// A birth date `CCYY-MM-DD`.
pub(crate) fn birth_date<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<BirthDate>, D::Error> {
    let text = deserializer.deserialize_any(PrivateText)?;
    text.map(|text| BirthDate::parse(&text).map_err(D::Error::custom))
        .transpose()
}

/// A birth date as a national record gives it: one that is not a whole day is not known.
pub(crate) fn birth_date_if_whole<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<BirthDate>, D::Error> {
    let text = deserializer.deserialize_any(PrivateText)?;
    Ok(text.and_then(|text| BirthDate::parse(&text).ok()))
}

/// A time RFC 3339, or a day, which stands for its first moment in London.
pub(crate) fn moment<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<DateTime<Utc>>, D::Error> {
    let text = deserializer.deserialize_any(PrivateText)?;
    text.map(|text| read_moment(&text).ok_or_else(|| D::Error::custom(MOMENT)))
        .transpose()
}

const MOMENT: &str = "a time is CCYY-MM-DD or RFC 3339 with its offset";

fn read_moment(text: &str) -> Option<DateTime<Utc>> {
    let time = DateTime::parse_from_rfc3339(text).map(|at| at.to_utc());
    time.or_else(|_| text.parse::<NaiveDate>().map(due::start_of_day))
        .ok()
}

/// Whether a person died: `true`, `false`, or the date of death, whole or partial.
pub(crate) fn deceased<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    struct Deceased;
    impl Visitor<'_> for Deceased {
        type Value = bool;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("true, false or a date of death")
        }

        fn visit_bool<E: Error>(self, value: bool) -> Result<bool, E> {
            Ok(value)
        }

        fn visit_str<E: Error>(self, value: &str) -> Result<bool, E> {
            Ok(!value.trim().is_empty())
        }

        fn visit_unit<E: Error>(self) -> Result<bool, E> {
            Ok(false)
        }

        fn visit_u64<E: Error>(self, _: u64) -> Result<bool, E> {
            Ok(true)
        }
    }
    deserializer.deserialize_any(Deceased)
}

/// Reads a text in one way and an object in another, so that unknown members are named.
pub(crate) fn text_or_map<'de, D, T, M>(
    deserializer: D,
    from_text: fn(&str) -> Result<T, String>,
    from_map: fn(M) -> T,
) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    M: Deserialize<'de>,
{
    deserializer.deserialize_any(TextOrMap {
        from_text,
        from_map,
        map: PhantomData,
    })
}

struct TextOrMap<T, M> {
    from_text: fn(&str) -> Result<T, String>,
    from_map: fn(M) -> T,
    map: PhantomData<M>,
}

impl<'de, T, M: Deserialize<'de>> Visitor<'de> for TextOrMap<T, M> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or an object")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        (self.from_text)(text).map_err(E::custom)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<T, E> {
        Err(E::custom("must be a text in quotes or an object"))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        M::deserialize(MapAccessDeserializer::new(map)).map(self.from_map)
    }
}

struct PrivateText;

const AS_TEXT: &str = "must be a text in quotes: a number may have lost leading zeros";

impl Visitor<'_> for PrivateText {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Some(text.to_owned()))
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Self::Value, E> {
        Err(E::custom(AS_TEXT))
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> {
        Err(E::custom(AS_TEXT))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
        Err(E::custom(AS_TEXT))
    }
}
