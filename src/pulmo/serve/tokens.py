"""Tokens: who may call the server. Only their hashes are kept."""

import hashlib
import hmac
import re
import secrets
from typing import Final, NamedTuple

from pulmo.core.errors import InputError, UsageError
from pulmo.daemon.audit_log import LOCAL, Entry, append
from pulmo.daemon.database import Database, now

_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Token(NamedTuple):
    """A token that was made.

    Attributes:
        name: of its holder, which the log names.
        created: when.
        revoked: when it was revoked; None if it is valid.
        sees_all: whether its holder sees and deletes the results of all, and not their own alone.
    """

    name: str
    created: str
    revoked: str | None
    sees_all: bool


class Holder(NamedTuple):
    """Who holds a valid token; the attributes are those of `Token`."""

    name: str
    sees_all: bool


def create_token(database: Database, name: str, *, sees_all: bool = False) -> str:
    """Makes a token, which nothing can show again.

    Args:
        database: of the server.
        name: of its holder.
        sees_all: whether they see and delete the results of all, and not their own alone.

    Raises:
        UsageError: the name is taken, or has other characters than letters, digits, dot, line and
            underline.
    """
    if not _NAME.fullmatch(name) or name == LOCAL:
        raise UsageError(
            "token-name-invalid",
            f"{name!r} cannot be the name of a token: letters, digits, '.', '_' and '-' can, 64 at "
            f"most, and {LOCAL!r} stands for calls without a token.",
        )
    # 32 random bytes cannot be guessed, so that a plain hash is as good as a slow one.
    token = f"pulmo_{secrets.token_urlsafe(32)}"
    with database.transaction() as connection:
        if connection.execute("SELECT 1 FROM tokens WHERE name = ?", (name,)).fetchone():
            raise UsageError(
                "token-exists", f"There is or was a token {name}; a name is given once."
            )
        connection.execute(
            "INSERT INTO tokens (name, sha256, created, sees_all) VALUES (?, ?, ?, ?)",
            (name, _hash(token), now(), sees_all),
        )
        scope = " for all results" if sees_all else ""
        append(connection, Entry(LOCAL, f"create token {name}{scope}"))
    return token


def revoke_token(database: Database, name: str) -> None:
    """Makes a token invalid, at once and for good.

    Raises:
        InputError: there is no such token.
    """
    with database.transaction() as connection:
        done = connection.execute(
            "UPDATE tokens SET revoked = ? WHERE name = ? AND revoked IS NULL", (now(), name)
        )
        if not done.rowcount:
            raise InputError("token-not-found", f"There is no valid token {name}.")
        append(connection, Entry(LOCAL, f"revoke token {name}"))


def tokens_of(database: Database) -> list[Token]:
    """Returns all tokens that were made, the oldest first."""
    query = "SELECT name, created, revoked, sees_all FROM tokens ORDER BY created"
    return [
        Token(name, created, revoked, bool(sees_all))
        for name, created, revoked, sees_all in database.rows(query)
    ]


def has_token(database: Database) -> bool:
    """Returns whether there is a valid token."""
    return bool(database.rows("SELECT 1 FROM tokens WHERE revoked IS NULL LIMIT 1"))


def holder_of(database: Database, token: str) -> Holder | None:
    """Returns the holder of a token; None if the token is not valid."""
    given, holder = _hash(token), None
    query = "SELECT name, sha256, sees_all FROM tokens WHERE revoked IS NULL"
    # All are compared, each in constant time.
    for name, known, sees_all in database.rows(query):
        if hmac.compare_digest(given, known):
            holder = Holder(name, bool(sees_all))
    return holder


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
