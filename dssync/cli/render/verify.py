"""What a verification found: each damaged thing in a sentence, and what to type next."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import floor
from typing import TYPE_CHECKING

from dssync.cli.render.ages import moment
from dssync.cli.render.names import title
from dssync.cli.render.screen import Screen
from dssync.cli.render.text import Line, Tone, counted, plain_json, quoted, sentence
from dssync.cli.render.view import Document
from dssync.core.against import Difference, Found
from dssync.core.damage import Damage, Remedy
from dssync.core.receipt import worst
from dssync.core.sampling import odds

if TYPE_CHECKING:
    from dssync.sync.comparing import Compared, Sample
    from dssync.sync.verifier import Verified

SHOWN = 50
"""So many damaged things are drawn; --json has more."""

REMEDIES: Mapping[Remedy, str] = {
    "reread": "replace it by what the server has: dssync doctor --reread, then dssync pull",
    "pull": "the server is asked for it again by: dssync pull",
    "forget": "forget what holds it, dssync forget RUN --prune, or put a copy of the file in place",
    "copy": "restore the mirror's file from a copy, or move it away and pull again",
}

DIFFERENCES: Mapping[Found, str] = {
    "changed": "was changed on the server since",
    "new": "is new on the server",
    "gone": "is gone from the server",
    "unreadable": "cannot be read on the server any more",
    "damaged": "differs, and the server did not change it: it is damaged here",
}

PART = 0.01
"""The share of changed records for which the odds of a sample are told."""


@dataclass(frozen=True, slots=True)
class VerifyView:
    """Shows what the mirror says of itself, and what its servers say of it, if they were asked."""

    verified: "Verified"
    compared: "Sequence[Compared]" = ()
    sample: "Sample | None" = None

    @property
    def exit_code(self) -> int:
        """Return the worst of what was found."""
        return worst([self.verified.exit_code, *(each.exit_code for each in self.compared)])

    def json(self) -> Document:
        """Return what was found for programs."""
        return {
            "rows": self.verified.rows,
            "snapshots": self.verified.snapshots,
            "damaged": self.verified.damaged,
            "damages": [asdict(each) for each in self.verified.damages],
            "remotes": [self._compared_json(each) for each in self.compared],
        }

    def _compared_json(self, each: "Compared") -> Document:
        return {
            "remote": each.remote,
            "snapshot": each.snapshot.run if each.snapshot else None,
            "population": each.population,
            "compared": each.compared,
            "carried": each.carried,
            "seed": self.sample.seed if self.sample else None,
            "odds_of_one_percent": self._odds(each) if self.sample else None,
            "differences": [asdict(difference) for difference in each.differences],
            "trouble": asdict(each.trouble) if each.trouble else None,
        }

    def draw(self, screen: Screen) -> None:
        """Print what was found for people."""
        screen.data(self._lines(screen.width))

    def _lines(self, width: int) -> Iterator[Line]:
        yield from damage_lines(self.verified, width)
        yield Line(looked_at(self.verified))
        for each in self.compared:
            yield from self._compared_lines(each, width)

    def _compared_lines(self, each: "Compared", width: int) -> Iterator[Line]:
        for difference in each.differences[:SHOWN]:
            tone: Tone = "error" if difference.found == "damaged" else "change"
            yield from sentence(_difference(difference), width, tone=tone)
        if len(each.differences) > SHOWN:
            yield Line(f"and {len(each.differences) - SHOWN:,} more")
        if each.differences:
            yield from _advice(each, width)
        if each.trouble:
            yield from sentence(f"{each.remote}: {each.trouble.message}", width, tone="error")
            if each.trouble.hint:
                yield from sentence(f"hint: {each.trouble.hint}", width)
        if each.snapshot is None or (each.trouble and not each.compared):
            return
        when = f"run {each.snapshot.run}, {moment(each.snapshot.taken_at)}"
        same = "no difference" if not each.differences else _counts(each.differences)
        told = f"compared {each.compared:,} of {counted(each.population, 'record')}"
        yield from sentence(f"{each.remote}: {told} of the newest snapshot ({when}): {same}", width)
        if each.carried:
            yield from sentence(
                f"{counted(each.carried, 'record')} could not be read then, and cannot now", width
            )
        if self.sample is not None:
            yield from sentence(self._odds_text(each), width)

    def _odds(self, each: "Compared") -> float:
        return odds(each.population, changed_of(each.population), each.compared)

    def _odds_text(self, each: "Compared") -> str:
        changed, seed = changed_of(each.population), self.sample.seed if self.sample else 0
        part = f"{100 * changed / max(1, each.population):.2g} %"
        return (
            f"a random sample, seed {seed}: a change in {counted(changed, 'record')} ({part}) would"
            f" have been found with {percent(self._odds(each))}"
        )


def damage_lines(found: "Verified", width: int, *, hints: bool = True) -> Iterator[Line]:
    """Name each damaged thing, and say what helps a mirror."""
    for damage in found.damages[:SHOWN]:
        yield from sentence(_damage(damage), width, tone="error")
    if found.damaged > SHOWN:
        yield Line(f"and {found.damaged - SHOWN:,} more")
    for remedy in REMEDIES if hints else ():
        if any(damage.remedy == remedy for damage in found.damages):
            yield from sentence(f"hint: {REMEDIES[remedy]}", width)


def looked_at(found: "Verified") -> str:
    """Say how much was looked at, and whether all of it is whole."""
    looked = f"{counted(found.rows, 'row')} and {counted(found.snapshots, 'snapshot')}"
    if found.damaged:
        return f"looked at {looked}: {counted(found.damaged, 'thing')} damaged"
    return f"looked at {looked}: every one is as it was"


def changed_of(population: int) -> int:
    """Return how many records are one in a hundred, at least one."""
    return max(1, round(population * PART))


def percent(share: float) -> str:
    """Write a probability; what is not certain never looks so.

    >>> percent(0.99996)
    '99.9 %'
    """
    return f"{floor(share * 1000) / 10:g} %"


def _damage(damage: Damage) -> str:
    if damage.kind is None:
        if not damage.snapshots:
            return damage.what
        return f"damaged: snapshot {damage.snapshots[0]} of {damage.remote}: {damage.what}"
    place = f" in {quoted(damage.dataset)}" if damage.dataset is not None else ""
    held = ", ".join(str(run) for run in damage.snapshots[:SHOWN_RUNS])
    more = len(damage.snapshots) - SHOWN_RUNS
    runs = f"{held} and {more:,} more" if more > 0 else held
    word = "snapshot" if len(damage.snapshots) == 1 else "snapshots"
    within = f"in {word} {runs}" if damage.snapshots else "in no snapshot"
    name = title(damage.kind, damage.label, damage.key or "")
    return f"damaged: {name}{place}, {damage.remote}: {damage.what} ({within})"


SHOWN_RUNS = 5


def _difference(each: Difference) -> str:
    fields = f" ({', '.join(each.fields)})" if each.fields else ""
    return f"{each.kind} {plain_json(each.id)}, {each.remote}: {DIFFERENCES[each.found]}{fields}"


def _counts(differences: Sequence[Difference]) -> str:
    counts = Counter(difference.found for difference in differences)
    return ", ".join(f"{counts[found]:,} {found}" for found in DIFFERENCES if counts[found])


def _advice(each: "Compared", width: int) -> Iterator[Line]:
    found = {difference.found for difference in each.differences}
    if found & {"changed", "new", "gone"}:
        yield from sentence(
            f"hint: the mirror takes that over: dssync pull -r {each.remote}", width
        )
    if "damaged" in found:
        yield from sentence(f"hint: {REMEDIES['reread']}", width)
    if "unreadable" in found:
        yield from sentence(f"hint: dssync pull -r {each.remote}, then dssync doctor", width)
