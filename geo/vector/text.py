"""Which encoding a text file uses: what it says, else what decodes."""

import codecs
from typing import Final

from geo.errors import FileError

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
