"""Where something stands in a TOML file, for messages, and what a path in one means."""

import re
from pathlib import Path

_HEADER = re.compile(r"\s*\[\s*([^\[\]]+?)\s*\]\s*(#.*)?")
_QUOTES = re.compile(r"""["']""")


def place_in(file: Path, table: tuple[str, ...], entry: str) -> str:
    """Return `FILE:LINE` of an entry, or the file alone where it is written in another way."""
    wanted, here = ".".join(table), ""
    assigns = re.compile(rf"""\s*["']?{re.escape(entry)}["']?\s*=""")
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        header = _HEADER.fullmatch(line)
        if header:
            here = re.sub(r"\s*\.\s*", ".", _QUOTES.sub("", header[1]))
        elif here == wanted and assigns.match(line):
            return f"{file}:{number}"
    return str(file)


def path_in(file: Path, text: str) -> Path:
    """Return the path that a text of this file means, taken from where the file stands.

    Raises ValueError for what is none.
    """
    if "\0" in text:
        raise ValueError("no path holds a character that is 0")
    try:
        return (file.parent / Path(text).expanduser()).absolute()
    except RuntimeError:
        raise ValueError(f"nobody here has the home that {text!r} begins with") from None
