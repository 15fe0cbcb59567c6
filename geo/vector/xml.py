"""XML of any field format, held to limits and parsed without entities or outside references."""

import re
from collections.abc import Iterator
from typing import Final
from xml.etree.ElementTree import Element, ParseError

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from geo.errors import FileError
from geo.findings import Finding, warning
from geo.vector.features import Limits
from geo.vector.text import decode

_DECLARED: Final = re.compile(rb"^\s*(?:\xef\xbb\xbf)?<\?xml[^>]*encoding=[\"']([\w.-]+)[\"']")
_DECLARATION: Final = re.compile(r"^\s*<\?xml[^>]*\?>")


def local(element: Element) -> str:
    """Name of an element without its namespace."""
    return str(element.tag).rpartition("}")[2]


def child(element: Element, name: str) -> Element | None:
    """First child of that name, in any namespace."""
    return next((one for one in element if local(one) == name), None)


def text_of(element: Element | None) -> str:
    """Text of an element, empty for none."""
    return (element.text or "").strip() if element is not None else ""


def walk(root: Element) -> Iterator[tuple[Element, tuple[Element, ...]]]:
    """Yield every element in document order with those above it, without recursion."""
    stack: list[tuple[Element, tuple[Element, ...]]] = [(root, ())]
    while stack:
        element, above = stack.pop()
        yield element, above
        below = (*above, element)
        stack += [(one, below) for one in reversed(element)]


def _check_depth(root: Element, limits: Limits) -> None:
    level, depth = [root], 0
    while level:
        depth += 1
        if depth > limits.nesting:
            raise FileError("FILE_TOO_NESTED", limit=limits.nesting)
        level = [one for element in level for one in element]


def parse_xml(
    data: bytes, *, encoding: str | None, limits: Limits
) -> tuple[Element, str, tuple[Finding, ...]]:
    """Parse a document.

    Returns
    -------
    The root, the encoding used and what is to be said of the file.

    Raises
    ------
    FileError
        FILE_NOT_XML (line, column), FILE_HAS_DOCTYPE (entities can blow up), FILE_TOO_NESTED or
        one of the encoding's codes.
    """
    declared = _DECLARED.match(data[:200])
    named = encoding or (declared.group(1).decode("ascii", "replace") if declared else None)
    text, used, guessed = decode(data, named)
    text = _DECLARATION.sub("", text, count=1).lstrip("\ufeff")
    try:
        root: Element = ElementTree.fromstring(text, forbid_dtd=True)
    except DefusedXmlException as error:
        raise FileError("FILE_HAS_DOCTYPE") from error
    except ParseError as error:
        line, column = error.position
        raise FileError("FILE_NOT_XML", line=line, column=column, reason=str(error)) from error
    except ValueError as error:
        raise FileError("FILE_NOT_XML", line=1, column=1, reason=str(error)[:100]) from error
    _check_depth(root, limits)
    notes = (warning(None, "ENCODING_GUESSED", encoding=used),) if guessed else ()
    return root, used, notes
