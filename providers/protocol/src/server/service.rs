//! Finds the method for the path of a call.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use prost::Message;
use tokio::sync::{mpsc, watch};
use tonic::body::Body;
use tonic::codegen::http;
use tonic::codegen::tokio_stream::Stream;
use tonic::server::{Grpc, ServerStreamingService, StreamingService, UnaryService};
use tonic::{Request, Response, Status, Streaming};
use tonic_prost::ProstCodec;

use super::provider::Served;
use crate::MESSAGE_LIMIT;
use crate::messages::side::{ConnInfo, HealthCheckRequest, HealthCheckResponse, ServingStatus, StdioData};
use crate::messages::{
    ActionProgress, ConfigRequest, DiagnosticsResponse, Empty, InvokeActionEvent, InvokeActionEventType,
};
use crate::method::{Method, Version, side, unary_calls};

/// The end of a plugin, as a host asks for it.
#[derive(Clone)]
pub struct Shutdown(Arc<watch::Sender<bool>>);

impl Default for Shutdown {
    fn default() -> Shutdown {
        Shutdown(Arc::new(watch::Sender::new(false)))
    }
}

impl Shutdown {
    fn ask(&self) {
        self.0.send_replace(true);
    }

    /// Waits until a host asked for it.
    pub async fn asked(&self) {
        // The sender lives as long as this.
        let _ = self.0.subscribe().wait_for(|asked| *asked).await;
    }
}

/// All services of a plugin.
#[derive(Clone)]
pub struct Service {
    served: Arc<Served>,
    shutdown: Shutdown,
}

impl Service {
    pub fn new(served: Arc<Served>, shutdown: Shutdown) -> Service {
        Service { served, shutdown }
    }
}

type Answer = http::Response<Body>;

impl tonic::codegen::Service<http::Request<Body>> for Service {
    type Response = Answer;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Answer, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let service = self.clone();
        Box::pin(async move { Ok(service.answer(request).await) })
    }
}

impl Service {
    async fn answer(self, request: http::Request<Body>) -> Answer {
        match request.uri().path() {
            side::SHUTDOWN => {
                let shutdown = self.shutdown;
                unary(request, |_: Empty| async move {
                    shutdown.ask();
                    Ok(Empty {})
                })
                .await
            }
            side::HEALTH => {
                unary(request, |_: HealthCheckRequest| async {
                    Ok(HealthCheckResponse { status: ServingStatus::Serving.into() })
                })
                .await
            }
            side::STREAM_STDIO => {
                grpc::<Empty, StdioData>().server_streaming(Silent(self.shutdown), request).await
            }
            side::BROKER => grpc::<ConnInfo, ConnInfo>().streaming(Silent(self.shutdown), request).await,
            path if path == Method::InvokeAction.path(Version::V6) => {
                grpc::<ConfigRequest, InvokeActionEvent>()
                    .server_streaming(Invoking(self.served), request)
                    .await
            }
            _ => self.provider(request).await,
        }
    }
}

macro_rules! dispatch {
    ($($(#[$doc:meta])* $six:ident, $_five:literal, $rust:ident($request:ty) -> $response:ty;)*) => {
        impl Service {
            async fn provider(self, request: http::Request<Body>) -> Answer {
                let served = self.served;
                $(
                    if request.uri().path() == Method::$six.path(Version::V6) {
                        return unary(request, move |q| async move { served.$rust(q).await }).await;
                    }
                )*
                Status::unimplemented("this provider has no such method").into_http()
            }
        }
    };
}

unary_calls!(dispatch);

fn grpc<Q, R>() -> Grpc<ProstCodec<R, Q>>
where
    Q: Message + Default + Send + Sync + 'static,
    R: Message + Default + Send + Sync + 'static,
{
    Grpc::new(ProstCodec::default())
        .max_decoding_message_size(MESSAGE_LIMIT)
        .max_encoding_message_size(MESSAGE_LIMIT)
}

async fn unary<Q, R, F, A>(request: http::Request<Body>, f: F) -> Answer
where
    Q: Message + Default + Send + Sync + 'static,
    R: Message + Default + Send + Sync + 'static,
    F: FnOnce(Q) -> A,
    A: Future<Output = Result<R, Status>> + Send + 'static,
{
    grpc::<Q, R>().unary(Once(Some(f)), request).await
}

/// A call that comes once, since there is one for each request.
struct Once<F>(Option<F>);

impl<Q, R, F, A> UnaryService<Q> for Once<F>
where
    R: Send + 'static,
    F: FnOnce(Q) -> A,
    A: Future<Output = Result<R, Status>> + Send + 'static,
{
    type Response = R;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, Status>> + Send>>;

    fn call(&mut self, request: Request<Q>) -> Self::Future {
        let f = self.0.take().expect("a request is answered once");
        // On a task of its own: a call goes on when the host hangs up, and a panic ends it alone.
        let answer = tokio::spawn(f(request.into_inner()));
        Box::pin(async move { answer.await.unwrap_or_else(|error| Err(lost(error))).map(Response::new) })
    }
}

/// What the host is told of a call that did not end with an answer.
fn lost(error: tokio::task::JoinError) -> Status {
    let said = error.try_into_panic().ok().and_then(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        text.or_else(|| panic.downcast_ref::<String>().cloned())
    });
    Status::internal(format!("the provider panicked: {}", said.unwrap_or_else(|| "no reason given".into())))
}

/// Invokes an action. It runs on a task of its own, so that it goes on when the host hangs up.
struct Invoking(Arc<Served>);

/// What an action says, as it comes.
struct Said(mpsc::UnboundedReceiver<Result<InvokeActionEvent, Status>>);

impl Stream for Said {
    type Item = Result<InvokeActionEvent, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context)
    }
}

impl ServerStreamingService<ConfigRequest> for Invoking {
    type Response = InvokeActionEvent;
    type ResponseStream = Said;
    type Future = std::future::Ready<Result<Response<Said>, Status>>;

    fn call(&mut self, request: Request<ConfigRequest>) -> Self::Future {
        let (sender, receiver) = mpsc::unbounded_channel();
        let served = self.0.clone();
        tokio::spawn(async move {
            // Nobody listens to what is said after the host hung up.
            let event = |event| InvokeActionEvent { r#type: Some(event) };
            let said = sender.clone();
            let progress = Arc::new(move |message: ecow::EcoString| {
                let message = ActionProgress { message: message.to_string() };
                let _ = said.send(Ok(event(InvokeActionEventType::Progress(message))));
            });
            let request = request.into_inner();
            let invoked = tokio::spawn(async move { served.invoke_action(request, progress).await }).await;
            let _ = sender.send(match invoked {
                Ok(Some(diagnostics)) => {
                    Ok(event(InvokeActionEventType::Completed(DiagnosticsResponse { diagnostics })))
                }
                Ok(None) => Err(Status::unknown("nobody knows what became of the action")),
                Err(error) => Err(lost(error)),
            });
        });
        std::future::ready(Ok(Response::new(Said(receiver))))
    }
}

/// A stream on which nothing comes until the plugin ends: what it prints goes to its real output, and it offers no
/// further connections.
struct Silent(Shutdown);

/// The stream of [`Silent`].
struct Nothing<R>(Pin<Box<dyn Future<Output = Option<R>> + Send>>);

impl<R> Stream for Nothing<R> {
    type Item = Result<R, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll(context).map(|item| item.map(Ok))
    }
}

impl Silent {
    fn stream<R>(&self) -> Nothing<R> {
        let shutdown = self.0.clone();
        Nothing(Box::pin(async move {
            shutdown.asked().await;
            None
        }))
    }
}

impl ServerStreamingService<Empty> for Silent {
    type Response = StdioData;
    type ResponseStream = Nothing<StdioData>;
    type Future = std::future::Ready<Result<Response<Nothing<StdioData>>, Status>>;

    fn call(&mut self, _: Request<Empty>) -> Self::Future {
        std::future::ready(Ok(Response::new(self.stream())))
    }
}

impl StreamingService<ConnInfo> for Silent {
    type Response = ConnInfo;
    type ResponseStream = Nothing<ConnInfo>;
    type Future = std::future::Ready<Result<Response<Nothing<ConnInfo>>, Status>>;

    fn call(&mut self, _: Request<Streaming<ConnInfo>>) -> Self::Future {
        std::future::ready(Ok(Response::new(self.stream())))
    }
}
