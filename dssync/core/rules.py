"""What the server would refuse, or store and never show again, known before anything is sent."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from dssync.core.fields import KINDS, ContractName, Field, KindName, Rule, Stored, Values
from dssync.core.values import BadJson, bad_text, canonical_time, dump, parse, poison


@dataclass(frozen=True, slots=True)
class Problem:
    """One value that cannot be pushed, and what to do about it."""

    kind: KindName
    key: str
    label: str
    field: str
    reason: str

    def __str__(self) -> str:
        """Say it in one line: record, field, reason."""
        return f"{self.kind} {self.label}, {self.field}: {self.reason}"


def problems(
    kind: KindName,
    key: str,
    values: Values,
    contract: ContractName,
    *,
    label: str = "",
    creating: bool = False,
) -> list[Problem]:
    """List what `contract` would refuse of `values`; give only the fields that would be sent."""
    return [
        Problem(kind, key, label or key, name, reason)
        for name, value in values.items()
        for reason in reasons(KINDS[kind].by_name[name], value, contract, creating=creating)
    ]


def reasons(
    field: Field, value: Stored, contract: ContractName, *, creating: bool = False
) -> Iterator[str]:
    """Yield why `value` cannot be sent as `field`; nothing when it can."""
    rule = field.rule(contract)
    if rule is None:
        if value is not None:
            yield f"the remote's contract ({contract}) has no such field"
    elif rule.edit == "create-only" and not creating:
        yield f"on this remote's contract ({contract}) it can only be set when the record is made"
    elif value is None:
        if not rule.nullable:
            yield "it cannot be null"
    else:
        yield from CHECKS[field.type](field, rule, value)


@dataclass(frozen=True, slots=True)
class Parent:
    """The dataset that an item would lie in; `comes` tells that the same plan creates it.

    A dataset that is deleted, or that no list shows, takes items all the same.
    """

    remote: str
    label: str
    id: str | None
    comes: bool = False


def misplaced(remote: str, parent: Parent | None) -> Iterator[str]:
    """Yield why an item of `remote` cannot lie in `parent`; nothing when it can."""
    if parent is None:
        yield "the mirror has no such dataset"
    elif parent.remote != remote:
        yield f"the dataset {parent.label!r} is of another remote, {parent.remote}"
    elif parent.id is None and not parent.comes:
        yield f"the dataset {parent.label!r} is not on the server, and nothing here creates it"


def _text(field: Field, rule: Rule, value: Stored) -> Iterator[str]:
    text = str(value).strip() if field.trimmed else str(value)
    if broken := bad_text(text):
        yield broken
    if not text and not rule.blank:
        yield "it cannot be blank"
    if rule.max_chars is not None and len(text) > rule.max_chars:
        yield f"it has {len(text)} characters, {rule.max_chars} are allowed"


def _json(field: Field, rule: Rule, value: Stored) -> Iterator[str]:
    try:
        parsed = parse(value)
    except BadJson as error:
        yield str(error)
        return
    if broken := poison(parsed):
        yield f"{broken}, and the server could store it but never show it again"
        return
    if rule.object_only and parsed is not None and not isinstance(parsed, dict):
        yield "it must be a JSON object"
    if rule.max_bytes is not None and len(dump(parsed).encode()) > rule.max_bytes:
        yield f"it is larger than {rule.max_bytes:,} bytes"


def _time(field: Field, rule: Rule, value: Stored) -> Iterator[str]:
    try:
        canonical_time(str(value))
    except ValueError:
        yield "it is not an ISO 8601 time such as 2026-11-23T18:13:50Z"


def _flag(field: Field, rule: Rule, value: Stored) -> Iterator[str]:
    if value not in (0, 1):
        yield "it must be 0 or 1"


def _reference(field: Field, rule: Rule, value: Stored) -> Iterator[str]:
    if not value:
        yield "it must name a dataset"


CHECKS: dict[str, Callable[[Field, Rule, Stored], Iterator[str]]] = {
    "text": _text,
    "json": _json,
    "time": _time,
    "flag": _flag,
    "reference": _reference,
}
