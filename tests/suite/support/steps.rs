//! A handler that is stopped on its way, so that something else can happen there.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use tokio::sync::Notify;

/// A handler under way. It waits for the database, or for a password to be checked, and goes on only when told to.
pub struct Steps<'a, T> {
    handler: Pin<Box<dyn Future<Output = T> + 'a>>,
    done: Arc<Done>,
}

struct Done(Notify);

impl Wake for Done {
    fn wake(self: Arc<Self>) {
        self.0.notify_one();
    }
}

impl<'a, T> Steps<'a, T> {
    pub fn of(handler: impl Future<Output = T> + 'a) -> Self {
        Self {
            handler: Box::pin(handler),
            done: Arc::new(Done(Notify::new())),
        }
    }

    /// Let it go on until the work it waits for has had this effect. It is not told that the work is done.
    pub async fn until(&mut self, effect: impl Fn() -> bool) {
        let waker = Waker::from(self.done.clone());
        while !effect() {
            let polled = self.handler.as_mut().poll(&mut Context::from_waker(&waker));
            assert!(matches!(polled, Poll::Pending), "it went too far");
            self.done.0.notified().await;
        }
    }

    /// All that is left.
    pub async fn rest(self) -> T {
        self.handler.await
    }
}
