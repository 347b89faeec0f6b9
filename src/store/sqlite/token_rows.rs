//! What a row says of a token: the columns that are read together, the look-ups that read them, and
//! the value that they make.

use std::sync::LazyLock;

use rusqlite::{Row, types::ValueRef};

use super::rows::{actor, id, maybe_id, maybe_time, maybe_word, time, word, wrong};
use crate::{
    crypto::digest,
    domain::{
        credential::{HashedToken, TokenPrefix},
        label::Label,
        scope::Scopes,
        token::{
            Disabled, Format, Kind, Owner, OwnerNow, Powers, Present, Presented, Standing, Token,
            Unknown,
        },
    },
};

/// A token with its present value and its last use.
pub(super) const TOKEN: &str = "select t.id, t.kind, t.account_id, t.owner_kind, t.owner_id,
    t.label, t.scopes, t.created_at, t.created_by, t.parent_id, t.expires_at, t.disabled_at,
    t.disabled_by_person, t.revoked_at, u.last_used_at, v.generation, v.prefix, v.generated_at,
    coalesce(v.format, 'keywright')";

/// How many columns those are.
const WIDTH: usize = 19;

/// Where the last of those columns come from, behind `tokens t`.
pub(super) const WITH: &str = "left join token_uses u on u.token_id = t.id
    left join token_values v on v.token_id = t.id and v.generation =
        (select max(generation) from token_values where token_id = t.id)";

/// The look-up of the hot path, put together once: the value with this print, by the half of it that
/// the index holds; if nobody has it, the next one, and none behind the last. [`presented_as`] tells
/// them apart.
pub(super) static BY_HASH: LazyLock<String> = LazyLock::new(|| {
    presented_where(
        // The half is the index's own word, and the whole that of its table.
        ", substr(p.hash, 1, 16) is substr(?1, 1, 16), p.hash",
        // Whatever somebody's statistics say.
        "indexed by token_values_by_hash",
        "substr(p.hash, 1, 16) >= substr(?1, 1, 16) order by substr(p.hash, 1, 16) limit 1",
    )
});

/// The present value of a token.
pub(super) static BY_ID: LazyLock<String> = LazyLock::new(|| {
    presented_where(
        "",
        "",
        "p.token_id = ?1 and p.generation =
            (select max(generation) from token_values where token_id = ?1)",
    )
});

fn presented_where(more: &str, by: &str, which: &str) -> String {
    format!(
        "{TOKEN}, p.generation as presented, p.dies_at, o.id as user_id, o.deactivated_at, m.role,
            e.id as app_env_id, o.username{more}
        from token_values p {by}
        cross join tokens t on t.id = p.token_id
        {WITH}
        left join users o on t.owner_kind = 'user' and o.id = t.owner_id
        left join memberships m on m.account_id = t.account_id and m.user_id = t.owner_id
        left join app_envs e on t.owner_kind = 'app_env' and e.id = t.owner_id
            and e.account_id = t.account_id
        where {which}"
    )
}

/// What [`presented_where`] adds behind the token's columns.
pub(super) fn presented(row: &Row<'_>) -> rusqlite::Result<Presented> {
    let token = token(row)?;
    let owner = match (maybe_id(row, WIDTH + 2)?, row.get_ref(WIDTH + 5)?) {
        (Some(user), _) => OwnerNow::User(Standing {
            user,
            account: token.account,
            active: maybe_time(row, WIDTH + 3)?.is_none(),
            role: super::accounts::role(row, WIDTH + 4)?,
        }),
        (None, ValueRef::Null) => OwnerNow::Gone,
        (None, _) => OwnerNow::AppEnv,
    };
    Ok(Presented {
        token,
        generation: row.get(WIDTH)?,
        dies_at: maybe_time(row, WIDTH + 1)?,
        owner,
        username: maybe_word(row, WIDTH + 6, str::parse)?,
    })
}

/// The same, if it is the value with this print. The row of another is read and let go: a value that
/// nobody ever had is refused after the same steps, and so in the same time, as one that is no good
/// any more.
pub(super) fn presented_as(
    hash: &HashedToken,
    row: &Row<'_>,
) -> rusqlite::Result<Option<Presented>> {
    let read = presented(row);
    // What is no print is nobody's.
    let whole = row.get_ref(WIDTH + 8)?.as_blob().unwrap_or_default();
    if row.get(WIDTH + 7)? && digest::equal(whole, hash.as_bytes()) {
        read.map(Some)
    } else {
        Ok(None)
    }
}

/// The token in a row that begins with [`TOKEN`]'s columns. They are read by their places: looking
/// for names took a third of the time of a list.
pub(super) fn token(row: &Row<'_>) -> rusqlite::Result<Token> {
    let generation: Option<u32> = row.get(15)?;
    let present = match generation {
        None => None,
        Some(generation) => Some(Present {
            generation,
            format: word(row, 18, str::parse::<Format>)?,
            prefix: row
                .get_ref(16)?
                .as_str_or_null()?
                .map(TokenPrefix::from_kept),
            generated_at: time(row, 17)?,
        }),
    };
    Ok(Token {
        id: id(row, 0)?,
        kind: word(row, 1, str::parse::<Kind>)?,
        account: id(row, 2)?,
        owner: owner(row, 3)?,
        label: Label::from_kept(row.get_ref(5)?.as_str()?),
        powers: powers(row, 6, 10)?,
        created_at: time(row, 7)?,
        created_by: actor(row, 8)?,
        parent: maybe_id(row, 9)?,
        last_used_at: maybe_time(row, 14)?,
        disabled: disabled(row, 11)?,
        revoked_at: maybe_time(row, 13)?,
        present,
    })
}

/// When, and behind it whether by a person.
pub(super) fn disabled(row: &Row<'_>, at: usize) -> rusqlite::Result<Option<Disabled>> {
    match maybe_time(row, at)? {
        None => Ok(None),
        Some(time) => Ok(Some(Disabled {
            at: time,
            by_person: row.get(at + 1)?,
        })),
    }
}

pub(super) fn powers(row: &Row<'_>, scopes: usize, expires_at: usize) -> rusqlite::Result<Powers> {
    Ok(Powers {
        scopes: word(row, scopes, |text| Scopes::parse(text.split_whitespace()))?,
        expires_at: maybe_time(row, expires_at)?,
    })
}

/// A format as it is kept: our own is the one that needs no words.
pub(super) fn format_text(format: &Format) -> Option<String> {
    match format {
        Format::Keywright => None,
        Format::Shaped(_) | Format::Imported => Some(format.to_string()),
    }
}

/// The kind of owner, and behind it the id.
pub(super) fn owner(row: &Row<'_>, at: usize) -> rusqlite::Result<Owner> {
    match row.get_ref(at)?.as_str()? {
        "user" => Ok(Owner::User(id(row, at + 1)?)),
        "app_env" => Ok(Owner::AppEnv(id(row, at + 1)?)),
        _ => Err(wrong(Unknown)),
    }
}

pub(super) fn owner_id(owner: Owner) -> [u8; 16] {
    match owner {
        Owner::User(id) => id.to_bytes(),
        Owner::AppEnv(id) => id.to_bytes(),
    }
}
