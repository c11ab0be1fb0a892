//! Header names, lower case as version 2 answers them (mesh-api sections 6, 7 and 10).

pub(crate) const ACCEPT: &str = "accept";
pub(crate) const ACCEPT_ENCODING: &str = "accept-encoding";
pub(crate) const CONTENT_ENCODING: &str = "content-encoding";
pub(crate) const CONTENT_LENGTH: &str = "content-length";
pub(crate) const CONTENT_TYPE: &str = "content-type";
pub(crate) const DATE: &str = "date";
pub(crate) const RETRY_AFTER: &str = "retry-after";
pub(crate) const TRANSFER_ENCODING: &str = "transfer-encoding";

pub(crate) const CLIENT_VERSION: &str = "mex-clientversion";
pub(crate) const OS_NAME: &str = "mex-osname";
pub(crate) const OS_VERSION: &str = "mex-osversion";
pub(crate) const OS_ARCHITECTURE: &str = "mex-osarchitecture";

pub(crate) const CHUNK_RANGE: &str = "mex-chunk-range";
pub(crate) const FILE_NAME: &str = "mex-filename";
pub(crate) const FROM: &str = "mex-from";
pub(crate) const LINKED_MESSAGE_ID: &str = "mex-linkedmsgid";
pub(crate) const LOCAL_ID: &str = "mex-localid";
pub(crate) const MESSAGE_ID: &str = "mex-messageid";
pub(crate) const MESSAGE_TYPE: &str = "mex-messagetype";
pub(crate) const MEX_CONTENT_TYPE: &str = "mex-content-type";
pub(crate) const STATUS_CODE: &str = "mex-statuscode";
pub(crate) const STATUS_DESCRIPTION: &str = "mex-statusdescription";
pub(crate) const STATUS_EVENT: &str = "mex-statusevent";
pub(crate) const STATUS_TIMESTAMP: &str = "mex-statustimestamp";
pub(crate) const SUBJECT: &str = "mex-subject";
pub(crate) const TO: &str = "mex-to";
pub(crate) const TOTAL_CHUNKS: &str = "mex-total-chunks";
pub(crate) const WORKFLOW_ID: &str = "mex-workflowid";
