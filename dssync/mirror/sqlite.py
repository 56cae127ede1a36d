"""Everything that only SQLite says this way: settings, and the triggers that notice edits.

Plain SQL is a way to edit, so the tables look after themselves. While the gate is clear, whoever
writes is a person or a script: the first edit of a record saves what it was as base and theirs,
an INSERT is a record made offline, a DELETE marks the record deleted, and what could never be
pushed is refused in a sentence. The program opens the gate inside its own transaction, so no
other connection ever sees it open.

Triggers and views are derived from `core.fields` and hold no data; `program` replaces them all.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from hashlib import blake2b

from dssync.core.fields import KINDS, ContractName, Field, Kind, Rule
from dssync.mirror import views
from dssync.mirror.columns import COLUMNS, SERVER
from dssync.mirror.views import WHITE

SETTINGS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    "PRAGMA busy_timeout = 10000",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA wal_autocheckpoint = 16000",
)
"""How every connection is set. A unit touches pages all over an index, and with the usual
checkpoints (4 MB) nearly every unit would copy them into the file. A checkpoint at 64 MB halves the
time of a first pull.
"""

CLEAR = "(SELECT run FROM gate) IS NULL"
NEW_KEY_SHAPE = "new-" + "[0-9a-f]" * 16
DATE_SHAPE = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*"
PLACEHOLDER = "OLD.absent_since IS NOT NULL AND OLD.digest IS NULL"


def program() -> tuple[str, ...]:
    """Return the statements that drop and create every derived object."""
    return (*uninstall(), *(statement for _, _, statement in derived()))


def uninstall() -> tuple[str, ...]:
    """Return the statements that drop every derived object."""
    return tuple(f"DROP {what} IF EXISTS {name}" for what, name, _ in reversed(derived()))


@cache
def derived() -> tuple[tuple[str, str, str], ...]:
    """Return (type, name, statement) of every derived object, as SQLite keeps them."""
    triggers = (found for kind in KINDS.values() for found in _triggers(kind))
    return (*views.statements(), *triggers)


def program_digest() -> str:
    """Return what `meta` remembers, to notice triggers from another version of the program."""
    return blake2b("\n".join(program()).encode(), digest_size=8).hexdigest()


def _triggers(kind: Kind) -> Iterator[tuple[str, str, str]]:
    for name, (timing, when, body) in _BODIES.items():
        yield (
            "trigger",
            f"{kind.table}_{name}",
            f"CREATE TRIGGER {kind.table}_{name} {timing} ON {kind.table} WHEN {when} BEGIN\n"
            + "".join(f"  {statement};\n" for statement in body(kind))
            + "END",
        )


def _refuse(sentence: str, condition: str) -> str:
    quoted = sentence.replace("'", "''")
    return f"SELECT RAISE(ABORT, '{quoted}') WHERE {condition}"


def _refuse_update(kind: Kind) -> Iterator[str]:
    yield _refuse("key is a record's lasting name and never changes", "NEW.key IS NOT OLD.key")
    yield _refuse("rowid is the database's own and never changes", "NEW.rowid IS NOT OLD.rowid")
    yield _refuse(
        "a record belongs to one remote for ever",
        "NEW.remote IS NOT OLD.remote AND OLD.remote IS NOT NULL",
    )
    for column in ("id", *SERVER):
        yield _refuse(f"{column} belongs to the server", f"NEW.{column} IS NOT OLD.{column}")
    yield _refuse(
        "the server does not list this record, so there is nothing of it to edit", PLACEHOLDER
    )
    for field in kind.fields:
        changed = f"NEW.{field.name} IS NOT OLD.{field.name}"
        for sentence, condition in _refused_values(field):
            yield _refuse(sentence, f"{changed} AND {condition}")
        yield from _refuse_by_contract(field, changed, "OLD.id IS NOT NULL", "NEW.remote")


def _keep_base(kind: Kind) -> Iterator[str]:
    columns = COLUMNS[kind.name]
    edited = " OR ".join(f"NEW.{f.name} IS NOT OLD.{f.name}" for f in kind.fields)
    old = ", ".join(f"OLD.{column}" for column in columns)
    yield (
        f"INSERT INTO {kind.table}_pending (side, {', '.join(columns)})\n"
        f"    SELECT sides.side, {old} FROM (SELECT 'base' AS side UNION ALL SELECT 'theirs')"
        f" AS sides\n"
        f"    WHERE OLD.id IS NOT NULL AND ({edited})\n"
        f"    AND NOT EXISTS (SELECT 1 FROM {kind.table}_pending WHERE key = OLD.key)"
    )


def _refuse_insert(kind: Kind) -> Iterator[str]:
    yield _refuse(
        "a record with this key exists; edit it with UPDATE",
        f"EXISTS (SELECT 1 FROM {kind.table} WHERE key = NEW.key)",
    )
    # An INSERT OR REPLACE by rowid would take another row away without firing its triggers.
    yield _refuse(
        "a record with this rowid exists; leave rowid out",
        f"EXISTS (SELECT 1 FROM {kind.table} WHERE rowid = NEW.rowid)",
    )
    yield _refuse(
        "leave key out: a new record gets one, such as new-0123456789abcdef",
        f"NEW.key IS NULL OR NEW.key NOT GLOB '{NEW_KEY_SHAPE}'",
    )
    for column in ("id", *SERVER):
        yield _refuse(f"{column} belongs to the server", f"NEW.{column} IS NOT NULL")
    if kind.name == "dataset":
        yield _refuse(
            "name the remote: the mirror holds none yet, or several",
            "NEW.remote IS NULL AND (SELECT count(*) FROM remotes) <> 1",
        )
    yield _refuse(
        "the mirror knows no remote of that name",
        "NEW.remote IS NOT NULL AND NOT EXISTS (SELECT 1 FROM remotes WHERE name = NEW.remote)",
    )
    for field in kind.fields:
        for sentence, condition in _refused_values(field):
            yield _refuse(sentence, condition)
        changed = f"NEW.{field.name} IS NOT NULL"
        yield from _refuse_by_contract(field, changed, "0", f"coalesce(NEW.remote, {_home(kind)})")


def _home(kind: Kind) -> str:
    """Return the remote of a new record that names none."""
    if kind.name == "item":
        return "(SELECT remote FROM datasets WHERE key = NEW.dataset)"
    return "(SELECT name FROM remotes)"


def _find_remote(kind: Kind) -> Iterator[str]:
    yield f"UPDATE {kind.table} SET remote = {_home(kind)} WHERE key = NEW.key"


def _mark_deleted(kind: Kind) -> Iterator[str]:
    # what waits to be made again is no record made here: its past must not go with it
    may_exist = (
        "(OLD.id IS NOT NULL OR EXISTS"
        " (SELECT 1 FROM journal WHERE key = OLD.key AND closed_at IS NULL)"
        f" OR EXISTS (SELECT 1 FROM {kind.table}_pending WHERE key = OLD.key))"
    )
    if kind.name == "dataset":
        yield _refuse(
            "new items lie in this new dataset; delete or move them first",
            f"NOT {may_exist} AND EXISTS (SELECT 1 FROM items WHERE dataset = OLD.key)",
        )
    yield f"UPDATE {kind.table} SET deleted = 1 WHERE key = OLD.key AND {may_exist}"
    yield f"SELECT RAISE(IGNORE) WHERE {may_exist}"


def _refused_values(field: Field) -> Iterator[tuple[str, str]]:
    """Yield (sentence, condition) for values that no server would take."""
    new = f"NEW.{field.name}"
    if field.type == "json":
        yield (
            f"{field.name} is not JSON; text needs its own quotes, as in '\"hello\"'",
            f"{new} IS NOT NULL AND (typeof({new}) = 'blob' OR NOT json_valid({new}))",
        )
    elif field.type == "flag":
        yield f"{field.name} is 0 or 1", f"{new} IS NOT NULL AND {new} NOT IN (0, 1)"
    elif field.type == "reference":
        yield (
            f"{field.name} is the key of a dataset of the same remote",
            f"NOT EXISTS (SELECT 1 FROM datasets AS d WHERE d.key = {new}"
            " AND (NEW.remote IS NULL OR d.remote = NEW.remote))",
        )
    elif field.type == "time":
        yield (
            f"{field.name} is a time such as 2026-11-23T18:13:50Z",
            f"{new} IS NOT NULL AND ({new} NOT GLOB '{DATE_SHAPE}' OR julianday({new}) IS NULL)",
        )
    else:
        yield f"{field.name} is text", f"typeof({new}) = 'blob'"
        yield from _refused_texts(field, new)


def _refused_texts(field: Field, new: str) -> Iterator[tuple[str, str]]:
    rules = [rule for rule in (field.classic, field.versioned) if rule is not None]
    if not any(rule.nullable for rule in rules):
        yield f"{field.name} cannot be null", f"{new} IS NULL"
    if not any(rule.blank for rule in rules):
        yield f"{field.name} cannot be blank", f"trim({new}, {WHITE}) = ''"
    lengths = [rule.max_chars for rule in rules]
    longest = max((n for n in lengths if n is not None), default=0)
    if longest and None not in lengths:
        yield (
            f"{field.name} has more than {longest} characters",
            f"length(trim({new}, {WHITE})) > {longest}",
        )


def _refuse_by_contract(field: Field, changed: str, exists: str, remote: str) -> Iterator[str]:
    contracts: tuple[tuple[ContractName, Rule | None], ...] = (
        ("classic", field.classic),
        ("versioned", field.versioned),
    )
    for contract, rule in contracts:
        speaks = f"EXISTS (SELECT 1 FROM remotes WHERE name = {remote} AND contract = '{contract}')"
        if rule is None:
            yield _refuse(
                f"the server of this remote has no {field.name}",
                f"{changed} AND NEW.{field.name} IS NOT NULL AND {speaks}",
            )
        elif rule.edit == "create-only" and exists != "0":
            yield _refuse(
                f"on the server of this remote {field.name} can only be set on a new record",
                f"{changed} AND {exists} AND {speaks}",
            )


_BODIES: Mapping[str, tuple[str, str, Callable[[Kind], Iterator[str]]]] = {
    "refuse_update": ("BEFORE UPDATE", CLEAR, _refuse_update),
    "keep_base": ("AFTER UPDATE", CLEAR, _keep_base),
    "refuse_insert": ("BEFORE INSERT", CLEAR, _refuse_insert),
    "find_remote": ("AFTER INSERT", "NEW.remote IS NULL", _find_remote),
    "mark_deleted": ("BEFORE DELETE", CLEAR, _mark_deleted),
}
"""The triggers of each table: their name, their moment, their condition, what they do."""
