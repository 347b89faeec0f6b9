//! Plays a route of a profile onto the verb that it names. The verb decides; this fills templates
//! from the views that every front shows.

use std::sync::Arc;

use axum::{
    body::{Body, Bytes},
    extract::Request,
    http::{Method, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use zeroize::Zeroizing;

use super::{
    answer::{Nothing, Record, Revealed},
    file::Profile,
    input::Arguments,
    route::Route,
    template::Template,
    verb::Verb,
};
use crate::{
    authority::{
        Consent, Deliver, Error, For, ListTokens, NewToken, Of, Revoke, StateFilter, Thing,
        ThroughProfile,
    },
    domain::{
        app_env::AppEnvRef,
        expires::Expires,
        id::{AppEnvId, TokenId},
        label::Label,
        page::Limit,
        token::State,
    },
    http::{Http, bearer::Asked, error::Refusal, extract::whole},
    wire::{self, cli_token::RevealedCliToken},
};

/// Answers a request for a path of `profile`, whose routes are these.
pub(super) async fn play(
    http: Arc<Http>,
    profile: Arc<Profile>,
    routes: Vec<usize>,
    asked: Asked,
    request: Request,
) -> Response {
    let routes = routes.iter().filter_map(|place| profile.routes.get(*place));
    let found = routes
        .clone()
        .find(|route| route.method == request.method().as_str());
    let Some(route) = found else {
        let mut methods: Vec<_> = routes.map(|route| route.method).collect();
        methods.sort_unstable();
        let allow = [(header::ALLOW, methods.join(", "))];
        return (allow, Refusal::no_such_method()).into_response();
    };
    let played = Played {
        http: &http,
        profile: &profile,
        route,
        asked: &asked,
    };
    match played.answer(request).await {
        Ok(response) => response,
        Err(refusal) => refusal.into_response(),
    }
}

struct Played<'a> {
    http: &'a Http,
    profile: &'a Profile,
    route: &'a Route,
    asked: &'a Asked,
}

impl Played<'_> {
    async fn answer(&self, request: Request) -> Result<Response, Refusal> {
        let (head, body) = request.into_parts();
        let id = self.id(head.uri.path());
        let mut arguments = Arguments::default();
        arguments.query(&self.route.query, head.uri.query().unwrap_or_default())?;
        if head.method != Method::GET && head.method != Method::DELETE {
            let body = whole(self.http, self.asked, body).await?;
            arguments.body(&self.route.body, &head.headers, &body)?;
        }
        let done = match self.route.verb {
            Verb::CreateToken => self.create(&arguments).await,
            Verb::ListTokens => self.list().await,
            Verb::GetToken => self.get(id).await,
            Verb::DeleteToken => self.delete(id).await,
            Verb::RevealUserToken => self.reveal_user().await,
            Verb::RevealAppEnvToken => self.reveal_app_env(&arguments).await,
        };
        let body = done.map_err(|error| self.by_their_names(error))?;
        Ok(self.response(body))
    }

    /// The id that the path names.
    fn id(&self, path: &str) -> TokenId {
        let text = self.route.path.id(path).unwrap_or_default();
        let form = self.profile.id.as_ref();
        form.map_or(uuid::Uuid::nil().into(), |form| form.read(text))
    }

    async fn create(&self, arguments: &Arguments) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
        let made = self
            .profile
            .tokens
            .as_ref()
            .ok_or(Error::NotFound(Thing::Something))?;
        let label = match (arguments.get("label"), &self.route.label) {
            (Some(label), _) => {
                if self.http.profiles.hold_value(label) {
                    let why = "it holds a token's value, which would be kept in the clear";
                    return Err(Error::invalid("label", why));
                }
                Label::parse(label).map_err(|why| Error::invalid("label", why))?
            }
            (None, Some(label)) => label.clone(),
            (None, None) => return Err(Error::invalid("label", "it is missing")),
        };
        let new = NewToken {
            owner: For::Me,
            label,
            scopes: made.scopes.clone(),
            expires: arguments.get("expires").map(moment).transpose()?,
            deliver: Deliver::Profile(ThroughProfile {
                name: Arc::clone(&self.profile.name),
                shape: made.format.clone(),
                is_privileged: made.is_privileged,
            }),
            idempotency_key: None,
        };
        let minted = self
            .http
            .authority
            .create_token(&self.asked.request, new)
            .await?;
        let view = wire::token::NewToken::of(&minted, &self.http.claim);
        let record = Record::new(self.profile, view.record, view.token);
        Ok(self.filled(|template| template.filled(&record)))
    }

    /// Every active token of whoever asks: the products that are played have no pages.
    async fn list(&self) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
        let mut records = Vec::new();
        let mut cursor = None;
        loop {
            let list = ListTokens {
                of: Of::Owner(For::Me),
                query: None,
                state: Some(StateFilter::Is(State::Active)),
                unused_for: None,
                expiring_within: None,
                limit: Limit::MOST,
                cursor,
            };
            let authority = &self.http.authority;
            let (page, at) = authority.list_tokens(&self.asked.request, list).await?;
            let views = page
                .rows
                .iter()
                .map(|token| wire::token::Token::at(token, at));
            records.extend(views.map(|view| Record::new(self.profile, view, None)));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        if self.route.is_oldest_first {
            records.reverse();
        }
        Ok(self.filled(|template| template.filled_for_each(&records)))
    }

    async fn get(&self, id: TokenId) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
        let (token, at) = self
            .http
            .authority
            .get_token(&self.asked.request, id)
            .await?;
        // What no list of this product shows is not there.
        if token.state(at) != State::Active {
            return Err(Error::NotFound(Thing::Token));
        }
        let record = Record::new(self.profile, wire::token::Token::at(&token, at), None);
        Ok(self.filled(|template| template.filled(&record)))
    }

    async fn delete(&self, id: TokenId) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
        let revoke = Revoke {
            id,
            cascade: false,
            // These products know no other way of ending the token that asks.
            allow_self: true,
            // A request has nobody beside it who could be asked.
            consent: Consent::CannotAsk,
        };
        let revoked = self
            .http
            .authority
            .revoke_token(&self.asked.request, revoke)
            .await?;
        // One that had ended is in no list, and not there.
        match revoked.revoked_count {
            0 => Err(Error::NotFound(Thing::Token)),
            _ => Ok(self.filled(|template| template.filled(&Nothing))),
        }
    }

    async fn reveal_user(&self) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
        let authority = &self.http.authority;
        let revealed = authority
            .reveal_cli_token(&self.asked.request, For::Me)
            .await?;
        match revealed.into() {
            RevealedCliToken::User(user) => {
                let revealed = Revealed::user(self.profile, user);
                Ok(self.filled(|template| template.filled(&revealed)))
            }
            // A token of an app environment has no user to show one of.
            RevealedCliToken::AppEnv(_) => Err(Error::NotFound(Thing::CliToken)),
        }
    }

    async fn reveal_app_env(
        &self,
        arguments: &Arguments,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
        // What cannot be an id or a name is none of any environment's.
        let nobody = || AppEnvRef::Id(AppEnvId::from(uuid::Uuid::nil()));
        let env = match (arguments.get("app_env_id"), arguments.get("env_name")) {
            (Some(id), _) => id.parse().map_or_else(|_| nobody(), AppEnvRef::Id),
            (None, Some(name)) => name.parse().map_or_else(|_| nobody(), AppEnvRef::Name),
            (None, None) => return Err(Error::invalid("app_env_id", self.either())),
        };
        let authority = &self.http.authority;
        let asked = &self.asked.request;
        let revealed = authority.reveal_cli_token(asked, For::AppEnv(env)).await?;
        match revealed.into() {
            RevealedCliToken::AppEnv(env) => {
                let revealed = Revealed::app_env(self.profile, env);
                Ok(self.filled(|template| template.filled(&revealed)))
            }
            RevealedCliToken::User(_) => Err(Error::NotFound(Thing::CliToken)),
        }
    }

    /// Why neither is too little, by this product's names.
    fn either(&self) -> String {
        let inputs = self.route.query.iter().chain(&self.route.body);
        let names: Vec<_> = inputs.map(|input| format!("`{}`", input.name)).collect();
        format!("{} is needed", names.join(" or "))
    }

    /// The same error, with this product's name for the argument that is wrong.
    fn by_their_names(&self, error: Error) -> Error {
        match error {
            Error::Invalid { field, why } => {
                let mut inputs = self.route.query.iter().chain(&self.route.body);
                let input = inputs.find(|input| input.argument == field);
                let field = input.map_or(field, |input| input.name.clone().into());
                Error::Invalid { field, why }
            }
            other @ (Error::Unauthenticated
            | Error::Denied(_)
            | Error::NotFound(_)
            | Error::Conflict(_)
            | Error::Store(_)
            | Error::Vault(_)
            | Error::Unconfirmed(_)
            | Error::Withheld(_)
            | Error::Sink(_)) => other,
        }
    }

    fn filled(
        &self,
        fill: impl FnOnce(&Template) -> Zeroizing<Vec<u8>>,
    ) -> Option<Zeroizing<Vec<u8>>> {
        self.route.answer.as_ref().map(fill)
    }

    fn response(&self, body: Option<Zeroizing<Vec<u8>>>) -> Response {
        let status = StatusCode::from_u16(self.route.status).unwrap_or(StatusCode::OK);
        match body {
            Some(body) => {
                let kind = [(header::CONTENT_TYPE, "application/json")];
                (status, kind, Body::from(Bytes::from_owner(body))).into_response()
            }
            None => status.into_response(),
        }
    }
}

/// A time as these products take one: RFC 3339, of whatever offset.
fn moment(text: &str) -> Result<Expires, Error> {
    match text.parse() {
        Ok(at @ Expires::At(_)) => Ok(at),
        Ok(Expires::Never | Expires::After(_)) | Err(_) => Err(Error::invalid(
            "expires",
            "expected a time such as `2027-01-01T00:00:00Z`",
        )),
    }
}
