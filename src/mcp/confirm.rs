//! Asks the person before a call does what cannot be undone, in whichever way this client can be
//! asked. What was typed is checked here, not by the client; nothing secret is ever asked for.
//!
//! A client of 2025-11-25 or before is sent `elicitation/create` while its call waits. For one of
//! 2026-07-28 or later there are two calls:
//!
//! 1. The first is answered `input_required`, with the question and a `requestState`.
//! 2. The client asks, and calls again with the answer and the `requestState`.
//!
//! The `requestState` is a random number that this process gave out: there is nothing in it to
//! forge. What it stands for (who asked, for which call, what is to be typed) stays here, for one
//! use and a few minutes.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rmcp::{
    RoleServer,
    model::{
        ClientResult, ElicitRequest, ElicitRequestParams, ElicitResult, ElicitationAction,
        ElicitationSchema, InputRequest, InputRequiredResult, InputResponses, ServerRequest,
    },
    service::{PeerRequestOptions, RequestContext},
};
use serde_json::Value;
use tokio::{
    sync::Semaphore,
    time::{Instant, sleep},
};

use super::subscriptions::{End, ended};
use crate::{
    authority::{Consent, Question, Withheld},
    crypto::{
        digest::{self, Digest},
        hex::hex,
        random,
    },
    domain::{actor::Actor, text::escaped},
};

/// How long a person has to answer.
const PATIENCE: Duration = Duration::from_mins(5);

/// How many questions of one asker may be open at a time. Beyond them its oldest is forgotten, so
/// that a client that never answers costs no memory, and nobody else a question; it may ask again.
const OPEN_EACH: usize = 256;

/// How many of everybody.
const OPEN: usize = 4096;

/// How many calls may wait for a person at a time. Each holds the place of a call in flight, and
/// while no place is free, the person's answers are read late: they are behind the next call.
const WAITING: usize = 32;

/// How many characters a person types.
const TYPED: usize = 4;

/// The one question of a call, and the one field of its form.
const KEY: &str = "confirmation";

/// When a call that wants a person's yes goes on without one.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Confirm {
    /// Where the client has no way to ask.
    #[default]
    WherePossible,
    /// Never.
    Always,
}

/// The questions of one server.
#[derive(Debug)]
pub(super) struct Confirmations {
    confirm: Confirm,
    patience: Duration,
    open: Mutex<VecDeque<Open>>,
    waiting: Semaphore,
}

/// A question that waits for its answer in another call.
#[derive(Debug)]
struct Open {
    state: String,
    asker: Actor,
    call: Digest,
    expected: Expected,
    asked_at: Instant,
}

/// What makes an answer a yes, and to what.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Expected {
    typed: String,
    print: Digest,
}

impl Default for Confirmations {
    fn default() -> Self {
        Self::new(Confirm::default(), None)
    }
}

impl Confirmations {
    /// Asks as `confirm` says, and waits for an answer as long as `patience`, by default for
    /// [`PATIENCE`].
    pub(super) fn new(confirm: Confirm, patience: Option<Duration>) -> Self {
        Self {
            confirm,
            patience: patience.unwrap_or(PATIENCE),
            open: Mutex::default(),
            waiting: Semaphore::new(WAITING),
        }
    }

    /// Asks in the same way, and has no question open yet.
    pub(super) fn others(&self) -> Self {
        Self::new(self.confirm, Some(self.patience))
    }

    /// What is known before anybody was asked.
    pub(super) fn at_first(&self, context: &RequestContext<RoleServer>) -> Consent {
        match (self.confirm, can_ask(context)) {
            (Confirm::WherePossible | Confirm::Always, true) => Consent::Unasked,
            (Confirm::WherePossible, false) => Consent::CannotAsk,
            (Confirm::Always, false) => Consent::Withheld(Withheld::NobodyToAsk),
        }
    }

    /// Asks in the answer to `call`, which is to come again.
    pub(super) fn ask(&self, question: &Question, call: Digest) -> InputRequiredResult {
        let state = hex(&*random::bytes::<32>());
        let mut open = self.open();
        let asker = question.asked_by;
        if open.iter().filter(|open| open.asker == asker).count() == OPEN_EACH
            && let Some(oldest) = open.iter().position(|open| open.asker == asker)
        {
            open.remove(oldest);
        }
        if open.len() == OPEN {
            open.pop_front();
        }
        open.push_back(Open {
            state: state.clone(),
            asker,
            call,
            expected: Expected::of(question),
            asked_at: Instant::now(),
        });
        drop(open);
        let form = InputRequest::Elicitation(ElicitRequest::new(form(question)));
        InputRequiredResult::new(Some([(KEY.to_owned(), form)].into()), Some(state))
    }

    /// What the question with this `state` expects, if it was about this `call`. It is closed by
    /// being looked for.
    pub(super) fn take(&self, state: &str, call: Digest) -> Option<Expected> {
        let mut open = self.open();
        open.retain(|open| open.asked_at.elapsed() < self.patience);
        let place = open
            .iter()
            .position(|open| digest::equal(open.state.as_bytes(), state.as_bytes()))?;
        let found = open.remove(place)?;
        (found.call == call).then_some(found.expected)
    }

    /// Asks while the call waits: the client's answer, its silence, or its wish to give the call up.
    pub(super) async fn elicit(
        &self,
        question: &Question,
        context: &RequestContext<RoleServer>,
    ) -> Consent {
        let Ok(_place) = self.waiting.try_acquire() else {
            return Consent::Withheld(Withheld::TooMany);
        };
        let request = ServerRequest::ElicitRequest(ElicitRequest::new(form(question)));
        let options = PeerRequestOptions::no_options();
        let peer = &context.peer;
        let end = context.extensions.get::<End>().cloned();
        let Ok(mut asked) = peer.send_cancellable_request(request, options).await else {
            return Consent::Withheld(Withheld::Unanswered);
        };
        let why = tokio::select! {
            answer = &mut asked.rx => {
                return match answer {
                    Ok(Ok(ClientResult::ElicitResult(answer))) => {
                        Expected::of(question).judge(&answer)
                    }
                    // The client is gone, refuses to ask, or answers something else.
                    Ok(Ok(_) | Err(_)) | Err(_) => Consent::Withheld(Withheld::Unanswered),
                };
            }
            () = sleep(self.patience) => "nobody answered in time",
            () = context.ct.cancelled() => "the call was cancelled",
            // Nothing more is read, not even an answer, and nobody listens to a withdrawal.
            () = ended(end) => return Consent::Withheld(Withheld::Unanswered),
        };
        // Whoever is gone need not be told.
        drop(asked.cancel(Some(why.to_owned())).await);
        Consent::Withheld(Withheld::Unanswered)
    }

    fn open(&self) -> MutexGuard<'_, VecDeque<Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Expected {
    fn of(question: &Question) -> Self {
        Self {
            typed: ending(question),
            print: question.print(),
        }
    }

    /// What the answers of a call mean; `None` if the question was not answered in it.
    pub(super) fn answered(&self, answers: Option<&InputResponses>) -> Option<Consent> {
        let answer = answers?.get(KEY)?;
        Some(match serde_json::from_value(answer.clone()) {
            Ok(answer) => self.judge(&answer),
            Err(_) => Consent::Withheld(Withheld::Unanswered),
        })
    }

    /// A yes is one only with the right thing typed: some clients accept what nobody has seen.
    fn judge(&self, answer: &ElicitResult) -> Consent {
        match answer.action {
            ElicitationAction::Accept => {
                let content = answer.content.as_ref();
                let typed = content.and_then(|content| content.get(KEY));
                match typed.and_then(Value::as_str).map(str::trim) {
                    Some(typed) if typed == self.typed => Consent::Given(self.print),
                    Some(_) | None => Consent::Withheld(Withheld::Mistyped),
                }
            }
            ElicitationAction::Decline => Consent::Withheld(Withheld::Declined),
            // Closed without a word, or a word of a later revision.
            ElicitationAction::Cancel | _ => Consent::Withheld(Withheld::Unanswered),
        }
    }
}

/// Whether the client of this call can show a form.
fn can_ask(context: &RequestContext<RoleServer>) -> bool {
    let capabilities = context.client_capabilities();
    // `{}` is from before there was anything but forms.
    capabilities
        .and_then(|capabilities| capabilities.elicitation)
        .is_some_and(|can| can.form.is_some() || can.url.is_none())
}

/// What the person is to type. Labels repeat; this end of a prefix hardly does.
fn ending(question: &Question) -> String {
    let shown = match &question.prefix {
        Some(prefix) => prefix.as_str().to_owned(),
        None => question.token.to_string(),
    };
    // Both are ASCII, and longer.
    shown[shown.len().saturating_sub(TYPED)..].to_owned()
}

fn form(question: &Question) -> ElicitRequestParams {
    // The quotes around it are ours alone: an agent may have chosen the label.
    let label = escaped(question.label.as_str()).replace(['“', '”'], "\"");
    let (which, wanted) = match &question.prefix {
        Some(prefix) => (
            format!("Its value begins with {}", prefix.as_str()),
            "the last four characters of that beginning",
        ),
        None => (
            format!("It has no value yet, and its id is {}", question.token),
            "the last four characters of that id",
        ),
    };
    let more = match question.with_it {
        0 => String::new(),
        1 => " The token that it minted ends with it.".to_owned(),
        count => format!(" {count} tokens that it minted end with it."),
    };
    let message = format!(
        "Delete the token “{label}” for good? An agent asks for it, and did not make this token. \
         {which}. Whoever uses it is refused from then on.{more} To confirm, type {wanted}."
    );
    let schema = ElicitationSchema::builder()
        .required_string_property(KEY, |field| {
            field
                .title("Confirmation")
                .description(format!("As asked: {wanted}"))
        })
        .build()
        .expect("one property, which is required");
    ElicitRequestParams::FormElicitationParams {
        meta: None,
        message,
        requested_schema: schema,
    }
}
