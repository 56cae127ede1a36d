"""Take what files say into the working copy, record by record, or find out what it would change."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from dssync.core.fields import KINDS, ContractName, Field, KindName, Stored, Values
from dssync.core.plan import Action, Change, Delta
from dssync.core.rules import reasons
from dssync.core.values import stored_form
from dssync.files.flaws import Flaw, Flaws
from dssync.files.judging import judge
from dssync.files.rows import BASE, DELETED, Prints, fields_of, read_token
from dssync.mirror import Transaction, edits
from dssync.mirror.working import Home, Working

Say = Callable[[str, str], Flaw]
"""Say of a field of a row what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Given:
    """What a row gives: its fields, its base, and how to say what is wrong with it.

    `made_here` tells that it never had a base: it was not exported, but made in the files.
    """

    values: Values
    base: str | None
    say: Say
    made_here: bool = False


@dataclass(slots=True)
class Taker:
    """Decides about one row after the other; writes unless `dry`, or something was wrong.

    `changes` are kept only with `collect`. `kept` counts newer values of the mirror that stayed,
    `blind` the records that were changed without a base to compare with.
    """

    tx: Transaction
    dry: bool
    collect: bool
    flaws: Flaws
    homes: dict[str, Home]
    contracts: Mapping[str, ContractName]
    counts: Counter[tuple[str, KindName, Action]] = field(default_factory=Counter)
    changes: list[Change] = field(default_factory=list)
    last: list[Working] = field(default_factory=list)
    kept: int = 0
    blind: int = 0

    def edit(self, record: Working, given: Given) -> None:
        """Change a record that the mirror has, where the file was changed."""
        kind = KINDS[record.kind]
        try:
            base = self._base(record, given.base)
        except ValueError as error:
            self.flaws.add(given.say(BASE, str(error)))
            return
        judged = judge(kind.fields, given.values, record.values, base, self._outside)
        self.kept += judged.kept
        wrong = [given.say(name, _CLASH) for name in judged.clashes]
        contract = self.contracts[record.remote]
        for name, value in judged.edits.items():
            rule = reasons(kind.by_name[name], value, contract, creating=record.id is None)
            wrong += [given.say(name, reason) for reason in rule]
        if judged.edits and (reason := _untouchable(record, judged.edits)):
            wrong.append(given.say("", reason))
        self.flaws.add(*wrong)
        if judged.edits and not wrong:
            self.blind += base is None and not given.made_here
            self._change(record, judged.edits)

    def create(self, kind: KindName, remote: str, key: str, given: Given) -> None:
        """Make a record that the mirror has not."""
        contract = self.contracts[remote]
        fields = KINDS[kind].by_name
        forms = {name: stored_form(fields[name], value) for name, value in given.values.items()}
        told = {n: v for n, v in forms.items() if v is not None and n != DELETED}
        wrong = [
            given.say(name, reason)
            for name, value in told.items()
            for reason in reasons(fields[name], value, contract, creating=True)
        ]
        if forms.get(DELETED):
            wrong.append(given.say(DELETED, "a new record cannot be deleted"))
        for name in _REQUIRED[kind]:
            rule = fields[name].rule(contract)
            if name not in told and rule is not None and not rule.nullable:
                wrong.append(given.say(name, "a new record needs it"))
        self.flaws.add(*wrong)
        if not wrong:
            if not self._idle:
                edits.create(self.tx, kind, remote, told, key=key)
            deltas = tuple(Delta(name, None, value) for name, value in told.items())
            self._note(Change(remote, kind, key, None, "create", deltas, *self._told(key, told)))

    def delete(self, record: Working) -> None:
        """Delete a record that was taken out of the files."""
        self._change(record, {DELETED: 1})

    def finish(self) -> None:
        """Delete what must go last: datasets that were made here, after their items."""
        for record in self.last:
            edits.remove(self.tx, record.kind, record.key)

    @property
    def _idle(self) -> bool:
        return self.dry or bool(self.flaws)

    def _base(self, record: Working, text: str | None) -> Prints | None:
        """Read a base. Raises ValueError."""
        if text is None:
            return None
        return read_token(text, fields_of(record.kind, self.contracts[record.remote]))

    def _outside(self, field: Field, value: Stored) -> Stored:
        if field.type != "reference":
            return value
        home = self.homes.get(str(value))
        return home.name if home else value

    def _change(self, record: Working, values: Values) -> None:
        action = _action(values)
        if not self._idle:
            self._write(record, values, action)
        deltas = tuple(Delta(name, record.values[name], value) for name, value in values.items())
        after = {**record.values, **values}
        self._note(
            Change(
                record.remote,
                record.kind,
                record.key,
                record.id,
                action,
                deltas,
                *self._told(record.key, after),
            )
        )

    def _write(self, record: Working, values: Values, action: Action) -> None:
        if action != "delete" or record.id is not None:
            edits.change(self.tx, record.kind, record.key, values)
        elif record.kind == "dataset":
            self.last.append(record)
        else:
            edits.remove(self.tx, record.kind, record.key)

    def _told(self, key: str, values: Values) -> tuple[str, str]:
        """Return a record's label and, for an item, the name of its dataset."""
        if "dataset" not in values:
            return str(values.get("name") or key), ""
        home = self.homes.get(str(values["dataset"]))
        return key, home.label if home else ""

    def _note(self, change: Change) -> None:
        self.counts[change.remote, change.kind, change.action] += 1
        if self.collect:
            self.changes.append(change)


_CLASH = (
    "it changed here and in the mirror since the export; to take the file's, empty the row's base;"
    " to take the mirror's, put its value here"
)

_REQUIRED: Mapping[KindName, tuple[str, ...]] = {"dataset": ("name",), "item": ("input",)}
"""Fields that a new record needs where the contract does not let them be null."""


def _untouchable(record: Working, values: Values) -> str | None:
    if not record.listed:
        return "the server does not list it, so there is nothing of it to edit"
    if record.values[DELETED] and DELETED not in values:
        return f"it is deleted in the mirror; bring it back first: dssync undelete {record.name}"
    return None


def _action(values: Values) -> Action:
    if DELETED not in values:
        return "update"
    return "delete" if values[DELETED] else "undelete"
