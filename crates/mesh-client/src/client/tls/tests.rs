use rcgen::{CertificateParams, DnType, KeyPair};

use super::*;

fn pair(key: &KeyPair) -> (String, String) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params
        .distinguished_name
        .push(DnType::CommonName, "server001.rt9.api.mesh-client.nhs.uk");
    params.not_after = rcgen::date_time_ymd(2027, 1, 2);
    (params.self_signed(key).unwrap().pem(), key.serialize_pem())
}

fn identity(certificate: &str, key: &str) -> Result<TlsIdentity, TlsError> {
    TlsIdentity::from_pem(certificate.as_bytes(), key.as_bytes())
}

fn pem(label: &str, der: &[u8]) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in der.chunks(3) {
        let bytes = [
            group[0],
            *group.get(1).unwrap_or(&0),
            *group.get(2).unwrap_or(&0),
        ];
        let number = u32::from_be_bytes([0, bytes[0], bytes[1], bytes[2]]);
        for place in 0..4 {
            let index = usize::try_from((number >> (18 - 6 * place)) & 0x3F).unwrap();
            let is_padding = place > group.len();
            text.push(if is_padding {
                '='
            } else {
                char::from(ALPHABET[index])
            });
        }
    }
    let lines: Vec<_> = text
        .as_bytes()
        .chunks(64)
        .map(String::from_utf8_lossy)
        .collect();
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        lines.join("\n")
    )
}

/// RFC 5915: version 1, the private number, the public point; the inner part of PKCS#8.
fn sec1_of(key: &KeyPair) -> String {
    let pkcs8 = key.serialize_der();
    let at = pkcs8
        .windows(4)
        .position(|bytes| bytes == [0x02, 0x01, 0x01, 0x04])
        .unwrap();
    let content = &pkcs8[at..];
    let length = u8::try_from(content.len()).unwrap();
    pem("EC PRIVATE KEY", &[&[0x30, length], content].concat())
}

#[test]
fn name_and_last_day_are_read() {
    let (certificate, key) = pair(&KeyPair::generate().unwrap());
    let identity = identity(&certificate, &key).unwrap();
    assert_eq!(
        identity.not_after().to_rfc3339(),
        "2027-01-02T00:00:00+00:00"
    );
    assert_eq!(
        identity.common_name(),
        Some("server001.rt9.api.mesh-client.nhs.uk")
    );
    assert!(format!("{identity:?}").contains("server001"));
}

#[test]
fn certificate_and_key_may_stand_in_one_text() {
    let (certificate, key) = pair(&KeyPair::generate().unwrap());
    let both = format!("{key}{certificate}");
    assert!(identity(&both, &both).is_ok());
}

#[test]
fn a_sec1_key_is_read() {
    let generated = KeyPair::generate().unwrap();
    let (certificate, _) = pair(&generated);
    identity(&certificate, &sec1_of(&generated)).unwrap();
}

#[test]
fn what_is_wrong_is_told_by_type() {
    let (certificate, key) = pair(&KeyPair::generate().unwrap());
    let (_, other) = pair(&KeyPair::generate().unwrap());
    let error = |certificate: &str, key: &str| identity(certificate, key).unwrap_err();
    assert_eq!(error("", &key), TlsError::NoCertificate);
    assert_eq!(error(&key, &key), TlsError::NoCertificate);
    assert_eq!(error(&certificate, ""), TlsError::NoKey);
    assert_eq!(error(&certificate, &certificate), TlsError::NoKey);
    assert_eq!(error(&certificate, &other), TlsError::KeyMismatch);
    let encrypted = key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    assert_eq!(error(&certificate, &encrypted), TlsError::EncryptedKey);
    let cut = key.get(..key.len() / 2).unwrap();
    assert!(matches!(
        error(&certificate, cut),
        TlsError::Unreadable {
            what: "private key",
            ..
        }
    ));
    let damaged = pem("CERTIFICATE", b"no certificate");
    let what = "certificate";
    assert!(matches!(error(&damaged, &key), TlsError::Unreadable { what: w, .. } if w == what));
}

#[test]
fn no_error_repeats_the_key() {
    let (certificate, key) = pair(&KeyPair::generate().unwrap());
    let secret_line = key.lines().nth(1).unwrap();
    let broken = key.replace(secret_line, &format!("!{secret_line}"));
    for text in [
        &broken,
        key.get(..60).unwrap(),
        &key.replace("-----END", ""),
    ] {
        if let Err(error) = identity(&certificate, text) {
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains(secret_line.get(..20).unwrap()), "{shown}");
        }
    }
}

#[test]
fn trust_needs_a_certificate() {
    assert_eq!(
        TrustAnchors::from_pem(b"").unwrap_err(),
        TlsError::NoCertificate
    );
    let (certificate, _) = pair(&KeyPair::generate().unwrap());
    let trust = TrustAnchors::from_pem(certificate.as_bytes()).unwrap();
    assert_eq!(format!("{trust:?}"), "TrustAnchors { certificates: 1 }");
}
