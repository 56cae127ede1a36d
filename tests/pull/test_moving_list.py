"""The list moves between every two pages; what stood still must come out right."""

import random
from datetime import timedelta
from pathlib import Path

import pytest

from dssync.sandbox import Sandbox
from tests.pull.harness import EPOCH, absent, in_mirror, mirror_in, on_server, pull_all

TIED = 500
LOOSE = 60


def populate(sandbox: Sandbox, dice: random.Random) -> str:
    """500 items of one timestamp among others older and newer; returns their dataset."""
    dataset = sandbox.state.insert("dataset", name="moving")
    for n in range(TIED):
        sandbox.state.insert("item", dataset=dataset, input=n, created_at=EPOCH)
    for n in range(LOOSE):
        age = timedelta(seconds=dice.uniform(-1e6, 1e6))
        sandbox.state.insert("item", dataset=dataset, input=-n, created_at=EPOCH + age)
    return dataset


class Meddler:
    """Another user who changes something between every two pages."""

    def __init__(self, sandbox: Sandbox, dataset: str, dice: random.Random) -> None:
        self.sandbox, self.dataset, self.dice = sandbox, dataset, dice
        self.touched: set[str] = set()
        self.deleted: list[str] = []
        self.moves = [self.insert, self.update, self.delete, self.delete, self.undelete]

    def __call__(self) -> None:
        for _ in range(self.dice.randint(0, 3)):
            self.dice.choice(self.moves)()

    def pick(self) -> str:
        row = self.dice.choice(self.sandbox.state.rows("item"))
        self.touched.add(row["id"])
        return str(row["id"])

    def insert(self) -> None:
        at = EPOCH if self.dice.random() < 0.3 else EPOCH + timedelta(days=30)
        new = self.sandbox.state.insert("item", dataset=self.dataset, input="new", created_at=at)
        self.touched.add(new)

    def update(self) -> None:
        self.sandbox.state.update("item", self.pick(), input=self.dice.random())

    def delete(self) -> None:
        gone = self.pick()
        self.sandbox.state.delete("item", gone)
        self.deleted.append(gone)

    def undelete(self) -> None:
        if self.deleted:
            back = self.deleted.pop(self.dice.randrange(len(self.deleted)))
            self.sandbox.state.undelete("item", back)


def play(seed: int, folder: Path) -> None:
    dice = random.Random(seed)
    sandbox = Sandbox(limits=())
    dataset = populate(sandbox, dice)
    page, ahead = dice.choice([11, 23, 50, 120]), dice.choice([1, 4])
    first = dice.random() < 0.5  # a row that a first pull misses is in no mirror
    with mirror_in(folder) as mirror:
        if not first:
            assert pull_all(mirror, sandbox, page=200).exit_code == 0
        meddler = Meddler(sandbox, dataset, dice)
        for _ in range(5):
            meddler.delete()  # so that there are absences to conclude, and rows to come back
        sandbox.between_pages(meddler)
        before = on_server(sandbox, "item")
        receipt = pull_all(mirror, sandbox, page=page, ahead=ahead)
        sandbox.between_pages(None)
        still = before.keys() - meddler.touched
        mirrored, live = in_mirror(mirror, "item"), on_server(sandbox, "item")
        assert receipt.exit_code in (0, 5), receipt
        if receipt.exit_code == 0 or not first:
            assert {id: mirrored.get(id) for id in still} == {id: before[id] for id in still}
        assert not absent(mirror, "item") & still
        assert not absent(mirror, "item") & (live.keys() - meddler.touched)
        assert pull_all(mirror, sandbox, page=200).exit_code == 0
        assert in_mirror(mirror, "item") == on_server(sandbox, "item")


@pytest.mark.parametrize("seed", range(12))
def test_rows_that_stood_still_are_mirrored_while_the_list_moves(seed: int, tmp_path: Path) -> None:
    play(seed, tmp_path)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("block", range(10))
def test_a_thousand_seeds_of_a_moving_list(block: int, tmp_path: Path) -> None:
    for seed in range(block * 100, block * 100 + 100):
        folder = tmp_path / str(seed)
        folder.mkdir()
        play(seed, folder)
