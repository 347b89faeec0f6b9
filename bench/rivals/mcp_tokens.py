"""mcp_tokens.mjs in Python, with the official SDK's FastMCP on the same SQLite file:

python mcp_tokens.py STORE
"""

import hashlib
import secrets
import sqlite3
import sys
import uuid
from datetime import UTC, datetime, timedelta
from typing import Literal

from mcp.server.fastmcp import FastMCP
from pydantic import BaseModel

COLUMNS = "id, label, prefix, scopes, created_at, expires_at"

database = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=5)
database.execute("pragma journal_mode = wal")
database.execute("pragma synchronous = full")

server = FastMCP("tokens", log_level="ERROR")


class Token(BaseModel):
    id: str
    label: str
    prefix: str
    scopes: list[str]
    state: Literal["active", "expired", "revoked"]
    created_at: str
    last_used_at: str | None
    expires_at: str | None


class NewToken(Token):
    token: str


class Tokens(BaseModel):
    tokens: list[Token]
    next_cursor: str | None


class Revoked(BaseModel):
    id: str
    revoked_at: str


def written(moment):
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@server.tool()
def create_token(label: str, scopes: list[str] = []) -> NewToken:
    """Makes a token."""
    now = datetime.now(UTC)
    value = "py_pat_" + secrets.token_urlsafe(32)
    made = NewToken(
        id=str(uuid.uuid4()),
        label=label,
        prefix=value[:11],
        scopes=scopes,
        state="active",
        created_at=written(now),
        last_used_at=None,
        expires_at=written(now + timedelta(days=90)),
        token=value,
    )
    row = (made.id, label, made.prefix, " ".join(scopes), made.created_at, made.expires_at)
    hashed = hashlib.sha256(value.encode()).digest()
    database.execute(f"insert into tokens ({COLUMNS}, hash) values (?, ?, ?, ?, ?, ?, ?)", (*row, hashed))
    return made


@server.tool()
def list_tokens(limit: int = 50, cursor: str | None = None) -> Tokens:
    """Lists tokens, newest first."""
    rows = database.execute(
        f"select {COLUMNS}, last_used_at, number from tokens"
        " where revoked_at is null and number < ? order by number desc limit ?",
        (int(cursor or 2**53), limit),
    ).fetchall()
    now = written(datetime.now(UTC))
    tokens = [
        Token(
            id=row[0],
            label=row[1],
            prefix=row[2],
            scopes=row[3].split(),
            state="expired" if row[5] is not None and row[5] <= now else "active",
            created_at=row[4],
            last_used_at=row[6],
            expires_at=row[5],
        )
        for row in rows
    ]
    return Tokens(tokens=tokens, next_cursor=str(rows[-1][7]) if len(rows) == limit else None)


@server.tool()
def delete_token(id: str) -> Revoked:
    """Revokes a token."""
    revoked_at = written(datetime.now(UTC))
    done = database.execute(
        "update tokens set revoked_at = ? where id = ? and revoked_at is null", (revoked_at, id)
    )
    if done.rowcount == 0:
        raise ValueError("no such token")
    return Revoked(id=id, revoked_at=revoked_at)


server.run()
