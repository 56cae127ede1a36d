"""A backup every night: what it costs, that each night can be had back, and what forgetting leaves.

Every hundredth item changes each night. Beside the mirror a shadow remembers what the server held:
for each night the values that were new. A night is proved when the past that the mirror tells is,
record by record, what the shadow says.
"""

import logging
import random
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from dssync.core.retention import Policy, Rules
from dssync.mirror import past
from dssync.sync.forgetter import forget, judge
from dssync.sync.verifier import read_snapshots, verify
from tests.sync.world import World

LOG = logging.getLogger(__name__)
"""Is told the numbers: `pytest --log-cli-level=INFO`."""

DAY = timedelta(days=1)
POLICY = Policy(daily=7, weekly=4, monthly=12)

OVERHEAD = 16_384
"""Bytes a night may cost besides the rows it replaced: the run, its scans, its snapshot, and pages
that are not full."""

FACTOR = 1.25
"""How much larger a replaced row is on the disk than its columns: its header, its place in the
index by key, and the room that pages leave."""


@dataclass
class Nights:
    """A mirror that is pulled every night, and the shadow of what the server held."""

    world: World
    items: int
    ids: list[str] = field(default_factory=list)
    written: dict[int, dict[str, str]] = field(default_factory=dict)
    sizes: list[int] = field(default_factory=list)
    replaced: list[int] = field(default_factory=list)

    def fill(self) -> None:
        """Make a dataset with its items, and pull it."""
        state = self.world.sandbox.state
        dataset = state.insert("dataset", name="nightly")
        self.ids = [
            state.insert("item", dataset=dataset, input=text(n, 0)) for n in range(self.items)
        ]
        self._pull({id: text(n, 0) for n, id in enumerate(self.ids)})

    def pass_by(self, nights: int, seed: int) -> None:
        """Let nights pass; in each every hundredth item, chosen by lot, changes."""
        lot = random.Random(seed)
        for night in range(1, nights):
            chosen = lot.sample(range(self.items), self.items // 100)
            for n in chosen:
                self.world.sandbox.state.update("item", self.ids[n], input=text(n, night))
            self.world.clock.advance(DAY.total_seconds())
            self._pull({self.ids[n]: text(n, night) for n in chosen})

    def _pull(self, new: dict[str, str]) -> None:
        receipt = self.world.pull()
        assert (receipt.exit_code, receipt.run) == (0, len(self.written) + 1)
        self.written[len(self.written) + 1] = new
        self.sizes.append(self._size())
        self.replaced.append(self._replaced())

    def _size(self) -> int:
        with closing(sqlite3.connect(self.world.mirror.path)) as connection:
            (pages,), (size,) = (
                connection.execute(f"PRAGMA {name}").fetchone()
                for name in ("page_count", "page_size")
            )
            return int(pages * size)

    def _replaced(self) -> int:
        """Return the bytes of all columns of what this night replaced."""
        columns = [row[1] for row in self.world.sql("PRAGMA table_info(items_history)")]
        width = " + ".join(f"coalesce(length(CAST({name} AS BLOB)), 0)" for name in columns)
        [(count,)] = self.world.sql(
            f"SELECT coalesce(sum({width}), 0) FROM items_history WHERE until_run = ?",
            len(self.written),
        )
        return int(count)

    def shadow(self) -> Iterator[tuple[int, dict[str, str]]]:
        """Yield what the server held at the end of each night, in one dictionary kept current."""
        held: dict[str, str] = {}
        for run, new in self.written.items():
            held |= new
            yield run, held

    def kept(self) -> list[int]:
        """Return the snapshots that are kept, with all that they hold proved."""
        proved = verify(self.world.mirror)
        runs = [each.run for each in read_snapshots(self.world.mirror)]
        assert (proved.damages, proved.snapshots) == ((), len(runs))
        return runs

    def prove(self, runs: Iterable[int]) -> int:
        """Compare each of these nights with the shadow, record by record; return how many."""
        wanted, proved = set(runs), 0
        with self.world.mirror.database.read() as tx:
            for run, held in self.shadow():
                if run in wanted:
                    there = {
                        each.id: str(each.values["input"])[1:-1]
                        for each in past.held(tx, "prod", run, "item")
                        if each.live
                    }
                    assert there == held, run
                    proved += 1
        return proved

    def growth(self) -> list[tuple[int, int]]:
        """Return for each night but the first by how much the file grew, and what it replaced."""
        return [
            (after - before, replaced)
            for (before, after), replaced in zip(
                pairwise(self.sizes), self.replaced[1:], strict=True
            )
        ]


def text(n: int, night: int) -> str:
    """Return what an item holds since a night: about 700 characters."""
    return f"item {n} since night {night}: " + "lorem ipsum dolor sit amet " * 25


def expected(nights: list[datetime]) -> set[int]:
    """Say by hand which of these nights, one a day, the policy keeps."""
    newest_first = sorted(enumerate(nights, 1), reverse=True)
    stay = {run for run, _ in newest_first[:7]}
    weeks = [run for run, at in newest_first if at.weekday() == 6 or run == len(nights)]
    months = [run for run, at in newest_first if (at + DAY).month != at.month or run == len(nights)]
    return stay | set(weeks[:4]) | set(months[:12])


def play(world: World, *, nights: int, items: int) -> str:
    played = Nights(world, items)
    played.fill()
    played.pass_by(nights, seed=6)
    growth = played.growth()
    total, replaced = (sum(column) for column in zip(*growth, strict=True))
    assert total <= FACTOR * replaced + OVERHEAD * len(growth)
    assert played.kept() == list(range(1, nights + 1))
    assert played.prove(range(1, nights + 1)) == nights

    begin = world.clock.begin.astimezone(UTC)
    stay = expected([begin + night * DAY for night in range(nights)])
    before = played.sizes[-1]
    receipt = forget(
        world.mirror, judge(world.mirror, {"prod": Rules(POLICY)}), world.session, prune=True
    )
    assert receipt.exit_code == 0
    assert set(played.kept()) == stay
    assert played.prove(stay) == len(stay)
    return (
        f"{len(growth)} nights: {total / len(growth):,.0f} bytes a night,"
        f" {replaced / len(growth):,.0f} of them replaced rows;"
        f" {before:,} bytes, and {played._size():,} after forgetting; {'; '.join(receipt.notes)}"
    )


def test_thirty_nights(world: World) -> None:
    LOG.info(play(world, nights=30, items=400))


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_a_year_of_nights(world: World) -> None:
    LOG.info(play(world, nights=365, items=20_000))
