//! The model store passes the cases that every store must pass.

use letter_delivery::testkit::{ModelPlace, ready};

letter_delivery::store_conformance!(Some(ModelPlace::default()), ready);
