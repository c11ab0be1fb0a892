//! An in-process NHS MESH service with mutual TLS and faults, for tests.
