"""Serial numbers: one a kilogram, written as ranges with both ends inside.

``CN-<adcode6>-FCS-<project6>-<batch3>-<vintage4>-<start>-<end>``, the ends decimal, from 1, with
no leading zero.  The first six parts name the batch and are never used again.
"""

import re
from dataclasses import dataclass
from typing import Final

from registry.unit_errors import BatchNumbersSpentError, SerialInvalidError

LAST_BATCH: Final = 999
_PREFIX: Final = r"CN-(?P<adcode>\d{6})-FCS-(?P<project>\d{6})-(?P<batch>\d{3})-(?P<vintage>\d{4})"
_SERIAL: Final = re.compile(
    rf"(?P<prefix>{_PREFIX})-(?P<first>[1-9]\d{{0,17}})-(?P<last>[1-9]\d{{0,17}})", re.ASCII
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SerialRange:
    """Serials ``first`` to ``last``, both inside, of the batch named by ``prefix``."""

    prefix: str
    first: int
    last: int

    def __post_init__(self) -> None:
        if not 1 <= self.first <= self.last:
            raise SerialInvalidError(serial=f"{self.prefix}-{self.first}-{self.last}")

    @property
    def kg(self) -> int:
        """How many kilograms these are: one a serial."""
        return self.last - self.first + 1

    def __str__(self) -> str:
        return f"{self.prefix}-{self.first}-{self.last}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchName:
    """What a batch's prefix says."""

    adcode: str
    project: int
    batch: int
    vintage: int


def prefix(*, adcode: str, project: int, batch: int, vintage: int) -> str:
    """Return the prefix of a batch's serials.

    Raises
    ------
    BatchNumbersSpentError : the batch number has more than three digits.
    """
    if batch > LAST_BATCH:
        raise BatchNumbersSpentError(project=project)
    return f"CN-{adcode}-FCS-{project:06d}-{batch:03d}-{vintage:04d}"


def parse(words: str) -> SerialRange:
    """Read a serial range as it is printed; spaces around it are forgiven, nothing else.

    Raises
    ------
    SerialInvalidError : ``serial``.
    """
    found = _SERIAL.fullmatch(words.strip())
    if found is None:
        raise SerialInvalidError(serial=words)
    return SerialRange(prefix=found["prefix"], first=int(found["first"]), last=int(found["last"]))


def batch_name(words: str) -> BatchName:
    """Read a batch's prefix.

    Raises
    ------
    SerialInvalidError : ``serial``.
    """
    found = re.fullmatch(_PREFIX, words, re.ASCII)
    if found is None:
        raise SerialInvalidError(serial=words)
    return BatchName(
        adcode=found["adcode"],
        project=int(found["project"]),
        batch=int(found["batch"]),
        vintage=int(found["vintage"]),
    )
