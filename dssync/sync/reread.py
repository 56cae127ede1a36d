"""Read records again, as cheaply as the server allows: before a push, and after it."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dssync.core.fields import KindName
from dssync.core.records import Reading
from dssync.errors import ServerTrouble
from dssync.posthog import Contract

IDS_A_REQUEST = 100
PAGE = 1000


@dataclass(frozen=True, slots=True)
class Wanted:
    """A record to read: its id, and for an item its dataset's id and how many items lie there."""

    kind: KindName
    id: str
    dataset_id: str | None = None
    siblings: int = 0


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
    for dataset_id, group in _by_dataset(wanted).items():
        for reading in _items(contract, dataset_id, group):
            found["item", reading.id] = reading
    return found


def _by_dataset(wanted: Sequence[Wanted]) -> Mapping[str | None, list[Wanted]]:
    groups: dict[str | None, list[Wanted]] = defaultdict(list)
    for want in wanted:
        if want.kind == "item":
            groups[want.dataset_id].append(want)
    return groups


def _items(
    contract: Contract, dataset_id: str | None, group: Sequence[Wanted]
) -> Iterator[Reading]:
    missing = {want.id for want in group}
    pages = -(-group[0].siblings // PAGE) or 1
    if dataset_id is not None and pages < len(group):
        for reading in _walk(contract, dataset_id):
            if reading.id in missing:
                missing.discard(reading.id)
                yield reading
    for id in sorted(missing):
        one = contract.read("item", id)
        if one is not None:
            yield one


def _walk(contract: Contract, dataset_id: str) -> Iterator[Reading]:
    """Yield a dataset's items until its end, or until a page cannot be read.

    What slips through is asked for by itself, so nothing here has to be proved.
    """
    offset = 0
    while True:
        try:
            page = contract.page("item", offset, PAGE, dataset_id)
        except ServerTrouble:
            return
        yield from page.readings
        offset += len(page.readings)
        if not page.readings or not page.more:
            return
