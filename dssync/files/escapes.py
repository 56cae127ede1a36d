r"""JSON text that survives editors, spreadsheets and XML, and still means the same.

Everything here goes into JSON strings, where `\uXXXX` may stand for any character.
"""

import json
import re

from dssync.core.values import BadJson, Json, dump, parse

UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # control characters; XML cannot hold most of them
    "\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ufdd0-\ufdef\ufffe\uffff\ud800-\udfff"
    "\U000e0000-\U000e007f]"
)
"""What some program would drop, refuse, take for the end of a line, or show as nothing."""

SHEET_ESCAPE = re.compile("x(?=[0-9A-Fa-f]{4}_)")
"""XLSX has an escape of its own, `_x0041_`; its x is written out, so that it is none."""

INJECTION = re.compile(r"[;\n](?=[\s\"']*[=+\-@])")
"""Where a spreadsheet that takes `;` for the separator would begin a cell with a formula."""


def visible(text: str) -> str:
    """Escape what is unsafe in JSON text."""
    return UNSAFE.sub(_escape, text)


def for_cell(text: str) -> str:
    """Escape JSON text for a cell of a spreadsheet."""
    return INJECTION.sub(_escape, SHEET_ESCAPE.sub(_escape, visible(text)))


def strict(value: Json) -> str:
    """Write a value that was read as JSON text. Raises BadJson for a number that is none any more.

    Reading `1e400` gives infinity, which JSON has no word for.
    """
    text = dump(value)
    if "Infinity" in text:
        try:
            parse(text)
        except BadJson:
            raise BadJson("a number is too large") from None
    return text


def _escape(found: re.Match[str]) -> str:
    character = found[0]
    return f"\\u{ord(character):04x}" if character < "\x7f" else json.dumps(character)[1:-1]
