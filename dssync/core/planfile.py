"""A plan as a document that can be kept, shown to others, and applied later.

    {"format": "dssync plan", "version": 1, "program": "0.1.0", "made_at": "...",
     "digest": "...", "remotes": [...], "changes": [...], "seal": "..."}

Values stand in it as the mirror holds them, JSON as text, so that what is sent is what was kept.
The seal is over everything else: a document that was edited is found out, whatever was edited.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import blake2b
from typing import Any

from dssync.core.fields import KINDS, Field, Stored
from dssync.core.plan import ORDER, Change, Delta, Plan
from dssync.errors import Refused, StalePlan, UsageError

FORMAT = "dssync plan"
VERSION = 1

_CHANGE = ("remote", "kind", "key", "id", "action", "label", "dataset", "fields")
_DELTA = ("field", "before", "after")
_REMOTE = ("name", "host", "scope", "id", "contract")
_TOP = ("format", "version", "program", "made_at", "digest", "remotes", "changes", "seal")


@dataclass(frozen=True, slots=True)
class PlannedRemote:
    """Which project a plan is for; under the same name another one would be a mistake."""

    name: str
    host: str
    scope: str
    id: str
    contract: str


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """A plan that was kept: for which remotes, when it was made, by which version."""

    plan: Plan
    remotes: tuple[PlannedRemote, ...]
    made_at: str
    program: str


class _Wrong(ValueError):
    """Something in the document is not as it must be; the message says what."""


def dump_plan(saved: SavedPlan) -> str:
    """Write a plan as JSON text; equal plans give equal texts."""
    document: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "program": saved.program,
        "made_at": saved.made_at,
        "digest": saved.plan.digest,
        "remotes": [asdict(remote) for remote in saved.remotes],
        "changes": [_change_document(change) for change in saved.plan.changes],
    }
    return json.dumps({**document, "seal": _seal(document)}, indent=2) + "\n"


def _change_document(change: Change) -> dict[str, Any]:
    return {
        "remote": change.remote,
        "kind": change.kind,
        "key": change.key,
        "id": change.id,
        "action": change.action,
        "label": change.label,
        "dataset": change.where,
        "fields": [asdict(delta) for delta in change.deltas],
    }


def _seal(document: Mapping[str, Any]) -> str:
    rest = {name: value for name, value in document.items() if name != "seal"}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"))
    return blake2b(text.encode(), digest_size=8).hexdigest()


def load_plan(text: str, where: str) -> SavedPlan:
    """Read a plan back; `where` names it in messages.

    Raises UsageError for what is no plan, Refused for one of a newer program, StalePlan for one
    that was edited.
    """
    document = _document(text, where)
    _refuse_newer(document, where)
    try:
        _refuse_strange(document, _TOP, "the plan")
        if document["seal"] != _seal(document):
            raise StalePlan(
                f"{where} was edited after it was made, so it is not what anybody reviewed",
                hint="make it again: dssync diff -o FILE",
            )
        return _saved(document)
    except _Wrong as error:
        raise UsageError(f"{where} is no usable plan: {error}", hint=_AGAIN) from None
    except RecursionError:
        raise UsageError(f"{where} is no plan: it is nested too deeply", hint=_AGAIN) from None


_AGAIN = "make one with `dssync diff -o FILE`"


def _document(text: str, where: str) -> dict[str, Any]:
    try:
        found = json.loads(text, object_pairs_hook=_no_twice, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        said = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise UsageError(f"{where} is no plan, or not all of one: {said}", hint=_AGAIN) from None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise UsageError(f"{where} is JSON, but no plan of dssync", hint=_AGAIN)
    return found


def _no_twice(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Wrong("an entry stands in it twice")
    return found


def _no_constant(name: str) -> None:
    raise _Wrong(f"{name} is not JSON")


def _refuse_newer(document: Mapping[str, Any], where: str) -> None:
    version = document.get("version")
    if type(version) is not int or version < 1:
        raise UsageError(f"{where} is a plan without a version", hint=_AGAIN)
    if version > VERSION:
        raise Refused(
            f"{where} was written by a newer dssync (plan version {version}, this program knows"
            f" {VERSION})",
            hint="upgrade dssync: pip install --upgrade dssync",
        )


def _refuse_strange(entry: object, names: Sequence[str], what: str) -> dict[str, Any]:
    if not isinstance(entry, dict):
        raise _Wrong(f"{what} is not an object")
    strange = sorted({*entry} ^ {*names})
    if strange:
        state = "unknown" if strange[0] in entry else "missing"
        raise _Wrong(f"in {what} {strange[0]!r} is {state}")
    return entry


def _saved(document: Mapping[str, Any]) -> SavedPlan:
    remotes = tuple(
        PlannedRemote(**_texts(entry, _REMOTE, f"remote {at}"))
        for at, entry in enumerate(_list(document["remotes"], "remotes"), 1)
    )
    names = {remote.name for remote in remotes}
    changes = [
        _change(entry, names, f"change {at}")
        for at, entry in enumerate(_list(document["changes"], "changes"), 1)
    ]
    _refuse_doubles(changes)
    plan = Plan.of(changes)
    if document["digest"] != plan.digest:
        raise _Wrong("its digest is not that of its changes")
    head = _texts({n: document[n] for n in ("made_at", "program")}, ("made_at", "program"), "it")
    return SavedPlan(plan, remotes, head["made_at"], head["program"])


def _list(value: object, what: str) -> list[Any]:
    if not isinstance(value, list):
        raise _Wrong(f"{what} is not a list")
    return value


def _texts(entry: object, names: Sequence[str], what: str) -> dict[str, str]:
    found = _refuse_strange(entry, names, what)
    for name in names:
        if not isinstance(found[name], str):
            raise _Wrong(f"in {what} {name!r} is not text")
    return found


def _change(entry: object, remotes: Iterable[str], what: str) -> Change:
    found = _refuse_strange(entry, _CHANGE, what)
    texts = ("remote", "kind", "key", "action", "label", "dataset")
    _texts({name: found[name] for name in texts}, texts, what)
    if found["remote"] not in remotes:
        raise _Wrong(f"{what} is of the remote {found['remote']!r}, which it does not describe")
    if (found["action"], found["kind"]) not in ORDER:
        raise _Wrong(f"{what} is no change this program knows")
    if (found["id"] is None) != (found["action"] == "create") or not isinstance(
        found["id"], str | None
    ):
        raise _Wrong(f"in {what} 'id' does not go with 'action'")
    fields = KINDS[found["kind"]].by_name
    deltas = tuple(
        _delta(each, fields, what) for each in _list(found["fields"], f"{what}'s fields")
    )
    if len({delta.field for delta in deltas}) != len(deltas) or not deltas:
        raise _Wrong(f"{what} has a field twice, or none")
    who = (found["remote"], found["kind"], found["key"], found["id"], found["action"])
    return Change(*who, deltas, found["label"], found["dataset"])


def _delta(entry: object, fields: Mapping[str, Field], what: str) -> Delta:
    found = _refuse_strange(entry, _DELTA, f"a field of {what}")
    name = found["field"]
    if not isinstance(name, str) or name not in fields:
        raise _Wrong(f"{what} has no field {name!r}")
    before, after = (_stored(found[side], fields[name], what) for side in ("before", "after"))
    return Delta(name, before, after)


def _stored(value: object, field: Field, what: str) -> Stored:
    holds = int if field.type == "flag" else str
    if value is None or type(value) is holds:
        return value
    raise _Wrong(f"{field.name} of {what} is no value that the mirror could hold")


def _refuse_doubles(changes: Sequence[Change]) -> None:
    if len({change.spot for change in changes}) != len(changes):
        raise _Wrong("a record stands in it twice")
