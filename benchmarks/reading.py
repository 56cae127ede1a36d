"""Run the commands that only read, each as a person does: a process of its own, start-up included.

Run as `python -m benchmarks.reading [small|full]`. Beside them stands what no Python program gets
under. Where the machine allows it, the children run before all others (`chrt`); CPU time tells what
a busy machine hides.
"""

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.table import Round, contest, server

SIZES = {"small": Round(20, 20_000, 0, 4), "full": Round(200, 200_000, 0, 4)}
TIMES = 9
FEW, MANY = 10, 25_000
DSSYNC = (sys.executable, "-m", "dssync")


@dataclass(frozen=True)
class Spent:
    """What one process cost, in seconds."""

    wall: float
    cpu: float


def main() -> None:
    data = SIZES[sys.argv[1] if len(sys.argv) > 1 else "full"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        mirror = folder / "mirror.db"
        with server(data) as url:
            contest("dssync", url, mirror, data, folder / "state")
        print(f"\n{data.datasets:,} datasets, {data.items:,} items, {TIMES} runs of each")
        print(f"{'':34}{'median s':>9}{'best s':>8}{'cpu s':>8}")
        measure(folder, "python -c pass", [sys.executable, "-c", "pass"])
        measure(folder, "python -c 'import sqlite3'", [sys.executable, "-c", "import sqlite3"])
        measure(folder, "dssync --version", [*DSSYNC, "--version"])
        edit(mirror, FEW)
        read_all(folder, mirror)
        edit(mirror, min(MANY, data.items // 2))
        read_pending(folder, mirror)


def read_all(folder: Path, mirror: Path) -> None:
    """Measure every command, with a few edits waiting."""
    (dataset, key), *_ = rows(mirror, "SELECT dataset, key FROM dataset_items LIMIT 1")
    ours(folder, f"diff, {FEW} edits", "diff")
    ours(folder, "status", "status")
    ours(folder, "list", "list")
    ((inside,),) = rows(mirror, "SELECT count(*) FROM dataset_items WHERE dataset = ?", dataset)
    ours(folder, f"list DATASET, {inside:,} items", "list", dataset)
    ours(folder, "show KEY", "show", key)
    ours(folder, "show, the beginning of a key", "show", key[:13])
    ours(folder, "show NAME", "show", dataset)
    first = spend(folder, [*DSSYNC, "search", "refund"])
    print(f"{'search, making its index, once':34}{first.wall:9.2f}{'':8}{first.cpu:8.2f}")
    ours(folder, "search, one hit", "search", "number", str(4711))
    ours(folder, "search, nearly all are hits", "search", "refund")


def read_pending(folder: Path, mirror: Path) -> None:
    """Measure what a long list of edits must not slow down."""
    ((edits,),) = rows(mirror, "SELECT count(*) FROM items_pending WHERE side = 'base'")
    ((dataset,),) = rows(mirror, "SELECT dataset FROM dataset_items LIMIT 1")
    ours(folder, f"list, {edits:,} edits", "list")
    ours(folder, f"list DATASET, {edits:,} edits", "list", dataset)
    ours(folder, f"show, {edits:,} edits", "show", dataset)


def rows(mirror: Path, query: str, *arguments: str) -> list[tuple[str, ...]]:
    with closing(sqlite3.connect(mirror)) as sql:
        return sql.execute(query, arguments).fetchall()


def edit(mirror: Path, count: int) -> None:
    """Edit so many items, spread over the datasets."""
    with closing(sqlite3.connect(mirror)) as sql, sql:
        sql.execute(
            "UPDATE items SET expected_output = '\"edited\"' WHERE key IN"
            " (SELECT key FROM items ORDER BY key LIMIT ?)",
            (count,),
        )


def ours(folder: Path, label: str, *words: str) -> None:
    measure(folder, label, [*DSSYNC, *words])


def measure(folder: Path, label: str, command: Sequence[str]) -> None:
    """Run a command several times and print a line; the first run only warms it up."""
    spend(folder, command)
    spent = [spend(folder, command) for _ in range(TIMES)]
    walls = [each.wall for each in spent]
    cpu = median(each.cpu for each in spent)
    print(f"{label:34}{median(walls):9.2f}{min(walls):8.2f}{cpu:8.2f}", flush=True)


def spend(folder: Path, command: Sequence[str]) -> Spent:
    """Run a command to its end. Raises SystemExit where it fails."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [*FIRST, *command],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "HOME": str(folder), "DSSYNC_STATE_DIR": str(folder / "state")},
    )
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command} ended with {process.returncode}")
    return Spent(wall, used.ru_utime + used.ru_stime)


def _before_others() -> tuple[str, ...]:
    """Return what lets a command run before all others, nothing where that is not allowed."""
    first = ("chrt", "--rr", "20")
    if not shutil.which("chrt"):
        return ()
    tried = subprocess.run([*first, "true"], stderr=subprocess.DEVNULL, check=False)
    return () if tried.returncode else first


FIRST = _before_others()

if __name__ == "__main__":
    main()
