"""Stored values as Python's, and back; what could not be pushed is refused in a sentence."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from dssync.core.fields import Field, Stored
from dssync.core.pointer import escape, to_stored
from dssync.core.values import (
    LARGEST,
    POISON_DEPTH,
    SMALLEST,
    Json,
    bad_text,
    canonical_time,
    parse,
)
from dssync.errors import UsageError
from dssync.library.frozen import freeze


class BadValue(ValueError):
    """A value that no field can take; `hint` says what to give in its place."""

    def __init__(self, reason: str, hint: str = "") -> None:
        super().__init__(reason)
        self.hint = hint


def decode(field: Field, stored: Stored, whose: str) -> Any:
    """Return a stored value as Python's. Raises UsageError for one that cannot be read."""
    if field.type == "flag":
        return bool(stored)
    if stored is None:
        return None
    try:
        if field.type == "json":
            return freeze(parse(stored))
        return moment(str(stored)) if field.type == "time" else str(stored)
    except RecursionError:
        reason = "it is nested too deeply"
    except ValueError as error:
        reason = str(error)
    raise UsageError(f"{field.name} of {whose} cannot be read: {reason}")


def moment(text: str) -> datetime:
    """Return a time of the mirror, aware and in UTC. Raises ValueError."""
    return datetime.fromisoformat(canonical_time(text))


def encode(field: Field, value: object, whose: str) -> Stored:
    """Return Python's value as the mirror stores it. Raises UsageError."""
    with refusing(field.name, whose):
        if value is None:
            return None
        if field.type == "json":
            return to_stored(field, plain(value))
        return _time(value) if field.type == "time" else _text(value)


def printable(text: str) -> str:
    """Return text that does nothing to a terminal; errors of a program are seen on one."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


@contextmanager
def refusing(name: str, whose: str) -> Iterator[None]:
    """Say of a value that it was not set, and why."""
    try:
        yield
    except BadValue as error:
        raise UsageError(f"{name} of {whose} was not set: {error}", hint=error.hint) from None


def plain(value: object, path: tuple[str, ...] = ()) -> Json:
    """Return a JSON value in dicts, lists and scalars of its own. Raises BadValue with its place.

    A tuple counts as a list. Nothing is turned into text: what JSON has no word for is refused.
    """
    if len(path) > POISON_DEPTH:
        raise BadValue("it is nested too deeply, or holds itself")
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int | float):
        return _number(value, path)
    if isinstance(value, list | tuple):
        return [plain(child, (*path, str(at))) for at, child in enumerate(value)]
    if isinstance(value, dict):
        return {_name(key, path): plain(child, (*path, str(key))) for key, child in value.items()}
    raise BadValue(
        f"{_place(path)}a value of type {type(value).__name__} is not JSON",
        hint="give None, bool, int, float, str, list or dict; NumPy: value.item()",
    )


def _number(value: float, path: tuple[str, ...]) -> Json:
    if isinstance(value, float) and not math.isfinite(value):
        raise BadValue(f"{_place(path)}{value} is not JSON", hint="give None where nothing is")
    if isinstance(value, int) and not SMALLEST <= value <= LARGEST:
        raise BadValue(f"{_place(path)}an integer needs more than 64 bits", hint="give it as text")
    return value


def _name(key: object, path: tuple[str, ...]) -> str:
    if not isinstance(key, str):
        raise BadValue(
            f"{_place(path)}a key of type {type(key).__name__} is not JSON", hint="keys are text"
        )
    return key


def _place(path: tuple[str, ...]) -> str:
    return "".join(f"/{escape(segment)}" for segment in path) + ": " if path else ""


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise BadValue(f"it is text, and was given {type(value).__name__}")
    if reason := bad_text(value):
        raise BadValue(reason)
    return value


def _time(value: object) -> str:
    if not isinstance(value, datetime):
        raise BadValue(
            f"it is a time, and was given {type(value).__name__}",
            hint="give a datetime with a time zone",
        )
    if value.utcoffset() is None:
        raise BadValue(
            "the time has no time zone", hint="datetime.now(UTC), or time.replace(tzinfo=UTC)"
        )
    try:
        return canonical_time(value.isoformat())
    except ValueError as error:
        raise BadValue(str(error)) from None
