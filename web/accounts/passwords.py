"""Passwords: argon2id, and which ones are too weak to take."""

import secrets
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

LENGTH_MIN: Final = 10
LENGTH_MAX: Final = 200
_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"
"""What a printed password is made of: nothing that is easily taken for another."""
_HASHER = PasswordHasher()
_NOBODY = _HASHER.hash("nobody has this password")


def weakness(password: str, *, username: str) -> str | None:
    """Return why a password is not taken, or None: length, not the name (NIST 800-63B)."""
    if not LENGTH_MIN <= len(password) <= LENGTH_MAX:
        return f"{LENGTH_MIN}-{LENGTH_MAX} 个字符 characters"
    if username and username in password.lower():
        return "不能包含用户名 must not hold the username"
    return None


def hashed(password: str) -> str:
    """Return the argon2id hash with its parameters and salt."""
    return _HASHER.hash(password)


def one_time() -> str:
    """Return a random password to be printed once: four groups of four, 79 bits."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(4))


def matches(password: str, stored: str | None) -> bool:
    """Say whether a password is the stored one; an unknown name takes as long as a known one."""
    try:
        _HASHER.verify(stored or _NOBODY, password[:LENGTH_MAX])
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None
