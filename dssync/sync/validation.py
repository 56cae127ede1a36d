"""Find everything the server would refuse, before anything is sent."""

from collections.abc import Collection, Iterable, Iterator

from dssync.core.fields import KINDS, ContractName, Values
from dssync.core.plan import Change
from dssync.core.rules import Parent, Problem, misplaced, problems
from dssync.errors import InvalidRecords
from dssync.mirror import Mirror, Transaction, records


def refuse_invalid(mirror: Mirror, changes: Collection[Change]) -> None:
    """Raise InvalidRecords with everything that the server would refuse, all at once."""
    contracts = {remote.name: remote.contract for remote in mirror.remotes()}
    created = {c.key for c in changes if (c.kind, c.action) == ("dataset", "create")}
    with mirror.database.read() as tx:
        found = [
            problem
            for change in changes
            for problem in (
                *_values(change, contracts.get(change.remote, "classic")),
                *_place(tx, change, created),
            )
        ]
    if found:
        raise InvalidRecords(found, hint="mend them with `dssync set` or `dssync revert`")


def _values(change: Change, contract: ContractName) -> Iterable[Problem]:
    creating = change.action == "create"
    values: Values = change.after
    if creating:  # a field that is left out is a null that the server might not take
        values = {name: change.after.get(name) for name in KINDS[change.kind].names}
        values.pop("deleted")
    return problems(
        change.kind, change.key, values, contract, label=_label(change), creating=creating
    )


def _place(tx: Transaction, change: Change, created: Collection[str]) -> Iterator[Problem]:
    """Yield why an item cannot lie where it would be put."""
    key = change.after.get("dataset")
    if not key:
        return
    found = next(records.select(tx, "dataset", "key = ?", [key]), None)
    parent = Parent(found.remote, found.label, found.id, found.key in created) if found else None
    for reason in misplaced(change.remote, parent):
        yield Problem(change.kind, change.key, _label(change), "dataset", reason)


def _label(change: Change) -> str:
    return f"{change.label!r} ({change.key})" if change.label != change.key else change.key
