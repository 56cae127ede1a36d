"""Read records again, as cheaply as the server allows: before a push, and after it."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dssync.core.fields import KindName
from dssync.core.records import Reading
from dssync.core.sizing import page_for
from dssync.errors import ApiError, ServerTrouble
from dssync.mirror.records import Family
from dssync.posthog import Contract

IDS_A_REQUEST = 100


@dataclass(frozen=True, slots=True)
class Wanted:
    """A record to read: its id, and for an item the dataset in which it is looked for.

    `hidden` says that the server is expected not to show it, because it is deleted.
    """

    kind: KindName
    id: str
    family: Family | None = None
    hidden: bool = False


def reread(contract: Contract, wanted: Sequence[Wanted]) -> dict[tuple[KindName, str], Reading]:
    """Return those of the records that the server shows, by (kind, id); the others are gone.

    Datasets are asked for by the hundred. Items are asked for one by one, or by walking their
    dataset where that takes fewer requests. Raises what a GET raises.
    """
    datasets = [w.id for w in wanted if w.kind == "dataset"]
    found: dict[tuple[KindName, str], Reading] = {}
    for at in range(0, len(datasets), IDS_A_REQUEST):
        for reading in contract.read_many("dataset", datasets[at : at + IDS_A_REQUEST]):
            found["dataset", reading.id] = reading
    for family, group in _by_family(wanted).items():
        for reading in _items(contract, family, group):
            found["item", reading.id] = reading
    return found


def _by_family(wanted: Sequence[Wanted]) -> Mapping[Family | None, list[Wanted]]:
    groups: dict[Family | None, list[Wanted]] = defaultdict(list)
    for want in wanted:
        if want.kind == "item":
            groups[want.family].append(want)
    return groups


def _items(contract: Contract, family: Family | None, group: Sequence[Wanted]) -> Iterator[Reading]:
    missing = {want.id: want for want in group}
    whole = False
    if family is not None and family.id is not None:
        rows = page_for(family.row_bytes)
        if -(-family.items // rows) < len(group):
            found, whole = _walk(contract, family.id, rows, set(missing))
            for reading in found:
                del missing[reading.id]
                yield reading
    for id in sorted(missing):
        if whole and missing[id].hidden:
            continue  # a whole list without it is what was expected, and the next pull looks again
        one = contract.read("item", id)
        if one is not None:
            yield one


def _walk(
    contract: Contract, dataset_id: str, rows: int, wanted: set[str]
) -> tuple[list[Reading], bool]:
    """Look for items in their dataset's list; tell whether it was read whole while it stood still.

    Ends when everything is found, or when the rest is cheaper to ask for one by one. What slips
    through is asked for by itself, so nothing here has to be proved.
    """
    found: list[Reading] = []
    seen: set[str] = set()
    counts: set[int | None] = set()
    while wanted:
        try:
            page = contract.page("item", len(seen), rows, dataset_id)
        except (ServerTrouble, ApiError):  # a row that cannot be shown, or a dataset that is gone
            return found, False
        found += [reading for reading in page.readings if reading.id in wanted]
        ids = {reading.id for reading in page.readings}
        stuck = ids <= seen
        wanted -= ids
        seen |= ids
        counts.add(page.count)
        if stuck or not page.more:
            return found, counts == {len(seen)}
        if page.count is not None and -(-(page.count - len(seen)) // len(ids)) >= len(wanted):
            return found, False
    return found, True
