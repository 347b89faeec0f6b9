//! The statements about the audit trail: entries are written behind the changes that they tell of,
//! each with a digest of the row as it was left.

use std::collections::HashMap;

use rusqlite::{Row, ToSql, params, types::ValueRef};
use uuid::Uuid;

use super::{
    File,
    rows::{Bytes, actor, digest, id, maybe_id, time, word, wrong},
};
use crate::{
    authz::{Entry, Permit, Record},
    crypto::digest::{Digest, Fields},
    domain::{
        audit::{ABSENT, AuditRecord, Chain, ORIGIN, Target},
        id::{AccountId, TokenId, UserId},
        token::Unknown,
    },
    store::{AuditFilter, Error, Kept, Link, ReadAudit, Reads, WriteAudit, Writes},
};

const RECORD: &str = "select chain, sequence, at, actor, user_id, front, request_id, action,
    target_kind, target_id, owner_id, outcome, reason, count, digest, hash from audit";

/// What an entry tells of: its chain, and what of which kind.
type Thing = (Uuid, &'static str, Uuid);

impl Reads for File {}
impl Writes for File {}

impl ReadAudit for File {
    fn entries(&mut self) -> Result<u64, Error> {
        // Every chain counts from 1, without a gap.
        let sql = "select coalesce(sum(sequence), 0) as sequence from audit_heads";
        Ok(self.prepare(sql)?.query_row([], sequence)?)
    }

    fn audit(
        &mut self,
        permit: &Permit<'_>,
        filter: &AuditFilter,
        before: Option<u64>,
        rows: u32,
    ) -> Result<Vec<AuditRecord>, Error> {
        let chain = permit
            .account()
            .map(AccountId::to_bytes)
            .unwrap_or_default();
        // Without statistics the planner would walk the whole chain for one token's few entries.
        let by = filter.token.map_or("", |_| "indexed by audit_of_target");
        let mut sql = format!("{RECORD} {by} where chain = :chain");
        let mut params: Vec<(&str, &dyn ToSql)> = vec![(":chain", &chain)];
        let before = before.map(place);
        let person = filter.person.map(UserId::to_bytes);
        let token = filter.token.map(TokenId::to_bytes);
        let since = filter.since.map(|at| at.timestamp_millis());
        if let Some(before) = &before {
            sql.push_str(" and sequence < :before");
            params.push((":before", before));
        }
        if let Some(person) = &person {
            sql.push_str(" and (user_id = :person or owner_id = :person)");
            params.push((":person", person));
        }
        let actor = filter.actor.map(|actor| actor.to_string());
        if let Some(actor) = &actor {
            sql.push_str(" and actor = :actor");
            params.push((":actor", actor));
        }
        if let Some(token) = &token {
            sql.push_str(" and target_kind = 'token' and target_id = :token");
            params.push((":token", token));
        }
        if let Some(since) = &since {
            sql.push_str(" and at >= :since");
            params.push((":since", since));
        }
        if let Some(action) = &filter.action {
            sql.push_str(" and action = :action");
            params.push((":action", action));
        }
        sql.push_str(" order by sequence desc limit :rows");
        params.push((":rows", &rows));
        self.all(&sql, params.as_slice(), record)
    }

    fn chains(&mut self, _: &Permit<'_>) -> Result<Vec<(Chain, u64, Digest)>, Error> {
        // A chain whose head was taken away is still found, by its entries.
        let sql =
            "select chain, coalesce(sequence, 0) as sequence, coalesce(hash, zeroblob(32)) as hash
            from (select chain from audit_heads union select distinct chain from audit)
            left join audit_heads using (chain) order by chain";
        self.all(sql, [], |row| {
            Ok((
                Chain::from_key(id(row, "chain")?),
                sequence(row)?,
                digest(row, "hash")?,
            ))
        })
    }

    fn chain(
        &mut self,
        _: &Permit<'_>,
        chain: Chain,
        from: i64,
        rows: u32,
    ) -> Result<Vec<Link>, Error> {
        let sql =
            format!("{RECORD} where chain = ?1 and sequence >= ?2 order by sequence limit ?3");
        let key = chain.key();
        self.all(&sql, params![key.as_bytes(), from, rows], |row| {
            Ok(Link {
                sequence: row.get("sequence")?,
                // One bad entry does not hide what is wrong with the others.
                record: record(row).ok(),
            })
        })
    }

    fn everything_kept(&mut self, _: &Permit<'_>) -> Result<Vec<Kept>, Error> {
        let sql = "select chain, target_kind, target_id, digest, max(sequence) from audit
            where target_id is not null and digest is not null and sequence > 0
            group by chain, target_kind, target_id";
        let told: HashMap<Thing, Digest> = self
            // An entry that cannot be read tells of nothing, and its chain shows it.
            .all(sql, [], |row| Ok(told(row).ok().flatten()))?
            .into_iter()
            .flatten()
            .collect();
        let mut kept = Vec::new();
        for (&(chain, kind, id), digest) in &told {
            let Ok(target) = Target::from_kept(kind, id) else {
                continue;
            };
            kept.push(Kept {
                target,
                told: Some(*digest),
                found: self.row_digest(Chain::from_key(chain), target)?,
            });
        }
        let rows = "select account_id as chain, 'token' as target_kind, id as target_id from tokens
            union all select account_id, 'app_env', id from app_envs
            union all select account_id, 'membership', user_id from memberships
            union all select zeroblob(16), 'user', id from users
            union all select zeroblob(16), 'account', id from accounts";
        let there = self.all(rows, [], |row| {
            let target = target(row)?.ok_or(rusqlite::Error::InvalidQuery)?;
            Ok((id::<Uuid>(row, "chain")?, target))
        })?;
        for (chain, target) in there {
            if !told.contains_key(&(chain, target.kind(), target.uuid())) {
                kept.push(Kept {
                    target,
                    told: None,
                    found: self.row_digest(Chain::from_key(chain), target)?,
                });
            }
        }
        kept.sort_by_key(|kept| (kept.target.kind(), kept.target.uuid()));
        Ok(kept)
    }

    fn damage(&mut self, _: &Permit<'_>) -> Result<Vec<String>, Error> {
        let mut found = self.faults_of_the_file()?;
        found.extend(self.all("pragma foreign_key_check", [], |row| {
            let table: String = row.get(0)?;
            Ok(format!("a row of `{table}` belongs to one that is gone"))
        })?);
        Ok(found)
    }

    fn is_whole(&mut self, _: &Permit<'_>) -> Result<bool, Error> {
        Ok(self.faults_of_the_file()?.is_empty())
    }

    fn is_schema_ours(&mut self, _: &Permit<'_>) -> Result<bool, Error> {
        // The tables of statistics that an administrator had made change no meaning. A trigger may
        // bear their name, too, where somebody writes it into the schema behind SQLite's back.
        let sql = "select type, name, tbl_name, sql from sqlite_schema
            where not (type = 'table' and name in ('sqlite_stat1', 'sqlite_stat4'))
            order by type, name";
        let found = self.all(sql, [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })?;
        Ok(found == super::migrate::schema()?)
    }

    fn sealing_keys(&mut self, _: &Permit<'_>) -> Result<Vec<String>, Error> {
        let sql = "select distinct key_id from token_values where sealed is not null order by 1";
        self.all(sql, [], |row| row.get(0))
    }
}

impl WriteAudit for File {
    fn note(&mut self, entry: &Entry<'_>) {
        self.tell(entry);
    }

    fn append(&mut self, record: &Record) -> Result<(), Error> {
        self.append_refusal(record)
    }
}

impl File {
    /// Puts `entry` behind the running verb's changes, once.
    pub(super) fn tell(&mut self, entry: &Entry<'_>) {
        let record = entry.record();
        let is_told = self.pending.iter().any(|told| {
            (told.action, told.target, &told.reason)
                == (record.action, record.target, &record.reason)
        });
        if !is_told {
            self.pending.push(record.clone());
        }
    }

    /// Writes the entries of a verb that has succeeded.
    pub(super) fn write_pending(&mut self) -> Result<(), Error> {
        for record in std::mem::take(&mut self.pending) {
            let left = match record.target {
                Some(target) => Some(self.row_digest(record.chain, target)?),
                None => None,
            };
            self.write_down(&record, left)?;
        }
        Ok(())
    }

    /// Writes the one record that is kept of a verb that was refused.
    pub(super) fn append_refusal(&mut self, record: &Record) -> Result<(), Error> {
        self.write_down(record, None)
    }

    fn write_down(&mut self, record: &Record, left: Option<Digest>) -> Result<(), Error> {
        let key = record.chain.key();
        let sql = "select sequence, hash from audit_heads where chain = ?1";
        let head = self.one(sql, [key.as_bytes()], |row| {
            Ok((sequence(row)?, digest(row, "hash")?))
        })?;
        let (last, before) = head.unwrap_or((0, ORIGIN));
        let mut written = AuditRecord {
            chain: record.chain,
            sequence: last + 1,
            at: record.at,
            actor: record.actor,
            user: record.user,
            front: record.front,
            request: record.request,
            action: record.action.to_owned(),
            target: record.target,
            owner: record.owner,
            outcome: record.outcome,
            reason: record.reason.clone(),
            count: record.count,
            digest: left,
            hash: ORIGIN,
        };
        written.hash = written.chained(&before);
        let sql = "insert into audit (chain, sequence, at, actor, user_id, front, request_id,
                action, target_kind, target_id, owner_id, outcome, reason, count, digest, hash)
            values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)";
        self.change(
            sql,
            params![
                key.as_bytes(),
                place(written.sequence),
                written.at.timestamp_millis(),
                written.actor.to_string(),
                written.user.map(crate::domain::id::UserId::to_bytes),
                written.front.as_str(),
                written.request.to_bytes(),
                written.action,
                written.target.map(|target| target.kind()),
                written.target.map(|target| *target.uuid().as_bytes()),
                written.owner.map(crate::domain::id::UserId::to_bytes),
                written.outcome.as_str(),
                written.reason,
                written.count,
                written.digest,
                written.hash,
            ],
        )?;
        let sql = "insert into audit_heads (chain, sequence, hash) values (?1, ?2, ?3)
            on conflict (chain) do update set sequence = excluded.sequence, hash = excluded.hash";
        self.change(
            sql,
            params![key.as_bytes(), place(written.sequence), written.hash],
        )?;
        Ok(())
    }

    /// The digest of a row as it is now. The columns and their order are kept for good: others
    /// make every digest that was told wrong.
    fn row_digest(&self, chain: Chain, target: Target) -> Result<Digest, Error> {
        let sql = match target {
            Target::Token(_) => {
                "select id, kind, account_id, owner_kind, owner_id, label, scopes, created_at,
                    created_by, parent_id, expires_at, disabled_at, disabled_by_person, revoked_at,
                    client_id, audience, family from tokens where id = ?1 and ?2 = account_id"
            }
            Target::User(_) => {
                "select id, username, email, os_uid, created_at, deactivated_at from users
                    where id = ?1 and ?2 = zeroblob(16)"
            }
            Target::Account(_) => {
                "select id, slug, name, created_at from accounts
                    where id = ?1 and ?2 in (zeroblob(16), id)"
            }
            Target::Membership(_) => {
                "select user_id, account_id, role from memberships
                    where user_id = ?1 and account_id = ?2"
            }
            Target::AppEnv(_) => {
                "select id, account_id, name, cli_env_name, created_at from app_envs
                    where id = ?1 and account_id = ?2"
            }
        };
        let (id, key) = (target.uuid(), chain.key());
        let purpose = Fields::new("keywright row 1").text(target.kind());
        let params = params![id.as_bytes(), key.as_bytes()];
        let Some(mut fields) = self.one(sql, params, |row| fold(purpose.clone(), row))? else {
            return Ok(ABSENT);
        };
        if let Target::Token(_) = target {
            let sql =
                "select generation, hash, coalesce(format, 'keywright'), prefix, generated_at, dies_at, sealed, key_id
                from token_values where token_id = ?1 order by generation";
            fields = self.fold_all(fields, sql, id)?;
            // A claim that waits makes a value: whoever writes one has a token.
            let sql = "select code_hash, opened_by, opened_at, expires_at, overlap from claims
                where token_id = ?1 and used_at is null";
            fields = self.fold_all(fields, sql, id)?;
        }
        Ok(fields.finish())
    }
}

impl File {
    /// What SQLite finds wrong with the file.
    fn faults_of_the_file(&self) -> Result<Vec<String>, Error> {
        let mut found = self.all("pragma integrity_check", [], |row| row.get(0))?;
        found.retain(|line: &String| line != "ok");
        Ok(found)
    }

    /// Adds every row that `sql` finds for `id`.
    fn fold_all(&self, mut fields: Fields, sql: &str, id: Uuid) -> Result<Fields, Error> {
        let mut statement = self.prepare(sql)?;
        let mut rows = statement.query([id.as_bytes()])?;
        while let Some(row) = rows.next()? {
            fields = fold(fields, row)?;
        }
        Ok(fields)
    }
}

/// Adds every column of `row`.
fn fold(mut fields: Fields, row: &Row<'_>) -> rusqlite::Result<Fields> {
    for column in 0..row.as_ref().column_count() {
        fields = match row.get_ref(column)? {
            // Told in words, as it was kept when the first digests were.
            ValueRef::Blob(_) if row.as_ref().column_name(column)? == "created_by" => {
                fields.text(&actor(row, column)?.to_string())
            }
            ValueRef::Null => fields.maybe(None, Fields::text),
            ValueRef::Integer(number) => fields.number(number),
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => fields.bytes(bytes),
            ValueRef::Real(_) => return Err(rusqlite::Error::InvalidQuery),
        };
    }
    Ok(fields)
}

fn record(row: &Row<'_>) -> rusqlite::Result<AuditRecord> {
    let left: Option<Bytes<32>> = row.get("digest")?;
    Ok(AuditRecord {
        chain: Chain::from_key(id(row, "chain")?),
        sequence: sequence(row)?,
        at: time(row, "at")?,
        actor: word(row, "actor", str::parse)?,
        user: maybe_id(row, "user_id")?,
        front: word(row, "front", str::parse)?,
        request: id(row, "request_id")?,
        action: row.get("action")?,
        target: target(row)?,
        owner: maybe_id(row, "owner_id")?,
        outcome: word(row, "outcome", str::parse)?,
        reason: row.get("reason")?,
        count: row.get("count")?,
        digest: left.map(|Bytes(bytes)| bytes),
        hash: digest(row, "hash")?,
    })
}

/// Of what an entry tells, in which chain, and how it left it; `None` if it tells of nothing.
fn told(row: &Row<'_>) -> rusqlite::Result<Option<(Thing, Digest)>> {
    let Some(target) = target(row)? else {
        return Ok(None);
    };
    let key = (id(row, "chain")?, target.kind(), target.uuid());
    Ok(Some((key, digest(row, "digest")?)))
}

fn target(row: &Row<'_>) -> rusqlite::Result<Option<Target>> {
    match maybe_id(row, "target_id")? {
        None => match row.get("target_kind")? {
            None => Ok(None),
            // Nobody wrote that, and no hash would tell.
            Some::<String>(_) => Err(wrong(Unknown)),
        },
        Some(id) => word(row, "target_kind", |kind| Target::from_kept(kind, id)).map(Some),
    }
}

fn sequence(row: &Row<'_>) -> rusqlite::Result<u64> {
    let kept: i64 = row.get("sequence")?;
    Ok(u64::try_from(kept).unwrap_or(0))
}

fn place(sequence: u64) -> i64 {
    i64::try_from(sequence).unwrap_or(i64::MAX)
}
