//! Who waits for news of resources, and how they hear of it.
//!
//! 1. A legacy client subscribes to a resource, or has listed them; a modern one listens. What it
//!    waits for is read at once, by the verbs, and refused as a read is.
//! 2. A [`Watch`] remembers what each thing was like. As long as anybody has subscribed, it asks
//!    once a second whether anything has changed in the store, in whichever process, and looks
//!    again only then, or when something is over by the clock. Our own session's calls make it ask
//!    at once.
//! 3. It looks by the same verbs and as the same principal, so that nobody hears of what they may
//!    not see. What is refused is watched no longer; who is known no longer hears no more, and a
//!    stream of theirs ends.

use std::{sync::Arc, time::Duration};

use rmcp::{
    ErrorData, Peer, RoleServer,
    model::{ErrorCode, ResourceUpdatedNotificationParam, SubscriptionFilter},
    service::{RequestContext, SubscriptionContext, SubscriptionSink},
};
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore, watch};
use tokio_util::sync::CancellationToken;

use super::{Server, error, resources};
use crate::{
    authority::{Error, Mark},
    authz::Request,
    crypto::digest::Digest,
    domain::clock::Time,
    wire::problem::Problem,
};

/// How many things one session may wait for; each may cost a read whenever something changes.
const MOST: usize = 128;

/// How many streams it may have open. Each holds the place of a call in flight while it lasts.
const MOST_STREAMS: usize = 16;

/// How often the store is asked whether anything has changed, while somebody waits.
const EVERY: Duration = Duration::from_secs(1);

/// That the client has gone, or soon will have to: whatever waits for news ends. A transport puts
/// it beside every request.
#[derive(Clone, Debug)]
pub(super) struct End(pub(super) CancellationToken);

/// Everything that one session waits for.
#[derive(Debug)]
pub(super) struct Subscriptions {
    things: Arc<Semaphore>,
    streams: Arc<Semaphore>,
    /// What a legacy client waits for: it has one connection, and so one watch.
    legacy: Arc<Mutex<Watch>>,
    /// Something was done in this session.
    called: watch::Sender<()>,
}

/// What a client waits for, and what it was like.
#[derive(Debug, Default)]
pub(super) struct Watch {
    things: Vec<Thing>,
    mark: Option<Mark>,
    /// When something will be another by the clock alone.
    until: Option<Time>,
    /// Whether a task follows it.
    is_followed: bool,
    /// Whether it is a stream of somebody known: it ends when they are known no longer, even if the
    /// list, which nobody is refused, is all that it waits for.
    is_somebodys: bool,
    /// The stream's place.
    #[expect(dead_code, reason = "it is held for as long as the stream is there")]
    stream: Option<OwnedSemaphorePermit>,
}

#[derive(Debug)]
struct Thing {
    what: What,
    print: Digest,
    /// `None` for what a client did not ask for by name: nobody is asked every second because of it.
    place: Option<OwnedSemaphorePermit>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum What {
    List,
    Resource(String),
}

/// A stream's watch, on its way from before the acknowledgment to behind it.
#[derive(Clone, Debug)]
pub(super) struct Prepared(Arc<Mutex<Watch>>);

/// Nobody is there any more to be told.
struct Over;

enum Teller {
    Stream(SubscriptionSink),
    Peer(Peer<RoleServer>),
}

impl Default for Subscriptions {
    fn default() -> Self {
        Self {
            things: Arc::new(Semaphore::new(MOST)),
            streams: Arc::new(Semaphore::new(MOST_STREAMS)),
            legacy: Arc::default(),
            called: watch::Sender::new(()),
        }
    }
}

impl Subscriptions {
    /// Something was done in this session: whoever waits for news looks at once.
    pub(super) fn called(&self) {
        self.called.send_replace(());
    }

    fn place(&self) -> Result<OwnedSemaphorePermit, ErrorData> {
        let place = Arc::clone(&self.things).try_acquire_owned();
        place.map_err(|_| too_many(&format!("this session waits for {MOST} resources already")))
    }
}

/// Subscribes a legacy client to the resource at `uri`.
pub(super) async fn subscribe(
    server: &Server,
    uri: String,
    context: &RequestContext<RoleServer>,
) -> Result<(), ErrorData> {
    let mut watch = server.subscriptions.legacy.lock().await;
    let (what, request) = (What::Resource(uri), server.request());
    if watch.has(&what) {
        // Whoever asks is looked up with every request, though there is nothing else to do.
        let read = read(server, &request, &what);
        error::told("resources/subscribe", request.id, read).await?;
    } else {
        let place = server.subscriptions.place()?;
        let taken = watch.take(server, &request, what, Some(place));
        error::told("resources/subscribe", request.id, taken).await?;
    }
    // Whoever waits for one resource hears of the list, too: this revision has no other way to ask.
    if !watch.has(&What::List) {
        let taken = watch.take(server, &request, What::List, None);
        error::told("resources/subscribe", request.id, taken).await?;
    }
    watch.follow(server, context);
    // Whoever follows it may have waited for calls alone until now.
    server.subscriptions.called();
    Ok(())
}

/// Ends a legacy client's subscription, if there is one.
pub(super) async fn unsubscribe(server: &Server, uri: String) {
    let mut watch = server.subscriptions.legacy.lock().await;
    watch.drop_thing(&What::Resource(uri));
}

/// A legacy client has listed the resources: it hears when calls of its own change the list, and
/// once it subscribes to anything, when others do.
pub(super) async fn listed(
    server: &Server,
    context: &RequestContext<RoleServer>,
) -> Result<(), ErrorData> {
    let mut watch = server.subscriptions.legacy.lock().await;
    if !watch.has(&What::List) {
        let request = server.request();
        let taken = watch.take(server, &request, What::List, None);
        error::told("resources/list", request.id, taken).await?;
        watch.follow(server, context);
    }
    Ok(())
}

/// Reads what a stream is to wait for. Done before it is acknowledged, so that a refusal is all that
/// is answered, and nothing that happens afterwards is missed.
pub(super) async fn prepare(
    server: &Server,
    asked: &SubscriptionFilter,
) -> Result<Prepared, ErrorData> {
    let stream = Arc::clone(&server.subscriptions.streams).try_acquire_owned();
    let mut watch = Watch {
        stream: Some(stream.map_err(|_| {
            too_many(&format!(
                "this session has {MOST_STREAMS} streams open already"
            ))
        })?),
        ..Watch::default()
    };
    let list = (asked.resources_list_changed == Some(true)).then_some(What::List);
    let uris = asked.resource_subscriptions.iter().flatten();
    let request = server.request();
    for what in uris.cloned().map(What::Resource).chain(list) {
        if !watch.has(&what) {
            let place = server.subscriptions.place()?;
            let taken = watch.take(server, &request, what, Some(place));
            error::told("subscriptions/listen", request.id, taken).await?;
        }
    }
    watch.is_somebodys = request.seen().is_some();
    Ok(Prepared(Arc::new(Mutex::new(watch))))
}

/// Tells a stream's client the news, until it has enough, or is known no longer.
pub(super) async fn listen(server: &Server, context: SubscriptionContext) -> Result<(), ErrorData> {
    let request = context.request_context();
    let end = request.extensions.get::<End>().cloned();
    let watch = match request.extensions.get::<Prepared>() {
        Some(prepared) => prepared.clone(),
        None => prepare(server, context.accepted()).await?,
    };
    let follow = follow(
        server,
        &watch.0,
        Teller::Stream(context.sink().clone()),
        server.subscriptions.called.subscribe(),
    );
    let waits_for_nothing = watch.0.lock().await.things.is_empty();
    tokio::select! {
        biased;
        () = context.cancelled() => {}
        () = ended(end) => {}
        () = follow, if !waits_for_nothing => {}
    }
    Ok(())
}

/// Returns once the client has gone; never, where no transport tells.
pub(super) async fn ended(end: Option<End>) {
    match end {
        Some(End(token)) => token.cancelled().await,
        None => std::future::pending().await,
    }
}

/// Looks whenever there may be news, and tells it, until there is nothing or nobody left.
async fn follow(
    server: &Server,
    watch: &Mutex<Watch>,
    teller: Teller,
    mut called: watch::Receiver<()>,
) {
    loop {
        let asks = watch.lock().await.is_asked_for();
        tokio::select! {
            call = called.changed() => {
                if call.is_err() {
                    return;
                }
            }
            () = tokio::time::sleep(EVERY), if asks => {}
        }
        let news = watch.lock().await.look(server).await;
        let Ok(news) = news else { return };
        for what in news {
            if teller.tell(what).await.is_err() {
                return;
            }
        }
    }
}

impl Watch {
    fn has(&self, what: &What) -> bool {
        self.things.iter().any(|thing| thing.what == *what)
    }

    fn drop_thing(&mut self, what: &What) {
        self.things.retain(|thing| thing.what != *what);
    }

    /// Whether a client asked for any of it by name.
    fn is_asked_for(&self) -> bool {
        self.things.iter().any(|thing| thing.place.is_some())
    }

    /// Waits for `what` as well, if it may be read.
    async fn take(
        &mut self,
        server: &Server,
        request: &Request,
        what: What,
        place: Option<OwnedSemaphorePermit>,
    ) -> Result<(), Error> {
        if self.mark.is_none() {
            // Before the first read: what changes in the meantime is news.
            self.mark = Some(server.authority.mark().await?);
        }
        let (print, until) = read(server, request, &what).await?;
        let end = request.seen().and_then(|seen| seen.expires_at);
        self.until = resources::earlier(self.until, resources::earlier(until, end));
        self.things.push(Thing { what, print, place });
        Ok(())
    }

    /// Sees to it that a task follows a legacy client's watch.
    fn follow(&mut self, server: &Server, context: &RequestContext<RoleServer>) {
        if self.is_followed {
            return;
        }
        self.is_followed = true;
        let watch = Arc::clone(&server.subscriptions.legacy);
        let teller = Teller::Peer(context.peer.clone());
        let called = server.subscriptions.called.subscribe();
        let end = context.extensions.get::<End>().cloned();
        // Its own end of the session's calls must not keep it waiting for them when the session is
        // gone.
        let lasting = server.brought.as_ref().map(|brought| &brought.lasting);
        let server = Server {
            subscriptions: Arc::default(),
            presents: lasting.unwrap_or(&server.presents).clone(),
            brought: None,
            ..server.clone()
        };
        tokio::spawn(async move {
            tokio::select! {
                biased;
                () = ended(end) => {}
                () = follow(&server, &watch, teller, called) => {}
            }
        });
    }

    /// Looks again, if there may be news. Whatever is over is forgotten before anybody else can
    /// wait for something in the same place.
    async fn look(&mut self, server: &Server) -> Result<Vec<What>, Over> {
        let news = self.news(server).await;
        if news.is_err() {
            *self = Self::default();
        }
        news
    }

    async fn news(&mut self, server: &Server) -> Result<Vec<What>, Over> {
        let mark = match server.authority.mark().await {
            Ok(mark) => mark,
            Err(error) => {
                // It is tried again in a second.
                tracing::debug!(%error, "it cannot be told whether anything has changed");
                return Ok(Vec::new());
            }
        };
        let is_over = self.until.is_some_and(|until| mark.at >= until);
        if !is_over && self.mark.is_some_and(|before| mark.is_as(&before)) {
            return Ok(Vec::new());
        }
        let request = server.request().looking_again();
        let (mut news, mut gone) = (Vec::new(), Vec::new());
        let mut until = None;
        let mut is_whole = true;
        for thing in &mut self.things {
            match read(server, &request, &thing.what).await {
                Ok((print, next)) => {
                    until = resources::earlier(until, next);
                    if std::mem::replace(&mut thing.print, print) != print {
                        news.push(thing.what.clone());
                    }
                }
                Err(Error::Unauthenticated) => return Err(Over),
                // It was there, so that this is news, and the last of it.
                Err(Error::NotFound(_)) => {
                    news.push(thing.what.clone());
                    gone.push(thing.what.clone());
                }
                Err(
                    Error::Denied(_)
                    | Error::Invalid { .. }
                    | Error::Conflict(_)
                    | Error::Unconfirmed(_)
                    | Error::Withheld(_),
                ) => {
                    gone.push(thing.what.clone());
                }
                Err(error @ (Error::Store(_) | Error::Vault(_) | Error::Sink(_))) => {
                    tracing::debug!(%error, "what somebody waits for cannot be read");
                    is_whole = false;
                }
            }
        }
        for what in &gone {
            self.drop_thing(what);
        }
        if is_whole && self.is_somebodys && request.seen().is_none() {
            return Err(Over);
        }
        if is_whole {
            let end = request.seen().and_then(|seen| seen.expires_at);
            self.until = resources::earlier(until, end);
            self.mark = Some(mark);
        }
        if self.things.is_empty() && news.is_empty() {
            return Err(Over);
        }
        Ok(news)
    }
}

async fn read(
    server: &Server,
    request: &Request,
    what: &What,
) -> Result<(Digest, Option<Time>), Error> {
    match what {
        What::List => resources::list_print(server, request).await,
        What::Resource(uri) => {
            let read = resources::read(server, request, uri).await?;
            Ok((read.print, read.until))
        }
    }
}

impl Teller {
    async fn tell(&self, what: What) -> Result<(), Over> {
        let told = match (self, what) {
            (Self::Stream(sink), What::List) => sink.notify_resource_list_changed().await.is_ok(),
            (Self::Stream(sink), What::Resource(uri)) => {
                sink.notify_resource_updated(uri).await.is_ok()
            }
            (Self::Peer(peer), What::List) => peer.notify_resource_list_changed().await.is_ok(),
            (Self::Peer(peer), What::Resource(uri)) => {
                let updated = ResourceUpdatedNotificationParam::new(uri);
                peer.notify_resource_updated(updated).await.is_ok()
            }
        };
        if told { Ok(()) } else { Err(Over) }
    }
}

fn too_many(why: &str) -> ErrorData {
    let mend = "end a subscription that is not needed any more, then subscribe again";
    let problem = Problem::limit_exceeded(&why, mend);
    ErrorData::new(ErrorCode::INVALID_REQUEST, error::text(&problem), None)
}
