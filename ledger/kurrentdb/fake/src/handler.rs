//! Between the functions that answer and the gRPC library.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::sync::mpsc;
use tonic::{Request, Response, Status};
use tower_service::Service;

/// A function from a request's message, or messages, to the answer's.
pub(crate) struct Handler<F>(pub(crate) F);

impl<F, M, A, R> Service<Request<M>> for Handler<F>
where
    F: FnMut(M) -> A,
    A: Future<Output = Result<R, Status>> + Send + 'static,
{
    type Response = Response<R>;
    type Error = Status;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, Status>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, req: Request<M>) -> Self::Future {
        let answer = (self.0)(req.into_inner());
        Box::pin(async move { answer.await.map(Response::new) })
    }
}

/// Answers as they come.
pub(crate) struct Answers<T>(pub(crate) mpsc::Receiver<Result<T, Status>>);

impl<T> tokio_stream::Stream for Answers<T> {
    type Item = Result<T, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(cx)
    }
}
