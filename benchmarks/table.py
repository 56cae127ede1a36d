"""Run every contestant in turn on the same data and print one table.

Run as `python -m benchmarks.table [small|full]`. Nothing is written into the project.
"""

import os
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

ROWS_A_PAGE = 1000


@dataclass(frozen=True)
class Round:
    """One set of data: how many rows, how slow the server, how many pages in flight."""

    datasets: int
    items: int
    milliseconds: int
    in_flight: int


ROUNDS = {
    "small": (Round(2_000, 20_000, 0, 1), Round(2_000, 20_000, 50, 8)),
    "full": (
        Round(2_000, 20_000, 0, 1),
        Round(2_000, 20_000, 50, 8),
        Round(200, 200_000, 0, 1),
        Round(200, 20_000, 0, 4),
        Round(200, 200_000, 0, 4),
    ),
}
"""The last two are the same but for the rows: peak memory should hardly differ, time tenfold."""


class Cost(msgspec.Struct):
    """What one contestant cost: seconds, seconds, bytes."""

    wall: float
    cpu: float
    peak: int


@contextmanager
def server(data: Round) -> Iterator[str]:
    """Serve the data from a process of its own."""
    numbers = map(str, (data.datasets, data.items, data.milliseconds))
    command = [sys.executable, "-m", "benchmarks.server", *numbers]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.stdin.close()
        process.terminate()
        process.wait()
        process.stdout.close()


def requests(url: str) -> int:
    """How many lists the server has served so far."""
    with urllib.request.urlopen(f"{url}/requests") as answer:
        return int(answer.read())


def contest(name: str, url: str, path: Path, data: Round, state: Path) -> Cost:
    """Run one contestant in a process of its own."""
    flight = "1" if name == "script" else str(data.in_flight)
    command = [sys.executable, "-m", "benchmarks.child", name, url, str(path)]
    done = subprocess.run(
        [*command, str(ROWS_A_PAGE), flight],
        stdout=subprocess.PIPE,
        check=True,
        env={**os.environ, "DSSYNC_STATE_DIR": str(state)},
    )
    return msgspec.json.decode(done.stdout, type=Cost)


def play(data: Round, folder: Path) -> None:
    """Print the rows of one round."""
    print(
        f"\n{data.datasets:,} datasets, {data.items:,} items, {data.milliseconds} ms,"
        f" {data.in_flight} in flight"
    )
    print(f"{'':14}{'wall s':>8}{'x floor':>8}{'cpu s':>8}{'peak MB':>8}{'reqs':>7}{'file MB':>8}")
    with server(data) as url:
        floor = 0.0
        for label, name in CONTESTANTS:
            path = folder / f"{name}.db"
            before = requests(url)
            cost = contest(name, url, path, data, folder / label)
            floor = floor or cost.wall
            print(
                f"{label:14}{cost.wall:8.2f}{cost.wall / floor:8.2f}{cost.cpu:8.2f}"
                f"{cost.peak / 1e6:8.0f}{requests(url) - before:7}"
                f"{path.stat().st_size / 1e6:8.0f}",
                flush=True,
            )


CONTESTANTS = (
    ("floor", "floor"),
    ("script", "script"),
    ("dssync", "dssync"),
    ("dssync again", "dssync"),
)


def main() -> None:
    size = sys.argv[1] if len(sys.argv) > 1 else "full"
    for data in ROUNDS[size]:
        with tempfile.TemporaryDirectory() as folder:
            play(data, Path(folder))


if __name__ == "__main__":
    main()
