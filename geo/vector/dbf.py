"""Which encoding the text of a dBASE table uses, where nobody says so."""

import codecs
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from geo.errors import FileError
from geo.vector.text import check_encoding

_LANGUAGE_BYTE: Final = 29
_LANGUAGES: Final = {0x4D: "gb18030", 0x4F: "big5", 0x03: "cp1252", 0x13: "cp932"}
_PAGES: Final = {"65001": "utf-8", "936": "gb18030", "54936": "gb18030", "1252": "cp1252"}
_SAMPLE_RECORDS: Final = 2_000
_HEADER_BYTES: Final = 32


def encoding_of_cpg(text: str) -> str | None:
    """Encoding that a .cpg file names, or None when it names none that is known."""
    name = text.strip().strip("\x00").lower().removeprefix("ansi").removeprefix("cp").strip()
    name = _PAGES.get(name, name)
    try:
        return check_encoding(name)
    except FileError:
        return None


def _text_fields(header: bytes) -> list[tuple[int, int]]:
    """Offset and width of every text field in a record."""
    fields, offset = [], 1
    for start in range(_HEADER_BYTES, len(header) - _HEADER_BYTES + 1, _HEADER_BYTES):
        if header[start] == 0x0D:  # noqa: PLR2004 - end of the field list
            break
        width = header[start + 16]
        if header[start + 11 : start + 12] == b"C":
            fields.append((offset, width))
        offset += width
    return fields


def _values(data: bytes) -> Iterator[bytes]:
    records, header_bytes, record_bytes = struct.unpack_from("<IHH", data, 4)
    fields = _text_fields(data[:header_bytes])
    for n in range(min(records, _SAMPLE_RECORDS)):
        record = data[header_bytes + n * record_bytes : header_bytes + (n + 1) * record_bytes]
        for offset, width in fields:
            yield record[offset : offset + width].rstrip(b" \x00")


def _decodes(value: bytes, encoding: str) -> bool:
    """Say whether a value decodes; a last character cut off by the field width is forgiven."""
    try:
        codecs.getincrementaldecoder(encoding)().decode(value, final=False)
    except UnicodeDecodeError:
        return False
    return True


def guess_encoding(path: Path) -> tuple[str, bool]:
    """Read the encoding of a dBASE file from its language byte, else from what decodes.

    Returns
    -------
    The encoding, and whether it was guessed; plain ASCII is no guess.
    """
    data = path.read_bytes()
    if len(data) < _HEADER_BYTES:
        return "utf-8", False
    values = [value for value in _values(data) if not value.isascii()]
    if not values:
        return "utf-8", False
    named = _LANGUAGES.get(data[_LANGUAGE_BYTE])
    if named is not None and all(_decodes(value, named) for value in values):
        return named, False
    fits = {name: sum(_decodes(value, name) for value in values) for name in ("utf-8", "gb18030")}
    return ("utf-8" if fits["utf-8"] >= fits["gb18030"] else "gb18030"), True
