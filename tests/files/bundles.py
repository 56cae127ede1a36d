"""What the tests of bundles share."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from dssync.core.fields import KINDS, KindName, Stored
from dssync.files import bundle
from dssync.mirror import Mirror, past, snapshots
from dssync.mirror.past import Past
from tests.mirror.conftest import MAIN, NOW, Home
from tests.mirror.served import D1


def held(mirror: Mirror, remote: str, run: int) -> dict[KindName, list[Past]]:
    with mirror.database.read() as tx:
        return {kind: list(past.held(tx, remote, run, kind)) for kind in KINDS}


def unbundled(path: Path) -> dict[KindName, list[Past]]:
    return {kind: list(bundle.records(path, kind)) for kind in KINDS}


def serve(home: Home, kind: KindName, key: str, **values: Stored) -> None:
    """Let the server hold other values, and a pull bring them."""
    setters = ", ".join(f"{name} = ?" for name in values)
    with home.mirror.database.unit(1) as tx:
        table = KINDS[kind].table
        tx.exec_driver_sql(f"UPDATE {table} SET {setters} WHERE key = ?", (*values.values(), key))


def stock(home: Home, rows: Sequence[Mapping[str, Stored]]) -> None:
    """Let the server have these items as well."""
    names = KINDS["item"].names
    with home.mirror.database.unit(1) as tx:
        for number, row in enumerate(rows):
            id = f"0199f001-0000-7000-8000-{number:012}"
            values = {**dict.fromkeys(names), "dataset": D1, "deleted": 0, **row}
            tx.exec_driver_sql(
                f"INSERT INTO items (key, id, remote, created_at, run, digest, {', '.join(names)})"
                f" VALUES (?, ?, 'main', ?, 1, zeroblob(16), {', '.join('?' * len(names))})",
                (id, id, f"2026-11-24T00:00:00.{number:06}Z", *values.values()),
            )


def snap(home: Home) -> int:
    """Take a snapshot of all there is."""
    run = home.run()
    with home.mirror.database.unit(run) as tx:
        snapshots.take(tx, MAIN.name, run, NOW)
    return run


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def in_a_child(work: Callable[[], object]) -> int:
    """Run something in a fork; return how it ended."""
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(0)
    return os.waitpid(child, 0)[1]
