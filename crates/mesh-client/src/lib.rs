//! The NHS MESH API for a client: protocol without I/O, and an async client.
