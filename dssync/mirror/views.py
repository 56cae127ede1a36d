"""What people read with SQL: views with readable names, derived from `core.fields`.

Views hold no data, so they cost a pull nothing. Two partial indexes go with them: without these,
finding the few records made here would read the whole table.

SQL compares JSON as text without its white space; the differ also knows that `1e2` is `100.0` and
that the order of keys is none. So a view may name a field that `dssync diff` does not, never the
other way round.
"""

from collections.abc import Iterator

from dssync.core.fields import KINDS, Field, Kind
from dssync.mirror.columns import COLUMNS

WHITE = f"char({', '.join(str(code) for code in range(0x3001) if chr(code).isspace())})"
"""What the server trims; SQL's own trim takes spaces only."""

NEWEST_FIRST = "{0}.created_at IS NOT NULL, rtrim({0}.created_at, 'Z') DESC, {0}.key"
"""The order of the server's lists; what was made here comes first."""


def statements() -> Iterator[tuple[str, str, str]]:
    """Yield (type, name, statement) of every index and view, in the order of making."""
    for kind in KINDS.values():
        name = f"{kind.table}_made_here"
        yield "index", name, f"CREATE INDEX {name} ON {kind.table} (key) WHERE id IS NULL"
    yield _view("dataset_items", _dataset_items())
    for kind in KINDS.values():
        yield _view(f"{kind.name}_states", _states(kind))
        yield _view(f"snapshot_{kind.table}", _snapshot(kind))
    selects = [_touched(kind, field) for kind in KINDS.values() for field in kind.fields]
    made = [_made(kind, field) for kind in KINDS.values() for field in kind.fields]
    columns = "remote, kind, key, label, dataset, field, base, theirs, ours"
    yield _view(
        "touched_fields",
        "\nUNION ALL\n".join(selects),
    )
    yield _view(
        "pending_changes",
        f"SELECT {columns}, CASE WHEN EXISTS (SELECT 1 FROM touched_fields AS c"
        " WHERE c.kind = t.kind AND c.key = t.key AND c.reason IS NOT NULL) THEN 'conflict'\n"
        "  ELSE action END AS action FROM touched_fields AS t WHERE edited OR reason IS NOT NULL"
        "\nUNION ALL\n" + "\nUNION ALL\n".join(made),
    )
    yield _view(
        "conflicts",
        f"SELECT {columns}, reason FROM touched_fields WHERE reason IS NOT NULL",
    )


def _view(name: str, body: str) -> tuple[str, str, str]:
    return "view", name, f"CREATE VIEW {name} AS\n{body}"


def _dataset_items() -> str:
    fields = ", ".join(f"i.{name}" for name in KINDS["item"].names if name not in _ELSEWHERE)
    return (
        f"SELECT d.name AS dataset, i.key, {fields}, i.created_at, i.updated_at,"
        " coalesce(d.deleted, 0) AS dataset_deleted, i.remote, i.id, i.dataset AS dataset_key\n"
        "FROM items AS i JOIN datasets AS d ON d.key = i.dataset\n"
        f"WHERE i.deleted IS NOT 1 ORDER BY {NEWEST_FIRST.format('i')}"
    )


_ELSEWHERE = ("dataset", "deleted")


def _states(kind: Kind) -> str:
    """Write every content the server ever showed, with the runs that first saw and ended it.

    The digest is in hexadecimal: Datasette fails at a view that has bytes in it.
    """
    columns = ", ".join(
        "hex(digest) AS digest" if name == "digest" else name for name in COLUMNS[kind.name]
    )
    table = kind.table
    return (
        f"SELECT {columns}, NULL AS until_run FROM {table} WHERE digest IS NOT NULL"
        f" AND key NOT IN (SELECT key FROM {table}_pending)\n"
        f"UNION ALL SELECT {columns}, NULL FROM {table}_pending WHERE side IN ('theirs', 'gone')\n"
        f"UNION ALL SELECT {columns}, until_run FROM {table}_history WHERE digest IS NOT NULL"
    )


def _snapshot(kind: Kind) -> str:
    """Write what stood in each snapshot."""
    return (
        "SELECT s.run AS snapshot, s.taken_at, r.* FROM snapshots AS s"
        f" JOIN {kind.name}_states AS r ON r.remote = s.remote AND r.run <= s.run"
        " AND (r.until_run IS NULL OR r.until_run > s.run)"
    )


def _comparable(field: Field, value: str) -> str:
    """Write a value as SQL that is the same for what the server stores alike, as far as SQL can."""
    if field.type == "flag":
        return f"coalesce({value}, 0)"
    if field.type == "json":
        return f"CASE WHEN json_valid({value}) THEN nullif(json({value}), 'null') ELSE {value} END"
    return f"trim({value}, {WHITE})" if field.trimmed else value


def _differs(field: Field, left: str, right: str) -> str:
    return (
        f"({left} IS NOT {right} AND {_comparable(field, left)} IS NOT {_comparable(field, right)})"
    )


def _touched(kind: Kind, field: Field) -> str:
    """Write the rows of one field of touched records: whether it is edited, and in conflict why.

    While a push waits to be seen again, theirs as read after it stands in for the base.
    """
    name = field.name
    waits = f"b.pushed_run IS NOT NULL AND NOT ({_reverted(name)})"
    base = f"CASE WHEN {waits} THEN t.{name} ELSE b.{name} END"
    ours, theirs = f"l.{name}", f"t.{name}"
    label = "coalesce(l.name, l.key)" if kind.name == "dataset" else "l.key"
    return (
        "SELECT remote, kind, key, label, dataset, field, base, theirs, ours, edited, action,\n"
        f"  {_reason(kind, field)} AS reason FROM (\n"
        f"  SELECT l.remote, '{kind.name}' AS kind, l.key, {label} AS label,"
        f" {_place(kind)} AS dataset,\n"
        f"    '{name}' AS field, {base} AS base, {theirs} AS theirs, {ours} AS ours,"
        f" {_action('l', 't')} AS action,\n"
        f"    {_differs(field, ours, theirs)} AND {_differs(field, ours, f'({base})')} AS edited,\n"
        f"    {_differs(field, theirs, f'({base})')} AS moved, {_reverted(name)} AS reverted,\n"
        f"    {_lost(kind) if field.type == 'flag' else '0'} AS lost\n"
        f"  FROM {kind.table}_pending AS b JOIN {kind.table}_pending AS t"
        " ON t.key = b.key AND t.side = 'theirs'\n"
        f"  JOIN {kind.table} AS l ON l.key = b.key WHERE b.side = 'base')"
    )


def _reason(kind: Kind, field: Field) -> str:
    return (
        "CASE WHEN edited AND reverted THEN 'reverted after push'"
        " WHEN edited AND moved THEN 'changed on both sides'"
        " WHEN lost THEN 'edited here, deleted there' END"
    )


def _reverted(name: str) -> str:
    return f"coalesce(b.reverted, '') LIKE '%\"{name}\"%'"


def _lost(kind: Kind) -> str:
    """Write whether a record that is deleted there, and not here, has edits that theirs lacks."""
    edits = " OR ".join(
        f"({_differs(f, f'l.{f.name}', f't.{f.name}')}"
        f" AND {_differs(f, f'l.{f.name}', f'b.{f.name}')})"
        for f in kind.fields
        if f.type != "flag"
    )
    gone = "coalesce(t.deleted, 0) AND NOT coalesce(b.deleted, 0) AND NOT coalesce(l.deleted, 0)"
    return f"{gone} AND ({edits})"


def _action(ours: str, theirs: str) -> str:
    now, before = f"coalesce({ours}.deleted, 0)", f"coalesce({theirs}.deleted, 0)"
    return (
        f"CASE WHEN {now} > {before} THEN 'delete' WHEN {now} < {before} THEN 'undelete'"
        " ELSE 'update' END"
    )


def _place(kind: Kind) -> str:
    if kind.name == "dataset":
        return "l.name"
    return "coalesce((SELECT name FROM datasets WHERE key = l.dataset), l.dataset)"


def _made(kind: Kind, field: Field) -> str:
    label = "coalesce(l.name, l.key)" if kind.name == "dataset" else "l.key"
    return (
        f"SELECT l.remote, '{kind.name}', l.key, {label}, {_place(kind)}, '{field.name}',"
        f" NULL, NULL, l.{field.name}, 'create' FROM {kind.table} AS l"
        f" WHERE l.id IS NULL AND l.deleted IS NOT 1 AND l.{field.name} IS NOT NULL"
        + (" AND 0" if field.type == "flag" else "")
    )
