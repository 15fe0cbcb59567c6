"""Which encoding a text file uses: what it says, else what decodes."""

import codecs
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final, TextIO

from geo.errors import FileError

_PIECE_BYTES: Final = 1 << 20
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def check_encoding(name: str) -> str:
    """Return the usual spelling of an encoding's name.

    Raises
    ------
    FileError
        ENCODING_UNKNOWN when Python knows no such encoding.
    """
    try:
        "".encode(name.strip())  # refuses codecs that are no encoding of text
        found = codecs.lookup(name.strip()).name
    except (LookupError, ValueError) as error:
        raise FileError("ENCODING_UNKNOWN", given=name[:40]) from error
    return "gb18030" if found in {"gbk", "gb2312"} else found


def decode(data: bytes, encoding: str | None) -> tuple[str, str, bool]:
    """Decode a text.

    Returns
    -------
    The text, the encoding and whether the encoding was guessed.

    Raises
    ------
    FileError
        ENCODING_UNKNOWN or FILE_ENCODING_WRONG (with the byte offset).
    """
    if encoding is not None:
        name = check_encoding(encoding)
        try:
            return data.decode("utf-8-sig" if name == "utf-8" else name), name, False
        except UnicodeDecodeError as error:
            raise FileError("FILE_ENCODING_WRONG", encoding=name, byte=error.start) from error
    for bom, name in _BOMS:
        if data.startswith(bom):
            return data.decode(name, errors="replace"), name, False
    try:
        return data.decode("utf-8"), "utf-8", False
    except UnicodeDecodeError as error:
        try:
            return data.decode("gb18030"), "gb18030", True
        except UnicodeDecodeError:
            raise FileError("FILE_ENCODING_WRONG", encoding="utf-8", byte=error.start) from error


def open_decoded(path: Path, encoding: str | None) -> tuple[Callable[[], TextIO], str, bool]:
    """Find the encoding of a long file as `decode` does, a piece at a time.

    Returns
    -------
    What opens the text, the encoding and whether it was guessed.

    Raises
    ------
    FileError
        ENCODING_UNKNOWN or FILE_ENCODING_WRONG (with the byte offset).
    """
    if encoding is not None:
        name = check_encoding(encoding)
        if (byte := _undecodable(path, name)) is not None:
            raise FileError("FILE_ENCODING_WRONG", encoding=name, byte=byte)
        return _opener(path, "utf-8-sig" if name == "utf-8" else name), name, False
    with path.open("rb") as stream:
        head = stream.read(4)
    for bom, name in _BOMS:
        if head.startswith(bom):
            return _opener(path, name, errors="replace"), name, False
    byte = _undecodable(path, "utf-8")
    if byte is None:
        return _opener(path, "utf-8"), "utf-8", False
    if _undecodable(path, "gb18030") is None:
        return _opener(path, "gb18030"), "gb18030", True
    raise FileError("FILE_ENCODING_WRONG", encoding="utf-8", byte=byte)


def _opener(path: Path, encoding: str, errors: str = "strict") -> Callable[[], TextIO]:
    return partial(path.open, encoding=encoding, errors=errors, newline="")


def _undecodable(path: Path, encoding: str) -> int | None:
    """Place of the first byte that does not decode, about; None if all do."""
    decoder, at = codecs.getincrementaldecoder(encoding)(), 0
    with path.open("rb") as stream:
        try:
            while piece := stream.read(_PIECE_BYTES):
                decoder.decode(piece)
                at += len(piece)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError as error:
            return at + error.start
    return None
