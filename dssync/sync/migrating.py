"""One migration's edits of a destination's working copy, decided record by record."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b

from dssync.core.differ import difference
from dssync.core.fields import KINDS, KindName, Spot, Values
from dssync.core.merge import Conflict, Reason
from dssync.core.migration import Manner, carry
from dssync.core.plan import Action, Conflicted
from dssync.core.receipt import Entry
from dssync.core.records import Triple
from dssync.core.restoring import Step
from dssync.core.selecting import Choice, Found
from dssync.core.values import differing, prints
from dssync.mirror import (
    KnownRemote,
    Mirror,
    Transaction,
    links,
    records,
    snapshots,
    touched,
)
from dssync.mirror.past import Past
from dssync.sync.carrying import Batch, Carrying, batches
from dssync.sync.matching import Matching
from dssync.sync.past import Source

DELETED = "its dataset is deleted in {source}, so there is no place for it"
UNPLACED = "its dataset is not copied, so there is no place for it"
UNSENT = "edits of its original wait here: push or revert them, then migrate again"
AMONG_EQUALS = "it and its equals there cannot be told apart, and nobody guesses among them"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a migration was asked for, besides which datasets are meant."""

    choice: Choice = field(default_factory=Choice)
    match: bool = False
    missing: bool = False


@dataclass(slots=True)
class Carried:
    """What a walk over the source came to.

    `spots` are the records of the destination that the migration changes, or waits to change;
    `expected` has what each of its copies will say, in `prints`, by key. `clashes` are those that
    somebody edits here, `entries` the rows of records that are left as they are. `matched` counts
    what is taken over, `twins` the datasets that are not, although one of their name is there,
    `gone` the copies whose originals are, and `buried` the copies that were deleted while their
    originals were not.
    """

    spots: set[Spot] = field(default_factory=set)
    expected: dict[KindName, dict[str, bytes]] = field(
        default_factory=lambda: {kind: {} for kind in KINDS}
    )
    clashes: list[Conflicted] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    matched: Counter[KindName] = field(default_factory=Counter)
    twins: list[str] = field(default_factory=list)
    gone: Counter[KindName] = field(default_factory=Counter)
    buried: Counter[KindName] = field(default_factory=Counter)


class Migrating(Carrying):
    """Edits the destination until it has what the source has, and what was done there.

    `settling` edits nothing: it only keeps what both sides agree on by now.
    """

    def __init__(
        self,
        mirror: Mirror,
        tx: Transaction,
        source: Source,
        remote: KnownRemote,
        wishes: Wishes,
        *,
        settling: bool = False,
    ) -> None:
        super().__init__(mirror, tx, source, remote)
        self._wishes, self._settling = wishes, settling
        self._chosen: set[str] = set()
        self._dead: set[str] = set()
        self._known: set[str] = set()
        self._nowhere: set[str] = set()
        self._undecided: set[str] = set()
        self._waiting: set[str] = set()
        self._present = source.run == snapshots.newest_run(tx, source.remote)
        self._matching = Matching(tx, source, remote.name, wishes.choice.name)
        self.done = Carried()

    def go(self) -> None:
        """Walk over the source, parents first. Raises UnknownRecord, UsageError."""
        found = [
            Found(each.key, each.id, str(each.values["name"]), each.live)
            for each in self._source.read("dataset")
        ]
        self._dead = {each.key for each in found if not each.live}
        self._known = {each.key for each in found}
        own = set() if self._elsewhere else links.copies(self._tx, "dataset", self._remote.name)
        meant = [each for each in found if each.key not in own]
        self._chosen = self._wishes.choice.of(self._source.remote, meant)
        for kind in KINDS:
            self._take_over(kind)
            for pasts in batches(self._source.read(kind)):
                self._carry(kind, pasts)

    def _take_over(self, kind: KindName) -> None:
        """Find what the destination has already, and link it where that was asked for.

        All of a kind is looked at together: what is alone among some may have an equal elsewhere.
        """
        if self._settling or (kind == "item" and not self._wishes.match):
            return
        ends = self._ends(kind)
        fresh: list[Past] = []
        for pasts in batches(self._source.read(kind)):
            meant = [past for past in pasts if past.live and self._meant(past)]
            places = self._places(kind, meant, self._origins(kind, meant))
            fresh += [past for past in meant if past.key not in places]
        found = self._matching.find(kind, fresh, self._homes)
        twins = {*found.pairs, *found.undecided}
        if not self._wishes.match:
            self.done.twins += [str(p.values["name"]) for p in fresh if p.key in twins]
            return
        self._undecided.update(found.undecided.keys())
        origins = self._origins(kind, [past for past in fresh if past.key in found.pairs])
        links.remember(self._tx, ends, {origins[old]: new for old, new in found.pairs.items()})
        self.done.matched.update({kind: len(found.pairs)} if found.pairs else {})

    def _carry(self, kind: KindName, pasts: Sequence[Past]) -> None:
        meant = [past for past in pasts if self._meant(past)]
        if not meant:
            return
        batch = self._batch(kind, meant)
        keys = self._keys(batch, meant)
        if self._present:
            self._waiting = touched.pending_keys(self._tx, kind, [past.key for past in meant])
        agree: dict[str, str] = {}
        for past in meant:
            origin = batch.origins[past.key]
            if (key := self._one(past, batch, origin, keys)) is not None:
                agree[origin] = key
        self._agree(batch, meant, agree)

    def _meant(self, past: Past) -> bool:
        if past.kind == "dataset":
            return past.key in self._chosen
        home = str(past.values["dataset"])
        stray = not self._wishes.choice.only and home not in self._known
        return home in self._chosen or (stray and past.live)

    def _keys(self, batch: Batch, pasts: Sequence[Past]) -> Mapping[str, str]:
        """Return the keys that records will have here which are not here yet: always the same.

        So the plan that was shown is the plan that is made. A key that another record has by now
        is passed over.
        """
        fresh = [batch.origins[p.key] for p in pasts if p.live and p.key not in batch.places]
        ends = self._ends(batch.kind)
        made: dict[str, str] = {}
        left, life = fresh, 0
        while left:
            keys = {origin: _key(ends, origin, life) for origin in left}
            there = {each.key for each in records.chosen(self._tx, ends.kind, list(keys.values()))}
            made.update((origin, key) for origin, key in keys.items() if key not in there)
            left, life = [origin for origin in left if keys[origin] in there], life + 1
        return made

    def _one(self, past: Past, batch: Batch, origin: str, keys: Mapping[str, str]) -> str | None:
        """Decide for one record and do it; return its key here if both sides agree by now."""
        now, then = batch.triple(past), self._then(past)
        if isinstance(then, str):
            if now is None:  # a copy that is there stays, which needs no row every night
                reason = Entry("", past.kind, "", "create", "skipped", (), then)
                self._enter(past, None, reason)
            return None
        if past.key in self._undecided:
            equal = Entry("", past.kind, "", "create", "conflicted", (), AMONG_EQUALS)
            self._enter(past, now, equal)
            return None
        agreed = self._agreed(batch.agreed.get(origin))
        wishes = self._wishes
        manner = Manner(self._remote.contract, wishes.missing, taken=wishes.match)
        found = carry(past.kind, then, now, agreed, manner)
        self._count(past, now, then, found)
        if self._settling:
            return self._settled(now, found)
        if past.key in self._waiting and found.name in ("edit", "clash", "spared"):
            # what was decided here, but not pushed yet, is not to be overruled by what it replaces
            self._enter(past, now, Entry("", past.kind, "", "update", "conflicted", (), UNSENT))
            return None
        self._tell(past, then, found)
        self._judge(past, now, found)
        key = self._apply(past.kind, now, found, keys.get(origin))
        if key is not None:
            self._note(past, key, now, found)
        return key if found.name in ("create", "clash") else self._settled(now, found)

    def _count(self, past: Past, now: Triple | None, then: Values | None, found: Step) -> None:
        """Count what is at one end only."""
        if then is None and now is not None and not now.ours["deleted"]:
            self.done.gone[past.kind] += 1
        there = found.target if found.name == "nothing" else None
        if then is not None and there is not None and there["deleted"]:
            self.done.buried[past.kind] += 1

    def _settled(self, now: Triple | None, found: Step) -> str | None:
        settled = now is not None and found.name == "nothing" and found.target is not None
        return now.key if now and settled else None

    def _then(self, past: Past) -> Values | str | None:
        then = super()._then(past)
        if isinstance(then, str):
            dead = str(past.values["dataset"])
            known = dead in self._known and dead not in self._dead
            return UNPLACED if known else DELETED.format(source=self._source.remote)
        return self._renamed(past.kind, then)

    def _home(self, dataset: str) -> str | None:
        there = dataset in self._known and dataset not in self._dead
        return self._anywhere(dataset) if there else None

    def _anywhere(self, dataset: str) -> str | None:
        """Return the key here of a dataset of the source, one that is not meant this time, too."""
        if dataset not in self._homes and dataset not in self._nowhere:
            ends = self._ends("dataset")
            found = links.find(self._tx, ends.remote, "dataset", ends.source, [dataset])
            self._homes.update(found)
            self._nowhere.update({dataset} - found.keys())
        return self._homes.get(dataset)

    def _renamed(self, kind: KindName, values: Values | None) -> Values | None:
        choice = self._wishes.choice
        if kind == "item" or values is None or not choice.renames:
            return values
        return {**values, "name": choice.name(str(values["name"]))}

    def _agreed(self, found: links.Agreed | None) -> Values | None:
        """Return the base in the destination's words."""
        if found is None:
            return None
        values = found.values
        if not found.own:
            return values
        if "dataset" in values:
            home = self._anywhere(str(values["dataset"]))
            return {**values, "dataset": home or values["dataset"]}
        return self._renamed("dataset", values)

    def _judge(self, past: Past, now: Triple | None, found: Step) -> None:
        """Note what a record's row in the receipt will say, where no push makes it."""
        if found.name == "refuse":
            reason = f"{self._remote.name} would refuse it: {found.reason}"
            action: Action = "update" if now else "create"
            self._enter(past, now, Entry("", past.kind, "", action, "failed", (), reason))
        elif found.name == "spared":
            entry = Entry("", past.kind, "", "delete", "conflicted", (), found.reason)
            self._enter(past, now, entry)
        elif found.name == "edited" and now is not None and not _disputed(now):
            self.done.clashes.append(self._edited(now))

    def _edited(self, now: Triple) -> Conflicted:
        there = now.theirs if now.theirs is not None else now.ours
        fields = differing(KINDS[now.kind].fields, now.ours, there)
        conflicts = tuple(
            Conflict(name, there[name], there[name], now.ours[name], Reason.EDITED)
            for name in fields
        )
        label, where = records.describe(self._tx, now.kind, now.key, now.ours)
        return Conflicted(now.remote, now.kind, now.key, now.id, conflicts, label, where)

    def _note(self, past: Past, key: str, now: Triple | None, found: Step) -> None:
        """Note a copy: where it is, what it will say, and that a push has to do with it."""
        if past.kind == "dataset":
            self._homes[past.key] = key
        if found.target is not None and found.name != "edited":
            self.done.expected[past.kind][key] = prints(KINDS[past.kind].fields, found.target)
        if found.name in ("create", "edit", "waits", "clash", "drop") or _disputed(now):
            self.done.spots.add((past.kind, key))

    def _enter(self, past: Past, now: Triple | None, entry: Entry) -> None:
        """Keep a row: of the copy, where there is one, else of the original."""
        if self._settling:
            return
        remote, key = (now.remote, now.key) if now else (self._source.remote, past.key)
        values = now.ours if now else past.values
        label, where = records.describe(self._tx, past.kind, key, values)
        named = replace(entry, remote=remote, key=key, label=label, where=where)
        self.done.entries.append(named)

    def _agree(self, batch: Batch, pasts: Sequence[Past], agree: Mapping[str, str]) -> None:
        """Keep what both sides agree on now; what they agreed on already stays as it was kept."""
        changed: dict[str, str] = {}
        said: dict[str, Values] = {}
        for past in pasts:
            origin = batch.origins[past.key]
            values = {**past.values, "deleted": int(not past.live)}
            found = batch.agreed.get(origin)
            if origin in agree and not (found and found.own and found.values == values):
                changed[origin], said[origin] = agree[origin], values
        links.agree(self._tx, self._ends(batch.kind), changed, self._source.run, said)


def _disputed(now: Triple | None) -> bool:
    """Tell whether a record waits to be resolved; most were never touched."""
    touched = now is not None and now.theirs is not now.ours
    return touched and now is not None and isinstance(difference(now), Conflicted)


def _key(ends: links.Ends, origin: str, life: int) -> str:
    text = "\0".join((ends.remote, ends.kind, ends.source, origin, str(life)))
    return f"new-{blake2b(text.encode(), digest_size=8).hexdigest()}"
