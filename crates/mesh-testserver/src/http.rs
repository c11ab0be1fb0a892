mod body;
mod connection;

pub(crate) use connection::serve;

/// Largest body of one request (mesh-api section 19).
pub(crate) const BODY_MAX: usize = 100 * 1024 * 1024;
