//! The verbs in one word each, for the tests that are about something else.

use keywright::{
    authority::{
        ClaimRef, Claimed, Error, For, ListTokens, Minted, NewToken, Revealed, Revoke, Revoked,
        Rotate, Update,
    },
    authz::Request,
    domain::{id::TokenId, token::Token},
};

use super::{
    answers::code,
    app::TestApp,
    asks::{by_code, carrying, revoke, update},
    people::Agent,
    requests::{bearer, operator},
    sinks::TestSink,
};

impl TestApp {
    /// Makes a token, with whatever `new` says.
    pub(crate) async fn create(&self, by: &Request, new: NewToken) -> Result<Minted, Error> {
        self.authority.create_token(by, new).await
    }

    /// Makes a token that waits for its claim: its id, and the code.
    pub(crate) async fn waiting(&self, by: &Request, scopes: &str) -> (TokenId, String) {
        let minted = self.create(by, carrying(scopes)).await.unwrap();
        (minted.token.id, code(&minted))
    }

    /// A child of `parent` that it may use at once.
    pub(crate) async fn child(&self, parent: &Agent, scopes: &str) -> Agent {
        let new = carrying(scopes);
        let (id, code) = {
            let minted = self.create(&parent.asks(), new).await.unwrap();
            (minted.token.id, code(&minted))
        };
        let value = self.claim(&code).await.unwrap();
        Agent { id, value }
    }

    /// Picks a value up at the shell.
    pub(crate) async fn claim(&self, code: &str) -> Result<String, Error> {
        let mut sink = TestSink::default();
        self.claim_to(by_code(code), &mut sink).await?;
        Ok(sink.value())
    }

    pub(crate) async fn claim_to(
        &self,
        claim: ClaimRef,
        sink: &mut TestSink,
    ) -> Result<Claimed, Error> {
        self.authority.claim_token(&operator(), claim, sink).await
    }

    /// The labels of the tokens that `by` lists, newest first.
    pub(crate) async fn labels(&self, by: &Request, asked: ListTokens) -> Vec<String> {
        let (page, _) = self.authority.list_tokens(by, asked).await.unwrap();
        let rows = page.rows.iter();
        rows.map(|token| token.label.to_string()).collect()
    }

    /// Whether a value is good for anything.
    pub(crate) async fn is_good(&self, value: &str) -> bool {
        match self.authority.whoami(&bearer(value)).await {
            Ok(_) => true,
            Err(Error::Unauthenticated) => false,
            Err(other) => panic!("{other}"),
        }
    }

    pub(crate) async fn token(&self, id: TokenId) -> Token {
        let found = self.authority.get_token(&operator(), id).await;
        found.unwrap().0
    }

    pub(crate) async fn update(&self, by: &Request, change: Update) -> Result<Token, Error> {
        let updated = self.authority.update_token(by, change).await;
        updated.map(|(token, _)| token)
    }

    pub(crate) async fn rotate(&self, by: &Request, asked: Rotate) -> Result<Minted, Error> {
        self.authority.rotate_token(by, asked).await
    }

    pub(crate) async fn revoke_by(&self, by: &Request, asked: Revoke) -> Result<Revoked, Error> {
        self.authority.revoke_token(by, asked).await
    }

    pub(crate) async fn reveal(&self, by: &Request, of: For) -> Result<Revealed, Error> {
        self.authority.reveal_cli_token(by, of).await
    }

    pub(crate) async fn disable(&self, by: &Request, id: TokenId) {
        let off = Update {
            enabled: Some(false),
            ..update(id)
        };
        self.update(by, off).await.unwrap();
    }

    pub(crate) async fn revoke(&self, id: TokenId) {
        let revoked = self.authority.revoke_token(&operator(), revoke(id)).await;
        assert_eq!(revoked.unwrap().revoked_count, 1);
    }
}
