//! The statements about pick-ups, and about calls that can be made again.

use rusqlite::{Row, params};

use super::{
    File,
    rows::{Bytes, digest, id, maybe_time, time, word, wrong},
    token_rows::{TOKEN, WITH, owner_id, token},
};
use crate::{
    authz::{Entry, Permit},
    domain::{
        actor::Actor,
        claim::{Claim, HashedCode},
        clock::Time,
        id::{AccountId, TokenId},
        token::{Token, Unknown},
    },
    store::{Error, ReadClaims, Replay, WriteClaims},
};

const CLAIM: &str =
    "select c.code_hash, c.token_id, c.opened_by, c.opened_at, c.expires_at as claim_ends,
    c.overlap, c.used_at";

impl ReadClaims for File {
    fn claim(&mut self, code: &HashedCode) -> Result<Option<Claim>, Error> {
        let sql = format!("{CLAIM} from claims c where c.code_hash = ?1");
        self.one(&sql, [code.as_bytes()], claim)
    }

    fn open_claims(&mut self, permit: &Permit<'_>, at: Time) -> Result<Vec<(Claim, Token)>, Error> {
        // The token's columns come first: they are read by their places.
        let columns = CLAIM.trim_start_matches("select");
        let sql = format!(
            "{TOKEN}, {columns} from claims c cross join tokens t on t.id = c.token_id {WITH}
            where c.used_at is null and c.expires_at > ?1 and t.revoked_at is null
                and (?2 is null or t.account_id = ?2) and (?3 is null or t.owner_id = ?3)
            order by c.opened_at, t.id"
        );
        let account = permit.account().map(AccountId::to_bytes);
        let params = params![at.timestamp_millis(), account, permit.owner().map(owner_id),];
        self.all(&sql, params, |row| Ok((claim(row)?, token(row)?)))
    }

    fn claim_of(&mut self, permit: &Permit<'_>, id: TokenId) -> Result<Option<Claim>, Error> {
        let sql = format!(
            "{CLAIM} from claims c join tokens t on t.id = c.token_id
            where t.id = ?1 and t.account_id is coalesce(?2, t.account_id)
            order by c.used_at is null desc, c.opened_at desc limit 1"
        );
        let account = permit.account().map(AccountId::to_bytes);
        let params = params![id.to_bytes(), account];
        self.one(&sql, params, claim)
    }

    fn never_claimed(&mut self, _: &Permit<'_>, at: Time) -> Result<Vec<TokenId>, Error> {
        let sql = "select c.token_id from claims c
            join tokens t on t.id = c.token_id
            where c.used_at is null and c.opened_at <= ?1 and t.revoked_at is null
                and not exists (select 1 from token_values where token_id = c.token_id)
                and not exists (select 1 from tokens where parent_id = c.token_id)
            order by c.token_id limit 1000";
        self.all(sql, [at.timestamp_millis()], |row| id(row, "token_id"))
    }

    fn lapsed_claims(&mut self, _: &Permit<'_>, at: Time) -> Result<Vec<TokenId>, Error> {
        let sql = "select token_id from claims c where used_at is null and expires_at < ?1
            and exists (select 1 from token_values where token_id = c.token_id)
            order by token_id limit 1000";
        self.all(sql, [at.timestamp_millis()], |row| id(row, "token_id"))
    }

    fn replay(
        &mut self,
        holder: Actor,
        verb: &'static str,
        key: &str,
    ) -> Result<Option<Replay>, Error> {
        let sql = "select arguments, token_id, claim, created_at from idempotency_keys
            where holder = ?1 and verb = ?2 and key = ?3";
        self.one(sql, params![holder.to_string(), verb, key], |row| {
            let claim: Option<Bytes<32>> = row.get("claim")?;
            Ok(Replay {
                holder,
                verb,
                key: key.to_owned(),
                arguments: digest(row, "arguments")?,
                token: id(row, "token_id")?,
                claim: claim.map(|Bytes(code)| HashedCode::from_kept(code)),
                at: time(row, "created_at")?,
            })
        })
    }
}

impl WriteClaims for File {
    fn open_claim(&mut self, claim: &Claim, entry: &Entry<'_>) -> Result<(), Error> {
        self.close_claim(claim.token, entry)?;
        let sql =
            "insert into claims (code_hash, token_id, opened_by, opened_at, expires_at, overlap)
            values (?1, ?2, ?3, ?4, ?5, ?6)";
        self.change(
            sql,
            params![
                claim.code.as_bytes(),
                claim.token.to_bytes(),
                claim.opened_by.to_string(),
                claim.opened_at.timestamp_millis(),
                claim.expires_at.timestamp_millis(),
                claim.overlap.num_milliseconds(),
            ],
        )?;
        Ok(())
    }

    fn close_claim(&mut self, id: TokenId, entry: &Entry<'_>) -> Result<(), Error> {
        let sql = "delete from claims where token_id = ?1 and used_at is null";
        self.change(sql, [id.to_bytes()])?;
        self.tell(entry);
        Ok(())
    }

    fn use_claim(
        &mut self,
        code: &HashedCode,
        used_at: Option<Time>,
        entry: &Entry<'_>,
    ) -> Result<(), Error> {
        let sql = "update claims set used_at = ?2 where code_hash = ?1";
        let used_at = used_at.map(|at| at.timestamp_millis());
        self.change(sql, params![code.as_bytes(), used_at])?;
        self.tell(entry);
        Ok(())
    }

    fn keep_replay(&mut self, replay: &Replay, entry: &Entry<'_>) -> Result<(), Error> {
        let sql = "insert into idempotency_keys
                (holder, verb, key, arguments, token_id, claim, created_at)
            values (?1, ?2, ?3, ?4, ?5, ?6, ?7)
            on conflict (holder, verb, key) do update set arguments = excluded.arguments,
                token_id = excluded.token_id, claim = excluded.claim,
                created_at = excluded.created_at";
        self.change(
            sql,
            params![
                replay.holder.to_string(),
                replay.verb,
                replay.key,
                replay.arguments,
                replay.token.to_bytes(),
                replay.claim.as_ref().map(HashedCode::as_bytes),
                replay.at.timestamp_millis(),
            ],
        )?;
        self.tell(entry);
        Ok(())
    }

    fn forget(&mut self, _: &Permit<'_>, replays: Time, claims: Time) -> Result<(), Error> {
        let sql = "delete from idempotency_keys where created_at <= ?1";
        self.change(sql, [replays.timestamp_millis()])?;
        // One that still waits is told of with its token, and goes with it.
        let sql = "delete from claims where used_at < ?1";
        self.change(sql, [claims.timestamp_millis()])?;
        Ok(())
    }
}

fn claim(row: &Row<'_>) -> rusqlite::Result<Claim> {
    let Bytes(code) = row.get("code_hash")?;
    Ok(Claim {
        code: HashedCode::from_kept(code),
        token: id(row, "token_id")?,
        opened_by: word(row, "opened_by", str::parse)?,
        opened_at: time(row, "opened_at")?,
        expires_at: time(row, "claim_ends")?,
        overlap: chrono::Duration::try_milliseconds(row.get("overlap")?)
            .ok_or_else(|| wrong(Unknown))?,
        used_at: maybe_time(row, "used_at")?,
    })
}
