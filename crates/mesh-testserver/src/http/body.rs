use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Sleep, sleep};

/// The body of an answer: all of it, or its beginning before the connection breaks.
pub(super) enum Payload {
    Whole(Option<Bytes>),
    Broken {
        start: Option<Bytes>,
        pause: Pin<Box<Sleep>>,
    },
}

/// Time for the beginning to leave before the connection is closed.
const PAUSE: Duration = Duration::from_millis(30);

impl Payload {
    pub(super) fn whole(body: Bytes) -> Self {
        Self::Whole((!body.is_empty()).then_some(body))
    }

    pub(super) fn broken(start: Bytes) -> Self {
        let start = (!start.is_empty()).then_some(start);
        Self::Broken {
            start,
            pause: Box::pin(sleep(PAUSE)),
        }
    }
}

impl Body for Payload {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match self.get_mut() {
            Self::Whole(body) => Poll::Ready(body.take().map(|body| Ok(Frame::data(body)))),
            Self::Broken { start, pause } => match start.take() {
                Some(start) => Poll::Ready(Some(Ok(Frame::data(start)))),
                None => pause
                    .as_mut()
                    .poll(cx)
                    .map(|()| Some(Err(io::Error::other("a fault")))),
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(body) => {
                let bytes = body.as_ref().map_or(0, Bytes::len);
                SizeHint::with_exact(u64::try_from(bytes).unwrap_or(u64::MAX))
            }
            Self::Broken { .. } => SizeHint::default(),
        }
    }
}
