//! The pipeline of a letter as a library: intake, routing, shaping, sending over MESH, following up.
