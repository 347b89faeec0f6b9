//! The statements about tokens and their values.

use std::sync::Arc;

use rusqlite::{ToSql, params};

use super::{
    File,
    rows::{actor_bytes, id},
    token_rows::{
        BY_HASH, BY_ID, TOKEN, WITH, disabled, format_text, owner, owner_id, powers, presented,
        presented_as, token,
    },
};
use crate::{
    authz::{Entry, Permit},
    domain::{
        cli_token::Sealed,
        clock::Time,
        credential::{HashedToken, TokenPrefix},
        id::{AccountId, TokenId},
        token::{Owner, Presented, State, Token, Value, Whose},
    },
    store::{Error, ReadTokens, Stake, StateFilter, TokenFilter, Use, WriteTokens},
};

impl ReadTokens for File {
    fn presented(&mut self, hash: &HashedToken, at: Time) -> Result<Option<Arc<Presented>>, Error> {
        let known = self.recent.as_ref();
        if let Some(known) = known.and_then(|recent| recent.get(hash, at)) {
            return Ok(Some(known));
        }
        let from = |print| self.one(&BY_HASH, [print], |row| presented_as(hash, row));
        let found = match from(hash.as_bytes())? {
            Some(found) => found,
            // Behind the last comes the first.
            None => from(&[0; 32])?.flatten(),
        };
        let found = found.map(Arc::new);
        if let (Some(recent), Some(found)) = (&mut self.recent, &found) {
            recent.keep(hash, found, at);
        }
        Ok(found)
    }

    fn presented_by_id(&mut self, id: TokenId) -> Result<Option<Arc<Presented>>, Error> {
        let found = self.one(&BY_ID, [id.to_bytes()], presented)?;
        Ok(found.map(Arc::new))
    }

    fn overlap(&mut self, used: &Use, at: Time) -> Result<Option<Whose>, Error> {
        let sql = "select account_id, owner_kind, owner_id from tokens
            where id = ?1 and exists (select 1 from token_values
                where token_id = ?1 and generation < ?2 and dies_at > ?3)";
        let at = at.timestamp_millis();
        let params = params![used.token.to_bytes(), used.generation, at];
        self.one(sql, params, |row| {
            Ok(Whose::Owner(id(row, 0)?, owner(row, 1)?))
        })
    }

    fn stake(&mut self, id: TokenId) -> Result<Option<Stake>, Error> {
        let sql = "select account_id, owner_kind, owner_id, scopes, expires_at,
            disabled_at, disabled_by_person from tokens where id = ?1";
        self.one(sql, [id.to_bytes()], |row| {
            Ok(Stake {
                whose: Whose::Owner(super::rows::id(row, 0)?, owner(row, 1)?),
                powers: powers(row, 3, 4)?,
                disabled: disabled(row, 5)?,
            })
        })
    }

    fn cli_token(&mut self, account: AccountId, owner: Owner) -> Result<Option<TokenId>, Error> {
        let sql = "select id from tokens
            where account_id = ?1 and owner_id = ?2 and kind = 'cli' and revoked_at is null";
        let params = params![account.to_bytes(), owner_id(owner)];
        self.one(sql, params, |row| id(row, "id"))
    }

    fn tokens_of(&mut self, account: AccountId, owner: Owner) -> Result<Vec<TokenId>, Error> {
        let sql = "select id from tokens
            where account_id = ?1 and owner_id = ?2 and revoked_at is null order by id";
        let params = params![account.to_bytes(), owner_id(owner)];
        self.all(sql, params, |row| id(row, 0))
    }

    fn has_sealed(&mut self) -> Result<bool, Error> {
        let sql = "select exists (select 1 from token_values where sealed is not null)";
        Ok(self.one(sql, [], |row| row.get(0))?.unwrap_or(false))
    }

    fn token(&mut self, permit: &Permit<'_>, id: TokenId) -> Result<Option<Token>, Error> {
        let sql = format!(
            "{TOKEN} from tokens t {WITH} where t.id = ?1 and (?2 is null or t.account_id = ?2)
                and (?3 is null or t.owner_id = ?3)"
        );
        let account = permit.account().map(AccountId::to_bytes);
        let params = params![id.to_bytes(), account, permit.owner().map(owner_id),];
        self.one(&sql, params, token)
    }

    fn tokens(
        &mut self,
        permit: &Permit<'_>,
        filter: &TokenFilter,
        before: Option<TokenId>,
        rows: u32,
    ) -> Result<Vec<Token>, Error> {
        let live = |file: &Self, state| file.page(permit, filter, state, before, rows);
        match filter.state {
            Some(StateFilter::Any) => {
                // Two indexes hold them, the ended and the others: the newest of both.
                let mut both = live(self, "t.revoked_at is null")?;
                both.extend(live(self, "t.revoked_at is not null")?);
                both.sort_by_key(|token| std::cmp::Reverse(token.id));
                both.truncate(rows as usize);
                Ok(both)
            }
            None => live(
                self,
                "t.revoked_at is null and (t.expires_at is null or t.expires_at > :at)",
            ),
            Some(StateFilter::Is(State::Revoked)) => live(self, "t.revoked_at is not null"),
            Some(StateFilter::Is(State::Expired)) => {
                live(self, "t.revoked_at is null and t.expires_at <= :at")
            }
            Some(StateFilter::Is(State::Disabled)) => live(
                self,
                "t.revoked_at is null and (t.expires_at is null or t.expires_at > :at)
                    and t.disabled_at is not null",
            ),
            Some(StateFilter::Is(State::Unclaimed)) => live(
                self,
                "t.revoked_at is null and (t.expires_at is null or t.expires_at > :at)
                    and t.disabled_at is null and v.generation is null",
            ),
            Some(StateFilter::Is(State::Active)) => live(
                self,
                "t.revoked_at is null and (t.expires_at is null or t.expires_at > :at)
                    and t.disabled_at is null and v.generation is not null",
            ),
        }
    }

    fn descendants(&mut self, permit: &Permit<'_>, id: TokenId) -> Result<Vec<TokenId>, Error> {
        let sql = "with recursive minted (id) as (
                select id from tokens where parent_id = ?1
                union select t.id from tokens t join minted m on t.parent_id = m.id
            ) select id from minted join tokens using (id)
              where revoked_at is null and account_id is coalesce(?2, account_id) order by id";
        let account = permit.account().map(AccountId::to_bytes);
        let params = params![id.to_bytes(), account];
        self.all(sql, params, |row| super::rows::id(row, "id"))
    }

    fn live_children(&mut self, permit: &Permit<'_>, id: TokenId, at: Time) -> Result<u64, Error> {
        let sql = "select count(*) from tokens t where parent_id = ?1 and revoked_at is null
            and disabled_at is null and (expires_at is null or expires_at > ?2)
            and account_id is coalesce(?3, account_id)
            and exists (select 1 from token_values where token_id = t.id)";
        let account = permit.account().map(AccountId::to_bytes);
        let params = params![id.to_bytes(), at.timestamp_millis(), account];
        let count: Option<i64> = self.one(sql, params, |row| row.get(0))?;
        Ok(count.and_then(|n| u64::try_from(n).ok()).unwrap_or(0))
    }

    fn has_value(
        &mut self,
        permit: &Permit<'_>,
        id: TokenId,
        generation: u32,
    ) -> Result<bool, Error> {
        let sql = "select 1 from token_values v join tokens t on t.id = v.token_id
            where v.token_id = ?1 and v.generation = ?2
                and t.account_id is coalesce(?3, t.account_id)";
        let account = permit.account().map(AccountId::to_bytes);
        let found = self.one(sql, params![id.to_bytes(), generation, account], |_| Ok(()))?;
        Ok(found.is_some())
    }

    fn sealed(&mut self, permit: &Permit<'_>, id: TokenId) -> Result<Option<(u32, Sealed)>, Error> {
        let sql = "select v.generation, v.sealed, v.key_id from token_values v
            join tokens t on t.id = v.token_id
            where t.id = ?1 and t.kind = 'cli' and v.sealed is not null and t.revoked_at is null
                and t.account_id is coalesce(?2, t.account_id)
                and t.owner_id is coalesce(?3, t.owner_id)
            order by v.generation desc limit 1";
        let account = permit.account().map(AccountId::to_bytes);
        let params = params![id.to_bytes(), account, permit.owner().map(owner_id),];
        self.one(sql, params, |row| {
            let sealed = Sealed {
                key_id: row.get("key_id")?,
                bytes: row.get("sealed")?,
            };
            Ok((row.get("generation")?, sealed))
        })
    }
}

impl WriteTokens for File {
    fn insert_token(&mut self, token: &Token, entry: &Entry<'_>) -> Result<(), Error> {
        let sql = "insert into tokens (id, kind, account_id, owner_kind, owner_id, label, scopes,
                created_at, created_by, parent_id, expires_at)
            values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
        let owner_kind = match token.owner {
            Owner::User(_) => "user",
            Owner::AppEnv(_) => "app_env",
        };
        let parent = token.parent.map(TokenId::to_bytes);
        self.change(
            sql,
            params![
                token.id.to_bytes(),
                token.kind.as_str(),
                token.account.to_bytes(),
                owner_kind,
                owner_id(token.owner),
                token.label.as_str(),
                token.powers.scopes.to_string(),
                token.created_at.timestamp_millis(),
                actor_bytes(token.created_by),
                parent,
                token.powers.expires_at.map(|end| end.timestamp_millis()),
            ],
        )?;
        self.tell(entry);
        Ok(())
    }

    fn update_token(&mut self, token: &Token, entry: &Entry<'_>) -> Result<(), Error> {
        let sql = "update tokens set label = ?2, scopes = ?3, expires_at = ?4, disabled_at = ?5,
            disabled_by_person = ?6 where id = ?1";
        self.change(
            sql,
            params![
                token.id.to_bytes(),
                token.label.as_str(),
                token.powers.scopes.to_string(),
                token.powers.expires_at.map(|end| end.timestamp_millis()),
                token
                    .disabled
                    .map(|disabled| disabled.at.timestamp_millis()),
                token.disabled.is_some_and(|disabled| disabled.by_person),
            ],
        )?;
        self.tell(entry);
        Ok(())
    }

    fn revoke_token(&mut self, id: TokenId, at: Time, entry: &Entry<'_>) -> Result<(), Error> {
        let id = id.as_uuid();
        let sql = "update tokens set revoked_at = coalesce(revoked_at, ?2) where id = ?1";
        self.change(sql, params![id.as_bytes(), at.timestamp_millis()])?;
        let sql = "update token_values set sealed = null, key_id = null
            where token_id = ?1 and sealed is not null";
        self.change(sql, [id.as_bytes()])?;
        self.tell(entry);
        Ok(())
    }

    fn remove_token(&mut self, id: TokenId, entry: &Entry<'_>) -> Result<(), Error> {
        let id = id.as_uuid();
        self.change(
            "delete from token_uses where token_id = ?1",
            [id.as_bytes()],
        )?;
        self.change("delete from tokens where id = ?1", [id.as_bytes()])?;
        self.tell(entry);
        Ok(())
    }

    fn put_value(
        &mut self,
        id: TokenId,
        value: &Value,
        overlap_ends: Time,
        entry: &Entry<'_>,
    ) -> Result<(), Error> {
        let id = id.as_uuid();
        let before = value.present.generation - 1;
        let sql = "delete from token_values where token_id = ?1 and generation < ?2";
        self.change(sql, params![id.as_bytes(), before])?;
        let sql = "update token_values set dies_at = ?3 where token_id = ?1 and generation = ?2";
        let dies_at = overlap_ends.timestamp_millis();
        self.change(sql, params![id.as_bytes(), before, dies_at])?;
        let sql = "insert into token_values
                (token_id, generation, hash, format, prefix, generated_at, sealed, key_id)
            values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        self.change(
            sql,
            params![
                id.as_bytes(),
                value.present.generation,
                value.hash.as_ref().map(HashedToken::as_bytes),
                format_text(&value.present.format),
                value.present.prefix.as_ref().map(TokenPrefix::as_str),
                value.present.generated_at.timestamp_millis(),
                value.sealed.as_ref().map(|sealed| &sealed.bytes),
                value.sealed.as_ref().map(|sealed| &sealed.key_id),
            ],
        )?;
        self.tell(entry);
        Ok(())
    }

    fn take_back_value(
        &mut self,
        id: TokenId,
        generation: u32,
        entry: &Entry<'_>,
    ) -> Result<(), Error> {
        let id = id.as_uuid();
        let sql = "delete from token_values where token_id = ?1 and generation = ?2";
        self.change(sql, params![id.as_bytes(), generation])?;
        let sql = "update token_values set dies_at = null where token_id = ?1 and generation = ?2";
        self.change(sql, params![id.as_bytes(), generation - 1])?;
        self.tell(entry);
        Ok(())
    }

    fn end_overlap(&mut self, used: &Use, at: Time, entry: &Entry<'_>) -> Result<(), Error> {
        let sql = "update token_values set dies_at = ?3
            where token_id = ?1 and generation < ?2 and dies_at > ?3";
        let at = at.timestamp_millis();
        self.change(sql, params![used.token.to_bytes(), used.generation, at])?;
        self.tell(entry);
        Ok(())
    }

    fn use_tokens(&mut self, uses: &[Use]) -> Result<(), Error> {
        let sql = "insert into token_uses (token_id, last_used_at)
            select ?1, ?2 where exists (select 1 from tokens where id = ?1)
            on conflict (token_id) do update set last_used_at = excluded.last_used_at
                where excluded.last_used_at > token_uses.last_used_at";
        for used in uses {
            let at = used.at.timestamp_millis();
            self.change(sql, params![used.token.to_bytes(), at])?;
        }
        Ok(())
    }
}

impl File {
    /// A page of the tokens in the states that `states` describes.
    fn page(
        &self,
        permit: &Permit<'_>,
        filter: &TokenFilter,
        states: &str,
        before: Option<TokenId>,
        rows: u32,
    ) -> Result<Vec<Token>, Error> {
        let mut sql =
            format!("{TOKEN} from tokens t {WITH} where t.account_id = :account and {states}");
        let account = permit
            .account()
            .map(AccountId::to_bytes)
            .unwrap_or_default();
        let owner = permit.owner().map(owner_id);
        let before = before.map(TokenId::to_bytes);
        let at = filter.at.timestamp_millis();
        let query = filter.query.as_ref().map(|query| like(query.as_str()));
        let unused_since = filter.unused_since.map(|since| since.timestamp_millis());
        let over_by = filter.over_by.map(|by| by.timestamp_millis());
        let mut params: Vec<(&str, &dyn ToSql)> = vec![(":account", &account)];
        if states.contains(":at") {
            params.push((":at", &at));
        }
        if let Some(owner) = &owner {
            sql.push_str(" and t.owner_id = :owner");
            params.push((":owner", owner));
        }
        if let Some(before) = &before {
            sql.push_str(" and t.id < :before");
            params.push((":before", before));
        }
        if let Some(query) = &query {
            sql.push_str(" and t.label like :query escape '\\'");
            params.push((":query", query));
        }
        if let Some(since) = &unused_since {
            sql.push_str(" and t.created_at <= :since");
            sql.push_str(" and (u.last_used_at is null or u.last_used_at <= :since)");
            params.push((":since", since));
        }
        if let Some(over_by) = &over_by {
            sql.push_str(" and t.expires_at <= :over_by");
            params.push((":over_by", over_by));
        }
        sql.push_str(" order by t.id desc limit :rows");
        params.push((":rows", &rows));
        self.all(&sql, params.as_slice(), token)
    }
}

/// `text` as a pattern that stands anywhere in a label and means itself.
fn like(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;

    use super::*;
    use crate::{
        domain::clock,
        store::{Durability, sqlite::tests::fresh},
    };

    #[test]
    fn a_look_up_is_prepared_once() {
        let (_folder, place, mut writer) = fresh(Durability::Off);
        let mut reader = File::to_read(&place).unwrap();
        let hash = HashedToken::of("anything");

        for number in 0..100 {
            writer.begin("begin immediate").unwrap();
            let used = Use {
                token: TokenId::fresh(),
                generation: 1,
                at: clock::from_millis(number),
            };
            writer.use_tokens(&[used]).unwrap();
            writer.step("commit").unwrap();
            reader.begin("begin").unwrap();
            let at = clock::from_millis(number);
            assert!(reader.presented(&hash, at).unwrap().is_none());
            reader.undo();
        }

        reader.begin("begin").unwrap();
        let look_up = reader.prepare(&BY_HASH).unwrap();
        // Twice each time: there is nothing behind the last, nor before it.
        assert_eq!(look_up.get_status(StatementStatus::Run), 200);
        assert_eq!(look_up.get_status(StatementStatus::RePrepare), 0);
    }
}
