"""Ways to break the bytes of a file: the same seed breaks it the same way."""

import random
import struct
import zlib
from collections.abc import Callable

TOKENS = (
    b"", b"\x00", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"NaN", b"1e999", b"-1e400", b"Infinity",
    b"99999999999999999999", b"<!DOCTYPE a>", b"<!ENTITY b 'c'>", b"&b;", b"]]>", b"[[[[[[[[", b"{", b"}",
    b'"', b"'", b",", b";", b"\n", b"\r", b"((((", b"))))", b"POLYGON", b"EMPTY", b"\xe6\x9d\x89", b"\x80",
    b"0\n", b"10\n", b"42\n", b"-0.0", b"0", b"srsName='EPSG:0'", b"EPSG:99999", b"../", b"PK\x05\x06",
)  # fmt: skip


def mutate(data: bytes, seed: int) -> bytes:
    """One to four breaks of the file."""
    rng = random.Random(seed)
    broken = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        rng.choice(WAYS)(broken, rng)
    return bytes(broken)


def _place(data: bytearray, rng: random.Random) -> int:
    return rng.randrange(len(data)) if data else 0


def flip(data: bytearray, rng: random.Random) -> None:
    """Change bits of some bytes."""
    for _ in range(rng.randint(1, 8)):
        if data:
            data[_place(data, rng)] ^= 1 << rng.randrange(8)


def overwrite(data: bytearray, rng: random.Random) -> None:
    """Put random bytes over a run."""
    at, length = _place(data, rng), rng.randint(1, 16)
    data[at : at + length] = rng.randbytes(length)


def number(data: bytearray, rng: random.Random) -> None:
    """Put an extreme integer or double where one may stand."""
    at = _place(data, rng)
    value = rng.choice((0, 1, -1, 2**31 - 1, -(2**31), 2**16, 255))
    order = rng.choice("<>")
    packed = struct.pack(f"{order}i", value)
    if rng.random() < 0.3:
        packed = struct.pack(f"{order}d", rng.choice((float("nan"), float("inf"), 1e308, -0.0)))
    data[at : at + len(packed)] = packed


def cut(data: bytearray, rng: random.Random) -> None:
    """Take a run out, or the rest of the file."""
    at = _place(data, rng)
    del data[at : None if rng.random() < 0.3 else at + rng.randint(1, 64)]


def repeat(data: bytearray, rng: random.Random) -> None:
    """Write a run again, up to many times."""
    at = _place(data, rng)
    piece = bytes(data[at : at + rng.randint(1, 64)])
    data[at:at] = piece * rng.choice((1, 2, 50, 500))


def token(data: bytearray, rng: random.Random) -> None:
    """Insert a word that means something to some reader."""
    at = _place(data, rng)
    word = rng.choice(TOKENS)
    data[at : at + rng.choice((0, len(word)))] = word


def swap(data: bytearray, rng: random.Random) -> None:
    """Exchange two runs."""
    one, two, length = _place(data, rng), _place(data, rng), rng.randint(1, 32)
    first, second = bytes(data[one : one + length]), bytes(data[two : two + length])
    data[one : one + length], data[two : two + length] = second, first


WAYS: tuple[Callable[[bytearray, random.Random], None], ...] = (
    flip, overwrite, number, cut, repeat, token, swap,
)  # fmt: skip


def seed_of(name: str, number_: int) -> int:
    """A number that depends on the file's name and the count alone."""
    return zlib.crc32(f"{name}:{number_}".encode())
