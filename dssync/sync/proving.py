"""Prove one row of the mirror by what it says of itself, and by the rows beside it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from dssync.core.damage import Remedy
from dssync.core.fields import KINDS, ContractName, KindName
from dssync.core.records import Person, Row
from dssync.core.values import digest_of
from dssync.errors import WrongTarget
from dssync.mirror import evidence, history
from dssync.mirror.columns import COLUMNS, SERVER
from dssync.mirror.evidence import Cells, Ids, Kept
from dssync.posthog.wire import row_digest

CONTRACTS: Sequence[ContractName] = ("classic", "versioned")

Flaw = tuple[str, Remedy]

NOT_AS_IT_CAME = "it no longer says what the server sent"
MARKED = "it was found damaged, and the next pull replaces it"
DIGEST = 16
BEGINNING = "2000-01-01T00:00:00Z"
SLACK = timedelta(minutes=1)
"""So much a clock may be put right while a run goes on."""


@dataclass(frozen=True, slots=True)
class Prover:
    """Finds what is wrong with a row.

    `remotes` are those that the mirror has met, `runs` those that there were, with their begin and
    end; `ids` finds every id that a dataset ever had, `lost` what datasets with an id were when
    they went away, and `begun` the runs that first saw a content of a record. What began up to the
    run that `pruned` gives for a remote may be gone.
    """

    remotes: frozenset[str]
    runs: Mapping[object, tuple[str, str | None]]
    ids: Ids
    lost: Ids
    begun: Callable[[KindName, object], frozenset[Any]]
    pruned: Callable[[str], int]

    def flaws(self, kept: Kept) -> Iterator[Flaw]:
        """Yield what is wrong with a row, each as a clause with what helps."""
        cells = kept.cells
        if cells["remote"] not in self.remotes:
            yield f"the mirror knows no remote {cells['remote']}", "copy"
        if kept.place == "history":
            yield from self._past(kept)
        elif kept.place in evidence.PLACES:
            yield from self._pending(kept)
        elif kept.place == "untouched":
            yield from self._untouched(kept)
        elif kept.place == "ours":
            yield from self._ours(kept)
        else:
            yield "it stands on no side that there is", "copy"

    def _past(self, kept: Kept) -> Iterator[Flaw]:
        names = COLUMNS[kept.kind]
        until = kept.more["until_run"]
        if kept.more["seal"] != digest_of(*(kept.cells[name] for name in names), until):
            yield "a past content of it is not as it was sealed", "forget"
        elif history.broken(kept.cells["digest"]):
            yield "a past content of it was lost before it went to history", "forget"
        elif kept.cells["digest"] is not None:
            yield from self._content(kept, "forget", "a past content of it")
            yield from self._known_run(until, "a past content of it ended")

    def _pending(self, kept: Kept) -> Iterator[Flaw]:
        if kept.beside is None:
            yield f"its {kept.place} is kept, and the record is not", "copy"
        if kept.place != "gone" and kept.more["sides"] != 2:
            yield "of its base and its theirs one is missing", "copy"
        if kept.place == "base":
            yield from self._known_run(kept.cells["run"], "its base was first seen")
            if not self._base_holds(kept):
                yield "its base is not as it was agreed on", "pull"
        else:
            yield from self._content(kept, "pull", f"its {kept.place}")

    def _base_holds(self, kept: Kept) -> bool:
        cells = kept.cells
        more = (kept.more["pushed_run"], kept.more["reverted"])
        if cells["digest"] == history.row_seal(kept.kind, cells, *more):
            return kept.kind == "dataset" or bool(self.ids(cells["dataset"]))
        run = cells["run"]
        begun = run in self.begun(kept.kind, cells["key"]) or (
            isinstance(run, int) and run <= self.pruned(str(cells["remote"]))
        )
        return more == (None, None) and begun and self._says_its_digest(kept)

    def _untouched(self, kept: Kept) -> Iterator[Flaw]:
        if kept.cells["digest"] is None:
            yield from self._stand_in(kept.cells)
        else:
            yield from self._content(kept, "reread", "it")
        yield from self._holder(kept)

    def _ours(self, kept: Kept) -> Iterator[Flaw]:
        """Hold the program's columns of ours against theirs; its fields are anybody's to edit."""
        cells, beside, side = kept.cells, kept.beside, kept.more["side"]
        waits = cells["id"] is None
        if waits:
            if any(cells[name] is not None for name in SERVER):
                yield "it was made here, and yet says what only the server tells", "copy"
        elif beside is None:
            yield "it is edited, and its theirs is missing", "copy"
        elif any(cells[name] != beside[name] for name in ("id", "remote", *SERVER)):
            yield "the program's columns of it differ from its theirs", "pull"
        if side == "gone" and not waits:
            yield "it waits to be made again, and yet has an id", "copy"
        if beside is not None and cells["remote"] != beside["remote"]:
            yield "it belongs to another remote than its theirs", "copy"
        yield from self._holder(kept)

    def _holder(self, kept: Kept) -> Iterator[Flaw]:
        if kept.cells["id"] is not None and kept.holder != kept.cells["key"]:
            yield f"its id {kept.cells['id']} leads to {kept.holder}, not to it", "copy"

    def _content(self, kept: Kept, remedy: Remedy, which: str) -> Iterator[Flaw]:
        cells = kept.cells
        yield from self._known_run(cells["run"], f"{which} was first seen")
        if cells["deleted"] not in (0, 1, None) or (cells["absent_since"] and not cells["deleted"]):
            yield f"{which} is deleted, and is not", remedy
        if cells["absent_since"] is not None and not self._when(cells, BEGINNING):
            yield f"{which} is absent since a time at which nobody looked", remedy
        if history.broken(cells["digest"]):
            yield MARKED, "pull"
        elif not self._says_its_digest(kept):
            yield NOT_AS_IT_CAME if which == "it" else f"{which} is not what was read", remedy

    def _known_run(self, run: object, clause: str) -> Iterator[Flaw]:
        if run not in self.runs:
            yield f"{clause} in run {run}, which never was", "copy"

    def _when(self, cells: Cells, earliest: str) -> bool:
        """Tell whether a record was found absent before its run's end, give or take a minute.

        A run may also have changed a record that was absent before it.
        """
        _, ended = self.runs.get(cells["run"], ("", None))
        try:
            since = _moment(cells["absent_since"])
            late = ended is not None and since > _moment(ended) + SLACK
            return since >= _moment(earliest) - SLACK and not late
        except (TypeError, ValueError):
            return False

    def _says_its_digest(self, kept: Kept) -> bool:
        """Tell whether a row's columns are those that its digest was made of."""
        cells, told = kept.cells, kept.cells["digest"]
        if history.is_believed(told):
            parent = kept.kind == "dataset" or bool(self.ids(cells["dataset"]))
            return parent and told in (b"", history.believed(kept.kind, cells))
        return (
            isinstance(told, bytes)
            and len(told) == DIGEST
            and any(_fits(contract, row) for row in self._readings(kept) for contract in CONTRACTS)
        )

    def _readings(self, kept: Kept) -> Iterator[Row]:
        """Yield the rows that the server may have shown for these columns.

        An item named its dataset by any id that this ever had. What is absent says deleted, and was
        not when it was read.
        """
        cells, names = kept.cells, KINDS[kept.kind].names
        parents = self.ids(cells["dataset"]) if kept.kind == "item" else (None,)
        flags = (0, 1) if cells["absent_since"] is not None else (cells["deleted"],)
        person = None if cells["created_by"] is None else Person(cells["created_by"], "")
        for parent in parents:
            for flag in flags:
                said = {**cells, "deleted": flag, **({"dataset": parent} if parent else {})}
                yield Row(
                    kept.kind,
                    cells["id"],
                    tuple(said[name] for name in names),
                    cells["created_at"],
                    cells["updated_at"],
                    person,
                    cells["rest"],
                    cells["digest"],
                )

    def _stand_in(self, cells: Cells) -> Iterator[Flaw]:
        """Check what stands for a dataset that no list shows; there is little of it."""
        told = ("description", "metadata", "created_at", "updated_at", "created_by", "rest")
        if cells["absent_since"] is None or cells["deleted"] != 1:
            yield "it stands in for a dataset that is not shown, and yet is shown", "copy"
        if any(cells.get(name) is not None for name in told) or "dataset" in cells:
            yield "it stands in for a dataset that is not shown, and yet says more of it", "copy"
        yield from self._known_run(cells["run"], "it was first met")
        met, _ = self.runs.get(cells["run"], ("", None))
        if cells.get("name") is None:
            if not self._when(cells, met):
                yield "it stands in for a dataset since a time at which nobody looked", "copy"
        elif (cells["name"], cells["absent_since"], cells["run"]) not in self.lost(cells["id"]):
            yield "it stands in for a dataset that was never lost so", "copy"


def _moment(text: object) -> datetime:
    moment = datetime.fromisoformat(str(text))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _fits(contract: ContractName, row: Row) -> bool:
    lacked = [f.name for f in KINDS[row.kind].fields if f.rule(contract) is None]
    if any(row.values[name] is not None for name in lacked):
        return False
    try:
        return row_digest(contract, row) == row.digest
    except (WrongTarget, TypeError, ValueError):  # a column that can no longer be read as it was
        return False
