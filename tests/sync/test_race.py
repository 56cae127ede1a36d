"""Two writers at the very same moment: the server saves whole rows, so one may undo the other.

A round sends two PATCHes of different fields of one record, which meet at the server's door. Both
are read there before either is saved, or not, as chance has it.
"""

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from time import sleep

import httpx
import pytest

from dssync.core.fields import KindName
from dssync.core.merge import Reason
from dssync.core.receipt import Receipt
from tests.sync.test_two_mirrors import FIELDS, WIRE, make, written
from tests.sync.world import Meddler, World

SECONDS = 0.004
"""How long the server keeps a row between reading and saving it."""

SAMPLE, ALL = 5, 200


@dataclass
class Race:
    """Writers of one record, one field each, and what became of their rounds."""

    kind: KindName
    key: str
    world: World
    colleague: World
    chance: random.Random
    counts: Counter[str] = field(default_factory=Counter)

    def together(self, *writers: Callable[[], Receipt | None]) -> list[Receipt | None]:
        """Let everybody write at once; each PATCH waits at the door for the others."""
        door = threading.Barrier(len(writers))
        late = [self.chance.choice((0, 0, 1, 2)) * SECONDS for _ in writers]

        def meet(request: httpx.Request) -> None:
            if request.method == "PATCH":
                sleep(late[door.wait(20)])

        inner = httpx.WSGITransport(app=self.world.sandbox)
        for each in (self.world, self.colleague):
            each.network = lambda remote: Meddler(inner, before=meet)
        self.world.sandbox.race = SECONDS
        try:
            with (
                httpx.Client(transport=Meddler(inner, before=meet)) as self.neighbour,
                ThreadPoolExecutor(len(writers)) as pool,
            ):
                return [done.result() for done in [pool.submit(write) for write in writers]]
        finally:
            self.world.sandbox.race = 0.0
            for each in (self.world, self.colleague):
                each.network = None

    def there(self, name: str) -> str:
        return self.world.raw(self.kind, self.key)[WIRE.get(name, name)].strip('"')

    def check(self, each: World, name: str, value: str, receipt: Receipt | None) -> None:
        """Hold what a mirror says of its own write against what the server holds."""
        assert receipt is not None
        at_once = [entry.outcome for entry in receipt.entries] == ["conflicted"]
        assert each.pull().exit_code == 0
        conflicts = [c for conflicted in each.plan().conflicts for c in conflicted.conflicts]
        if self.there(name) == value:
            self.counts["stood"] += 1
            assert not at_once
            assert conflicts == []
            assert each.nothing_planned()
        else:
            self.counts["noticed at once" if at_once else "noticed by the next pull"] += 1
            [conflict] = conflicts
            assert (conflict.field, conflict.reason) == (name, Reason.REVERTED)
            assert conflict.ours == written(self.kind, value)
            assert each.mirror.revert(self.kind, self.key)

    def forget(self) -> None:
        """Let both mirrors agree with the server, for the next round."""
        for each in (self.world, self.colleague):
            assert each.pull().exit_code == 0
            assert each.nothing_planned()


@pytest.fixture(params=["dataset", "item"])
def race(world: World, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Race]:
    colleague = world.another_mirror(tmp_path / "second.db")
    key = make(world, request.param)
    found = Race(request.param, key, world, colleague, random.Random(7))
    found.forget()
    yield found
    colleague.mirror.close()


def two_mirrors(race: Race, rounds: int) -> None:
    """Race two mirrors: whichever of them was undone knows it."""
    both = list(zip((race.world, race.colleague), FIELDS[race.kind], strict=True))
    for number in range(rounds):
        for each, name in both:
            each.set(race.kind, race.key, **{name: written(race.kind, f"{name} {number}")})
        receipts = race.together(*(each.push for each, _ in both))
        before = race.counts["stood"]
        for (each, name), receipt in zip(both, receipts, strict=True):
            race.check(each, name, f"{name} {number}", receipt)
        assert race.counts["stood"] > before  # one of two always stands
        race.forget()


def a_mirror_and_a_browser(race: Race, rounds: int) -> None:
    """Race a mirror with somebody else: the mirror knows of its own write, and of what stands."""
    mine, other = FIELDS[race.kind]
    path = "datasets" if race.kind == "dataset" else "dataset_items"

    def patch(value: str) -> None:
        answer = race.neighbour.patch(
            f"https://posthog.test/api/environments/1/{path}/{race.key}/",
            json={WIRE.get(other, other): value},
            headers={"Authorization": "Bearer phx_sandbox"},
        )
        assert answer.status_code == 200

    for number in range(rounds):
        race.world.set(race.kind, race.key, **{mine: written(race.kind, f"mine {number}")})
        receipt, _ = race.together(race.world.push, lambda: patch(f"theirs {number}"))  # noqa: B023
        race.check(race.world, mine, f"mine {number}", receipt)
        race.counts["undid theirs"] += race.there(other) != f"theirs {number}"
        race.forget()


def test_every_revert_between_two_mirrors_is_noticed(race: Race) -> None:
    two_mirrors(race, SAMPLE)


def test_every_revert_by_somebody_else_is_noticed(race: Race) -> None:
    a_mirror_and_a_browser(race, SAMPLE)


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("rounds", [two_mirrors, a_mirror_and_a_browser])
def test_every_revert_of_many_is_noticed(race: Race, rounds: Callable[[Race, int], None]) -> None:
    rounds(race, ALL)
    noticed = {"noticed at once", "noticed by the next pull"} & race.counts.keys()
    assert noticed, race.counts
    assert race.counts["stood"], race.counts
