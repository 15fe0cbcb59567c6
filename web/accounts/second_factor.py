"""The second factor: a time-based code (RFC 6238), each used once, and ten recovery codes.

A code counts for its own half minute and the ones beside it, and never again: the last time step
is kept.  Secrets lie encrypted under this installation's key, so that a dump of the database gives
none away; recovery codes have 59 random bits, so a plain SHA-256 keeps them.
"""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import pyotp
from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from registry import events
from registry.db import Command
from registry.errors import NotFoundError, RegistryError
from web.accounts.models import Login, RecoveryCode
from web.accounts.passwords import matches
from web.context import config
from web.keys import secret as kept

ISSUER: Final = "碳汇 Tanhui"
CODES: Final = 10
_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"
_GROUPS: Final = 3
_WINDOW: Final = (-1, 0, 1)


class CodeWrongError(RegistryError):
    """The code is not the one of now, or was used before."""

    code = "SECOND_FACTOR_WRONG"


class FactorStateError(RegistryError):
    """The second factor is set up already, or not set up."""

    code = "SECOND_FACTOR_STATE"


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorCommand(Command):
    """Change one's own second factor; no secret and no code is part of a command."""

    login_id: UUID


def new_secret() -> str:
    """Return a fresh secret in base 32."""
    return pyotp.random_base32()


def address_of(secret: str, username: str) -> str:
    """Return the ``otpauth:`` address that an authenticator reads from the picture."""
    return pyotp.TOTP(secret).provisioning_uri(name=username, issuer_name=ISSUER)


def set_up(session: Session, command: FactorCommand, *, secret: str, code: str) -> tuple[str, ...]:
    """Keep a secret whose code proves that the phone has it; return the recovery codes, once.

    Raises
    ------
    FactorStateError : it is set up already.
    CodeWrongError : the code is not the secret's.
    """
    login = _locked(session, command.login_id)
    if login.tf_totp_secret:
        raise FactorStateError(state="on")
    step = _step_of(secret, code, at=command.at, after=None)
    if step is None:
        raise CodeWrongError
    login.tf_totp_secret, login.totp_last = _box().encrypt(secret.encode()).decode(), step
    session.flush()
    _record(session, command, "login.second_factor_on")
    return _new_codes(session, command)


def renew_codes(
    session: Session, command: FactorCommand, *, password: str, code: str
) -> tuple[str, ...]:
    """Replace the recovery codes; return the new ones, once.

    Raises
    ------
    FactorStateError, CodeWrongError
    """
    _proven(session, command, password=password, code=code)
    _record(session, command, "login.recovery_codes_renewed")
    return _new_codes(session, command)


def switch_off(session: Session, command: FactorCommand, *, password: str, code: str) -> None:
    """Do without the second factor; password and code prove who asks.

    Raises
    ------
    FactorStateError, CodeWrongError
    """
    login = _proven(session, command, password=password, code=code)
    remove(session, login, at=command.at)
    _record(session, command, "login.second_factor_off")


def remove(session: Session, login: Login, *, at: datetime) -> None:
    """Take secret and recovery codes away; the caller says who asked and records it."""
    login.tf_totp_secret, login.totp_last = None, None
    _use_up(session, login.id, at=at)
    session.flush()


def is_right(session: Session, login: Login, code: str, *, at: datetime) -> bool:
    """Say whether a code or recovery code is right, and use it up; the caller commits."""
    if not login.tf_totp_secret:
        return False
    session.refresh(login, with_for_update=True)
    try:
        secret = _box().decrypt(login.tf_totp_secret.encode()).decode()
    except InvalidToken:  # another installation's key: recovery codes still open it
        secret = None
    step = _step_of(secret, code, at=at, after=login.totp_last) if secret else None
    if step is not None:
        login.totp_last = step
        session.flush()
        return True
    statement = (
        update(RecoveryCode)
        .where(
            RecoveryCode.login_id == login.id,
            RecoveryCode.sha256 == _digest(code),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=at)
        .returning(RecoveryCode.id)
    )
    return session.scalar(statement) is not None


def codes_left(session: Session, login_id: UUID) -> int:
    """Return how many recovery codes are not used up."""
    return int(session.scalar(_LEFT, {"login": login_id}) or 0)


def _box() -> Fernet:
    """Return the box of this installation's key."""
    key = kept(config().state_dir / "keys", "totp")
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(key).digest()))


def _step_of(secret: str, code: str, *, at: datetime, after: int | None) -> int | None:
    """Return the time step whose code this is, if it is one of now and not used up."""
    counter = pyotp.TOTP(secret)
    now = int(at.timestamp()) // counter.interval
    digits = code.replace(" ", "").encode()
    for step in (now + offset for offset in _WINDOW):
        is_fresh = after is None or step > after
        if hmac.compare_digest(counter.generate_otp(step).encode(), digits) and is_fresh:
            return step
    return None


def _proven(session: Session, command: FactorCommand, *, password: str, code: str) -> Login:
    login = _locked(session, command.login_id)
    if not login.tf_totp_secret:
        raise FactorStateError(state="off")
    if not matches(password, login.password) or not is_right(session, login, code, at=command.at):
        raise CodeWrongError
    return login


def _locked(session: Session, login_id: UUID) -> Login:
    login = session.scalar(select(Login).where(Login.id == login_id).with_for_update())
    if login is None:
        raise NotFoundError(what="login", id=login_id)
    return login


def _new_codes(session: Session, command: FactorCommand) -> tuple[str, ...]:
    _use_up(session, command.login_id, at=command.at)
    made = tuple(_code() for _ in range(CODES))
    session.add_all(
        RecoveryCode(login_id=command.login_id, sha256=_digest(one), created_at=command.at)
        for one in made
    )
    session.flush()
    return made


def _use_up(session: Session, login_id: UUID, *, at: datetime) -> None:
    session.execute(_USE_UP, {"login": login_id, "at": at})


def _code() -> str:
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(_GROUPS))


def _digest(code: str) -> bytes:
    return hashlib.sha256(code.strip().lower().replace(" ", "").encode()).digest()


def _record(session: Session, command: FactorCommand, kind: str) -> None:
    events.record(session, command, kind=kind, subject=("login", str(command.login_id)), body={})


_LEFT = text("SELECT count(*) FROM recovery_code WHERE login_id = :login AND used_at IS NULL")
_USE_UP = text("UPDATE recovery_code SET used_at = :at WHERE login_id = :login AND used_at IS NULL")
