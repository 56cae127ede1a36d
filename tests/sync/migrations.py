"""Two projects between which records are migrated, and what a migration is judged by."""

from collections import Counter
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from dssync.config import Remote
from dssync.core.brakes import Limit
from dssync.core.receipt import Receipt
from dssync.core.selecting import Choice
from dssync.mirror import snapshots
from dssync.sync import pull
from dssync.sync.migrating import Wishes
from dssync.sync.migrator import Migration, Migrator
from dssync.sync.past import Source, open_snapshot
from tests.sync.restoring import SPARE
from tests.sync.world import PROD, World


@dataclass
class Road:
    """Migrates between two projects of one sandbox, as the command does it: pull first."""

    world: World
    source: Remote = PROD
    remote: Remote = SPARE
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def back(self) -> "Road":
        return Road(self.world, self.remote, self.source)

    def opening(self, run: int | None = None) -> AbstractContextManager[Source]:
        mirror = self.world.mirror
        with mirror.database.read() as tx:
            taken = snapshots.known(tx, [self.source.name])
        chosen = taken[-1] if run is None else next(each for each in taken if each.run == run)
        return open_snapshot(mirror, chosen)

    def migrator(
        self, at: int | None = None, limit: Limit | None = None, **wishes: Any
    ) -> Migrator:
        names = ("only", "besides", "called", "prefix")
        choice = Choice(**{name: wishes.pop(name) for name in names if name in wishes})
        opening = lambda: self.opening(at)  # noqa: E731 - it is opened more than once
        return Migrator(self.world.mirror, opening, self.remote, Wishes(choice, **wishes), limit)

    def pull(self) -> None:
        both = [self.source] if self.source == self.remote else [self.source, self.remote]
        limit = Limit(share=1)  # what is gone is gone on purpose
        assert pull(self.world.mirror, both, self.world.session, limit=limit).exit_code == 0

    def look(self, **wishes: Any) -> Migration:
        return self.migrator(**wishes).look()

    def go(self, **wishes: Any) -> Receipt:
        """Pull both and migrate."""
        self.pull()
        receipt = self.migrator(**wishes).migrate(self.world.session)[1]
        assert receipt.balanced
        return receipt

    def writes(self, **wishes: Any) -> int:
        """Migrate, see that all went well, and count the requests that wrote."""
        with self.world.watched() as seen:
            receipt = self.go(**wishes)
        assert receipt.exit_code == 0, (receipt.troubles, receipt.entries[:3])
        return sum(each.method != "GET" for each in seen)


def rows(world: World, project: int) -> dict[str, Counter[str]]:
    """Return what a project shows: for each dataset's name and description, its items."""
    state = world.sandbox.state
    found: dict[str, Counter[str]] = {}
    names = {}
    for each in state.rows("dataset", project):
        names[each["id"]] = each["name"]
        fields = [each[n] for n in ("name", "description", "metadata")]
        found.setdefault(each["name"], Counter())[repr(fields)] += 1
    for each in state.rows("item", project):
        name = names.get(each["dataset"], "")
        fields = [each[n] for n in ("input", "output", "metadata", "ref_trace_id", "ref_source_id")]
        found.setdefault(name, Counter())[repr(fields)] += 1
    return found
