//! The life of letters and their copies: state machines, a synchronous engine, ports for store and transport.
