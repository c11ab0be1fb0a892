use std::error::Error as StdError;
use std::io;

use chrono::{DateTime, Utc};
use rustls::{AlertDescription, CertificateError, InvalidMessage};

use super::builder::setting;
use crate::{CertificateFault, Error, Operation};

/// What is known of the connection when a request fails.
#[derive(Clone, Copy, Debug)]
pub(super) struct Circumstances {
    pub(super) operation: Operation,
    pub(super) now: DateTime<Utc>,
    /// When the client certificate ends, if one was given.
    pub(super) identity_expires: Option<DateTime<Utc>>,
}

const REASON_MAX: usize = 200;

/// Sorts a failure of the HTTP library by what it proves about the request.
///
/// A certificate alert comes from a handshake that the service did not finish, so it has read no
/// request, although under TLS 1.3 we may have written one already.
pub(super) fn sort(error: &reqwest::Error, at: Circumstances) -> Error {
    let operation = at.operation;
    if error.is_builder() {
        return setting("request", "a value cannot stand in an HTTP request").into();
    }
    let tls = tls_error(error);
    if let Some(fault) = tls.and_then(|tls| certificate_fault(tls, error.is_connect(), at)) {
        return Error::Certificate { operation, fault };
    }
    let reason = reason(error);
    if error.is_connect() {
        Error::Unreachable { operation, reason }
    } else {
        Error::Lost { operation, reason }
    }
}

/// The TLS library's error stands inside an I/O error, which hides it from `source`.
fn tls_error<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a rustls::Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(tls) = error.downcast_ref::<rustls::Error>() {
            return Some(tls);
        }
        let inner = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        next = match inner {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

fn certificate_fault(
    tls: &rustls::Error,
    while_connecting: bool,
    at: Circumstances,
) -> Option<CertificateFault> {
    match tls {
        rustls::Error::AlertReceived(alert) => refused_by_service(*alert, while_connecting, at),
        rustls::Error::InvalidCertificate(error) => Some(CertificateFault::Server {
            reason: server_fault(error),
        }),
        rustls::Error::PeerIncompatible(_) if while_connecting => {
            Some(CertificateFault::NoAgreement {
                reason: shorten(&tls.to_string()),
            })
        }
        _ => None,
    }
}

fn refused_by_service(
    alert: AlertDescription,
    while_connecting: bool,
    at: Circumstances,
) -> Option<CertificateFault> {
    use AlertDescription as Alert;
    let is_about_ours = matches!(
        alert,
        Alert::CertificateRequired
            | Alert::NoCertificate
            | Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::UnknownCA
            | Alert::AccessDenied
            | Alert::DecryptError
    ) || (while_connecting && alert == Alert::HandshakeFailure);
    let is_missing = at.identity_expires.is_none();
    match alert {
        _ if is_about_ours && is_missing => Some(CertificateFault::ClientMissing),
        _ if is_about_ours => Some(CertificateFault::ClientRefused {
            alert: format!("{alert:?}"),
            expired: expired(at),
        }),
        Alert::ProtocolVersion | Alert::InsufficientSecurity if while_connecting => {
            Some(CertificateFault::NoAgreement {
                reason: format!("alert {alert:?}"),
            })
        }
        _ => None,
    }
}

fn expired(at: Circumstances) -> String {
    match at.identity_expires {
        Some(end) if end < at.now => {
            format!("; it expired at {}", end.format("%Y-%m-%d %H:%M:%S UTC"))
        }
        _ => String::new(),
    }
}

fn server_fault(error: &CertificateError) -> String {
    use CertificateError as Fault;
    match error {
        Fault::UnknownIssuer => "it does not lead to a trusted certificate".to_owned(),
        Fault::Expired | Fault::ExpiredContext { .. } => "it has expired".to_owned(),
        Fault::NotValidYet | Fault::NotValidYetContext { .. } => "it is not valid yet".to_owned(),
        Fault::NotValidForName | Fault::NotValidForNameContext { .. } => {
            "it is for another host name".to_owned()
        }
        other => shorten(&other.to_string()),
    }
}

/// The innermost cause, since the outer ones repeat the address.
fn reason(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        let what = if error.is_connect() {
            "connecting"
        } else {
            "the exchange"
        };
        return format!("{what} took too long");
    }
    let mut cause: &dyn StdError = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    match tls_error(error) {
        Some(rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType)) => {
            "the other side does not speak TLS".to_owned()
        }
        Some(tls) => shorten(&tls.to_string()),
        None if cause.is::<reqwest::Error>() => "the request failed".to_owned(),
        None => shorten(&cause.to_string()),
    }
}

fn shorten(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control())
        .take(REASON_MAX)
        .collect()
}
