"""Two projects, hostile contents, and what a restore is judged by."""

import json
from collections.abc import Iterator
from itertools import cycle
from typing import Any

from dssync.config import Remote
from dssync.core.fields import KINDS, KindName, Values
from dssync.core.rules import problems
from dssync.core.values import stored_form
from dssync.mirror import snapshots
from dssync.sync.past import open_snapshot
from dssync.sync.restorer import Restored, restore
from tests.files.hostile import rows
from tests.sync.world import PROD, World

SPARE = Remote("spare", PROD.host, "project", "5", PROD.key)
EMPTY = Remote("empty", PROD.host, "project", "6", PROD.key)

Editable = dict[KindName, list[tuple[Any, ...]]]


def hostile_items(count: int) -> Iterator[dict[str, Any]]:
    """Yield `count` items as the sandbox takes them, of values that a server can show again."""
    fields = cycle(rows())
    for _ in range(count):
        values = dict(next(fields))
        for problem in problems("item", "", values, "classic"):
            values.pop(problem.field)
        yield {
            "input": json.loads(str(values.get("input") or "null")),
            "output": json.loads(str(values.get("expected_output") or "null")),
            "metadata": json.loads(str(values.get("metadata") or "null")),
            "ref_trace_id": str(values.get("trace_id") or "").strip() or None,
            "ref_source_id": str(values.get("event_id") or "").strip() or None,
        }


def fill(world: World, datasets: int, items: int, project: int = 1) -> list[str]:
    """Put hostile items into a project and return their ids."""
    state = world.sandbox.state
    homes = [
        state.insert("dataset", project, name=f"set {n}", description=None, metadata={"n": n})
        for n in range(datasets)
    ]
    return [
        state.insert("item", project, dataset=homes[n % datasets], **item)
        for n, item in enumerate(hostile_items(items))
    ]


def editable(world: World, remote: str) -> Editable:
    """Return what a person could edit of a remote's live records, names standing for datasets."""
    names: dict[str, str] = dict(world.sql("SELECT key, name FROM datasets"))
    found: Editable = {}
    for kind in KINDS.values():
        columns = ", ".join(kind.names)
        live = world.sql(
            f"SELECT {columns} FROM {kind.table} WHERE remote = ? AND deleted IS NOT 1", remote
        )
        found[kind.name] = sorted(
            (_shown(kind.name, dict(zip(kind.names, row, strict=True)), names) for row in live),
            key=repr,
        )
    return found


def _shown(kind: KindName, values: Values, names: dict[str, str]) -> tuple[Any, ...]:
    return tuple(
        names[str(value)] if field.type == "reference" else stored_form(field, value)
        for field, value in ((f, values[f.name]) for f in KINDS[kind].fields)
    )


def run_of(world: World, remote: str = "prod") -> int:
    """Return the newest snapshot's run."""
    with world.mirror.database.read() as tx:
        return snapshots.newest_run(tx, remote)


def go_back(world: World, run: int, to: str | None = None, **options: Any) -> Restored:
    """Restore a snapshot of prod."""
    with world.mirror.database.read() as tx:
        taken = {each.run: each for each in snapshots.known(tx, ["prod"])}
    with open_snapshot(world.mirror, taken[run]) as source:
        return restore(world.mirror, source, world.session, remote=to, **options)


def push(world: World) -> int:
    """Push everything, deletions too, and return how many writes were sent."""
    from dssync.core.brakes import Limit

    with world.watched() as seen:
        receipt = world.apply(world.prepare(limit=Limit(share=1)))
    assert receipt.exit_code == 0, receipt.entries[:3]
    return sum(entry.method != "GET" for entry in seen)


def ids(world: World, kind: Any) -> list[str]:
    return [row["id"] for row in world.sandbox.state.rows(kind)]
