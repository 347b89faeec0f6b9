//! Tells a client that waits that its call is still at work.

use std::{pin::pin, time::Duration};

use rmcp::{
    Peer, RoleServer,
    model::{ClientRequest, ProgressNotificationParam, ProgressToken},
    service::RequestContext,
};
use tokio::time::{Instant, sleep_until, timeout};

/// How often. Most calls are answered long before the first time.
const EVERY: Duration = Duration::from_secs(1);

/// How long an answer waits for a notice that is on its way: nothing may be told of a call that
/// was answered.
const ON_ITS_WAY: Duration = Duration::from_millis(100);

/// Whom to tell, and by which token.
pub(super) struct Progress {
    peer: Peer<RoleServer>,
    token: ProgressToken,
}

/// Whom to tell of this request, if anybody asked to be told.
pub(super) fn of(
    request: &ClientRequest,
    context: &RequestContext<RoleServer>,
) -> Option<Progress> {
    let may_take_long = matches!(
        request,
        ClientRequest::CallToolRequest(_) | ClientRequest::ReadResourceRequest(_)
    );
    if !may_take_long {
        return None;
    }
    let token = context.meta.get_progress_token()?;
    let peer = context.peer.clone();
    Some(Progress { peer, token })
}

/// Waits for `work`, and tells of it every second until it is done.
pub(super) async fn told<T>(progress: Option<Progress>, work: impl Future<Output = T>) -> T {
    let Some(Progress { peer, token }) = progress else {
        return work.await;
    };
    let mut work = pin!(work);
    let begun = Instant::now();
    for seconds in 1_u32.. {
        tokio::select! {
            biased;
            answer = &mut work => return answer,
            () = sleep_until(begun + EVERY * seconds) => {}
        }
        let message = format!("still at work after {seconds} s");
        let notice = ProgressNotificationParam::new(token.clone(), seconds.into());
        let mut notice = pin!(peer.notify_progress(notice.with_message(message)));
        tokio::select! {
            biased;
            answer = &mut work => {
                drop(timeout(ON_ITS_WAY, notice).await);
                return answer;
            }
            _ = &mut notice => {}
        }
    }
    work.await
}
