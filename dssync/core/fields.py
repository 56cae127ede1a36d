"""The one list of record kinds and their fields.

Schema, triggers, validation, plans, files and both wire contracts derive from the table `KINDS`.
A field's `name` is dssync's own; what a server calls it stands in the field's `classic` or
`versioned` rule, and a field without that rule does not exist on servers of that contract.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

KindName = Literal["dataset", "item"]
ContractName = Literal["classic", "versioned"]
FieldType = Literal["text", "json", "time", "flag", "reference"]

Stored = str | int | None
"""A value as it stands in the mirror: text, JSON text, RFC 3339 time, 0 or 1, a key, or NULL."""

Values = Mapping[str, Stored]
"""The fields of one record, by name."""

Spot = tuple[KindName, str]
"""Which record: its kind and key."""

Names = tuple[tuple[str, str], ...]
"""What the datasets are called that a record's values refer to: key and name of each."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What one contract says of a field.

    `wire` is the server's name; `edit` says whether it may change after creation; lengths are in
    code points (`max_chars`) and in bytes of JSON text (`max_bytes`).
    """

    wire: str
    edit: Literal["always", "create-only"] = "always"
    nullable: bool = True
    blank: bool = True
    max_chars: int | None = None
    max_bytes: int | None = None
    object_only: bool = False


@dataclass(frozen=True, slots=True)
class Field:
    """One editable field of a kind; `trimmed` text loses its outer white space on the server."""

    name: str
    type: FieldType
    classic: Rule | None
    versioned: Rule | None
    trimmed: bool = False

    def rule(self, contract: ContractName) -> Rule | None:
        """Return what `contract` says of this field, or None where it lacks the field."""
        return self.classic if contract == "classic" else self.versioned


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of record: its table in the mirror, its path on the server, its fields."""

    name: KindName
    table: str
    path: str
    fields: tuple[Field, ...]
    by_name: Mapping[str, Field] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {f.name: f for f in self.fields})

    @property
    def names(self) -> tuple[str, ...]:
        """Name the editable fields, in the table's order."""
        return tuple(self.by_name)

    def on(self, contract: ContractName) -> tuple[tuple[Field, Rule], ...]:
        """Return the fields that servers of `contract` have, each with its rule."""
        pairs = ((f, f.rule(contract)) for f in self.fields)
        return tuple((f, rule) for f, rule in pairs if rule is not None)


def _flag() -> Field:
    return Field("deleted", "flag", Rule("deleted"), Rule("archived"))


DATASET = Kind(
    "dataset",
    table="datasets",
    path="datasets",
    fields=(
        Field(
            "name",
            "text",
            Rule("name", nullable=False, blank=False, max_chars=400),
            Rule("name", nullable=False, blank=False, max_chars=400),
            trimmed=True,
        ),
        Field(
            "description",
            "text",
            Rule("description"),
            Rule("description", nullable=False, max_chars=10_000),
            trimmed=True,
        ),
        Field(
            "metadata",
            "json",
            Rule("metadata"),
            Rule("metadata", nullable=False, object_only=True, max_bytes=1_000_000),
        ),
        _flag(),
    ),
)

ITEM = Kind(
    "item",
    table="items",
    path="dataset_items",
    fields=(
        Field(
            "dataset",
            "reference",
            Rule("dataset", nullable=False),
            Rule("dataset", "create-only", nullable=False),
        ),
        Field("input", "json", Rule("input"), Rule("input", nullable=False)),
        Field("expected_output", "json", Rule("output"), Rule("expected_output")),
        Field("source_output", "json", None, Rule("source_output", "create-only")),
        Field("metadata", "json", Rule("metadata"), Rule("metadata", object_only=True)),
        Field(
            "trace_id",
            "text",
            Rule("ref_trace_id", max_chars=255),
            Rule("source_trace_id", "create-only", blank=False, max_chars=255),
            trimmed=True,
        ),
        Field(
            "event_id",
            "text",
            Rule("ref_source_id", max_chars=255),
            Rule("source_event_id", "create-only", blank=False, max_chars=255),
            trimmed=True,
        ),
        Field(
            "trace_timestamp",
            "time",
            Rule("ref_timestamp"),
            Rule("source_timestamp", "create-only"),
        ),
        Field(
            "client_item_id",
            "text",
            None,
            Rule("client_item_id", "create-only", blank=False, max_chars=255),
            trimmed=True,
        ),
        _flag(),
    ),
)

KINDS: Mapping[KindName, Kind] = {"dataset": DATASET, "item": ITEM}
"""Parents first: what is walked, created and stored in this order needs no second pass."""
