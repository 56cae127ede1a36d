"""Screens that were looked at and found good, kept as files: `GOLDEN=write` writes them anew."""

import os
import re
from collections.abc import Callable
from pathlib import Path

SCREENS = Path(__file__).parent / "screens"

_MASKS: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), "2026-11-23T18:00:00Z"),
    (re.compile(r"new-[0-9a-f]{16}"), "new-0123456789abcdef"),
    (re.compile(r"(?<=new-)[0-9a-f]+(?=…)"), lambda cut: "0123456789abcdef"[: len(cut[0])]),
)


def check_screen(name: str, shown: str) -> None:
    """Compare what was shown with what was found good; times and new keys may be others."""
    for pattern, instead in _MASKS:
        shown = pattern.sub(instead, shown)
    file = SCREENS / name
    if os.environ.get("GOLDEN") == "write":
        file.write_text(shown, encoding="utf-8")
    assert shown == file.read_text(encoding="utf-8"), f"{name}; GOLDEN=write writes it anew"
