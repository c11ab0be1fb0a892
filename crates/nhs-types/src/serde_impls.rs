//! Reading goes through the same checks as `parse`; what is refused is never repeated in the error.

use std::borrow::Cow;

use serde::de::Error as _;
use serde::ser::SerializeStruct as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{
    Address, BirthDate, Finding, Location, MailboxId, NhsNumber, OdsCode, PersonName, Postcode,
    Report, RuleId, Sensitive, Severity, Sex, WorkflowId,
};

macro_rules! as_text {
    ($($type:ident: $write:expr, $read:expr;)*) => {$(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let write: fn(&Self) -> Cow<'_, str> = $write;
                serializer.serialize_str(&write(self))
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = Cow::<'de, str>::deserialize(deserializer)?;
                $read(&text).map_err(D::Error::custom)
            }
        }
    )*};
}

as_text! {
    NhsNumber: |value| value.expose().into(), Self::parse;
    OdsCode: |value| value.as_str().into(), Self::parse;
    MailboxId: |value| value.as_str().into(), Self::parse;
    WorkflowId: |value| value.as_str().into(), Self::parse;
    Postcode: |value| value.expose().into(), Self::parse;
    BirthDate: |value| value.expose().to_string().into(), Self::parse;
    Sex: |value| value.letter().to_string().into(), read_sex;
    Severity: |value| value.as_str().into(), read_severity;
    RuleId: |value| value.as_str().into(), read_rule;
    Location: |value| value.to_string().into(), read_location;
}

fn read_sex(text: &str) -> Result<Sex, &'static str> {
    Sex::from_code(text).ok_or("sex is one of M, F, U, X or 1, 2, 0, 9")
}

fn read_severity(text: &str) -> Result<Severity, &'static str> {
    [Severity::Note, Severity::Warning, Severity::Error]
        .into_iter()
        .find(|severity| severity.as_str() == text)
        .ok_or("severity is one of note, warning, error")
}

fn read_rule(text: &str) -> Result<RuleId, &'static str> {
    Ok(RuleId::from_owned(text.to_owned()))
}

fn read_location(text: &str) -> Result<Location, &'static str> {
    let number = |prefix: &str| text.strip_prefix(prefix).and_then(|rest| rest.parse().ok());
    Ok(match (number("line "), number("byte ")) {
        _ if text == "whole" => Location::Whole,
        (Some(line), _) => Location::Line(line),
        (_, Some(offset)) => Location::Offset(offset),
        _ => Location::Named(text.to_owned()),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NameForm<'a> {
    #[serde(borrow)]
    family: Cow<'a, str>,
    #[serde(borrow, default)]
    given: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    title: Option<Cow<'a, str>>,
}

impl Serialize for PersonName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let parts = self.expose();
        let mut form = serializer.serialize_struct("PersonName", 3)?;
        form.serialize_field("family", parts.family)?;
        form.serialize_field("given", &parts.given)?;
        form.serialize_field("title", &parts.title)?;
        form.end()
    }
}

impl<'de> Deserialize<'de> for PersonName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let form = NameForm::deserialize(deserializer)?;
        Self::new(&form.family, form.given.as_deref(), form.title.as_deref())
            .map_err(D::Error::custom)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AddressForm {
    #[serde(default)]
    lines: Vec<String>,
    #[serde(default)]
    postcode: Option<Postcode>,
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut form = serializer.serialize_struct("Address", 2)?;
        form.serialize_field("lines", self.expose_lines())?;
        form.serialize_field("postcode", &self.postcode())?;
        form.end()
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let form = AddressForm::deserialize(deserializer)?;
        Self::new(form.lines.iter().map(String::as_str), form.postcode).map_err(D::Error::custom)
    }
}

impl<T: Serialize> Serialize for Sensitive<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.expose().serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Sensitive<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self::new)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FindingForm {
    rule: RuleId,
    severity: Severity,
    place: Location,
    message: String,
}

impl Serialize for Finding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut form = serializer.serialize_struct("Finding", 4)?;
        form.serialize_field("rule", &self.rule)?;
        form.serialize_field("severity", &self.severity)?;
        form.serialize_field("place", &self.place)?;
        form.serialize_field("message", &self.message)?;
        form.end()
    }
}

impl<'de> Deserialize<'de> for Finding {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let form = FindingForm::deserialize(deserializer)?;
        Ok(Self::new(
            form.rule,
            form.severity,
            form.place,
            form.message,
        ))
    }
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.findings().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Report {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::<Finding>::deserialize(deserializer).map(Self::from_iter)
    }
}
