"""The columns a client can write, and what the server says to a value it does not take.

The checks and words are Django REST framework's. Each `clean_…` function takes a value that is
neither absent nor null and returns it as it will be stored; the first refusal ends the request.
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from dssync.sandbox import jsonb
from dssync.sandbox.errors import Problem, invalid
from dssync.sandbox.jsonb import Cell

KindName = Literal["dataset", "item"]

TRUE = frozenset({"t", "y", "yes", "true", "on", "1"})
FALSE = frozenset({"f", "n", "no", "false", "off", "0"})
NULL = frozenset({"", "null"})

_TIME_FORMAT = "YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]"


@dataclass(frozen=True, slots=True)
class Field:
    """One writable column; `default` is what a new row gets when the field is not sent."""

    name: str
    clean: Callable[["Field", object], Cell]
    required: bool = False
    nullable: bool = True
    blank: bool = True
    max_length: int | None = None
    default: object = None

    def problem(self, code: str, detail: str) -> Problem:
        """Refuse a value of this field."""
        return invalid(code, detail, self.name)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of record: its path, its writable fields, and all fields in the order shown."""

    name: KindName
    path: str
    fields: tuple[Field, ...]
    shown: tuple[str, ...]


def clean_text(field: Field, value: object) -> Cell:
    """Trim text and check its length in code points; numbers become text."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise field.problem("invalid", "Not a valid string.")
    text = str(value).strip()
    if not text and not field.blank:
        raise field.problem("blank", "This field may not be blank.")
    if field.max_length is not None and len(text) > field.max_length:
        detail = f"Ensure this field has no more than {field.max_length} characters."
        raise field.problem("max_length", detail)
    if "\0" in text:
        raise field.problem("null_characters_not_allowed", "Null characters are not allowed.")
    for letter in text:
        if "\ud800" <= letter <= "\udfff":
            detail = f"Surrogate characters are not allowed: U+{ord(letter):X}."
            raise field.problem("surrogate_characters_not_allowed", detail)
    return jsonb.plain(text)


def clean_json(field: Field, value: object) -> Cell:
    """Take any JSON value but infinities; raises NotStorable where the database would refuse."""
    try:
        return jsonb.store(value)
    except ValueError:
        raise field.problem("invalid", "Value must be valid JSON.") from None


def clean_time(field: Field, value: object) -> Cell:
    """Take an ISO 8601 moment, naive ones as UTC, and store it as UTC with microseconds."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        moment = moment and _to_utc(moment)
    except (ValueError, OverflowError):
        moment = None
    if moment is None:
        detail = f"Datetime has wrong format. Use one of these formats instead: {_TIME_FORMAT}."
        raise field.problem("invalid", detail)
    return jsonb.plain(moment.replace(tzinfo=None).isoformat() + "Z")


def clean_flag(field: Field, value: object) -> Cell:
    """Take a boolean in any of the spellings a form may use."""
    word = str(value).lower() if isinstance(value, str | bool | int | float) else "?"
    word = {"1.0": "1", "0.0": "0"}.get(word, word)
    for words, meaning in ((TRUE, True), (FALSE, False), (NULL, None)):
        if word in words:
            return jsonb.plain(meaning)
    raise field.problem("invalid", "Must be a valid boolean.")


def clean_reference(field: Field, value: object) -> Cell:
    """Take the id of a dataset, which may not exist."""
    if value == "":
        raise field.problem("null", "This field may not be null.")
    if isinstance(value, bool):
        detail = "Incorrect type. Expected pk value, received bool."
        raise field.problem("incorrect_type", detail)
    identity = read_uuid(str(value))
    if identity is None:
        raise field.problem("invalid", f"“{value}” is not a valid UUID.")
    return jsonb.plain(identity)


def read_uuid(text: str) -> str | None:
    """Return an id in its usual form, whatever its version and variant, or None."""
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return None


def _to_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


DATASET = Kind(
    "dataset",
    path="datasets",
    fields=(
        Field("name", clean_text, required=True, nullable=False, blank=False, max_length=400),
        Field("description", clean_text),
        Field("metadata", clean_json),
        Field("deleted", clean_flag, default=False),
    ),
    shown=(
        *("id", "name", "description", "metadata", "created_at", "updated_at"),
        *("deleted", "created_by", "team"),
    ),
)

ITEM = Kind(
    "item",
    path="dataset_items",
    fields=(
        Field("dataset", clean_reference, required=True, nullable=False),
        Field("input", clean_json),
        Field("output", clean_json),
        Field("metadata", clean_json),
        Field("ref_trace_id", clean_text, max_length=255),
        Field("ref_timestamp", clean_time),
        Field("ref_source_id", clean_text, max_length=255),
        Field("deleted", clean_flag, default=False),
    ),
    shown=(
        *("id", "dataset", "input", "output", "metadata"),
        *("ref_trace_id", "ref_timestamp", "ref_source_id"),
        *("deleted", "created_at", "updated_at", "created_by", "team"),
    ),
)

KINDS: Mapping[KindName, Kind] = {kind.name: kind for kind in (DATASET, ITEM)}
