use std::io;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};

/// A certificate and its key, both as PEM text.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PemPair {
    /// The certificate.
    pub certificate: String,
    /// Its private key in PKCS#8 form. It opens nothing but this server.
    pub key: String,
}

/// Certificates made for one server when it starts.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Certificates {
    /// The authority that signed the server's and the clients' certificates.
    pub ca: String,
    /// The server's own.
    pub server: PemPair,
    /// A client certificate that the server accepts.
    pub client: PemPair,
    /// One of another authority, which the server refuses.
    pub stranger: PemPair,
    /// One of the right authority that has expired, which the server refuses.
    pub expired: PemPair,
}

/// Name in the client certificate, by the service's rule (mesh-api section 2).
const CLIENT_NAME: &str = "server001.rt9.api.mesh-client.nhs.uk";

impl Certificates {
    pub(crate) fn make(server_names: &[String]) -> io::Result<Self> {
        Self::try_make(server_names).map_err(io::Error::other)
    }

    fn try_make(server_names: &[String]) -> Result<Self, rcgen::Error> {
        let (ca, issuer) = authority("Test MESH CA")?;
        let (_, other) = authority("Another CA")?;
        let client = || leaf(CLIENT_NAME, Vec::new(), ExtendedKeyUsagePurpose::ClientAuth);
        let mut expired = client()?;
        expired.not_before = date_time_ymd(2020, 1, 1);
        expired.not_after = date_time_ymd(2021, 1, 1);
        let server = leaf(
            "mesh test server",
            server_names.to_vec(),
            ExtendedKeyUsagePurpose::ServerAuth,
        )?;
        Ok(Self {
            ca,
            server: sign(&server, &issuer)?,
            client: sign(&client()?, &issuer)?,
            stranger: sign(&client()?, &other)?,
            expired: sign(&expired, &issuer)?,
        })
    }
}

fn authority(name: &str) -> Result<(String, Issuer<'static, KeyPair>), rcgen::Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?.pem();
    Ok((certificate, Issuer::new(params, key)))
}

fn leaf(
    name: &str,
    alternative_names: Vec<String>,
    usage: ExtendedKeyUsagePurpose,
) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(alternative_names)?;
    params.distinguished_name.push(DnType::CommonName, name);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![usage];
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2099, 1, 1);
    Ok(params)
}

fn sign(
    params: &CertificateParams,
    issuer: &Issuer<'static, KeyPair>,
) -> Result<PemPair, rcgen::Error> {
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, issuer)?.pem();
    Ok(PemPair {
        certificate,
        key: key.serialize_pem(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use mesh_client::{TlsError, TlsIdentity};

    #[test]
    fn every_pair_fits_and_the_expired_one_has_expired() {
        let made = Certificates::make(&["localhost".to_owned()]).unwrap();
        for pair in [&made.server, &made.client, &made.stranger, &made.expired] {
            TlsIdentity::from_pem(pair.certificate.as_bytes(), pair.key.as_bytes()).unwrap();
        }
        let expired = &made.expired;
        let expired =
            TlsIdentity::from_pem(expired.certificate.as_bytes(), expired.key.as_bytes()).unwrap();
        assert_eq!(
            expired.not_after().to_rfc3339(),
            "2021-01-01T00:00:00+00:00"
        );
        assert_eq!(expired.common_name(), Some(CLIENT_NAME));
        let crossed = TlsIdentity::from_pem(
            made.client.certificate.as_bytes(),
            made.server.key.as_bytes(),
        );
        assert_eq!(crossed.unwrap_err(), TlsError::KeyMismatch);
    }
}
