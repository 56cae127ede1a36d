"""The documented API as Python methods: datasets and their items."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from types import TracebackType
from typing import Any, Self, TypedDict, TypeVar, Unpack
from urllib.parse import quote

import msgspec

from dssync.clock import SystemClock
from dssync.errors import UnknownRecord, UsageError
from dssync.events import Report, ignore
from dssync.net.opening import open_transport
from dssync.net.secret import Secret
from dssync.net.transport import ANSWER_SECONDS, Answer, Request, Transport
from dssync.posthog.answers import decode, interpret
from dssync.posthog.models import Dataset, Item, Page, build

M = TypeVar("M", Dataset, Item)

Query = tuple[tuple[str, str], ...]

DATASETS = "datasets"
ITEMS = "dataset_items"


class DatasetDetails(TypedDict, total=False):
    """What a dataset may have; a field left out is not sent, None is sent as null."""

    description: str | None
    metadata: Any
    deleted: bool


class DatasetFields(DatasetDetails, total=False):
    """What may be written to a dataset."""

    name: str


class ItemDetails(TypedDict, total=False):
    """What an item may have; a time without a zone means UTC."""

    input: Any
    output: Any
    metadata: Any
    ref_trace_id: str | None
    ref_timestamp: datetime | str | None
    ref_source_id: str | None
    deleted: bool


class ItemFields(ItemDetails, total=False):
    """What may be written to an item."""

    dataset: str


class _Listing(msgspec.Struct):
    count: int
    results: list[dict[str, Any]]
    next: str | None = None


_OBJECT = msgspec.json.Decoder(dict[str, Any])
_LISTING = msgspec.json.Decoder(_Listing)


class Client:
    """Talk to one environment or project of one host; give exactly one of the two.

    `host` is a URL such as https://us.posthog.com, `key` a personal API key (phx_…), `timeout` in
    seconds. Requests keep to the key's rate limit and are sent again where that is surely safe; a
    `transport` of your own replaces all of that, and then `key` is not used. A context manager; any
    number of threads may share it.

    Every method raises the errors of `dssync.errors`: NotFound, Invalid, KeyRejected, WrongTarget,
    Throttled, ServerTrouble, Unreachable; the last three carry `perhaps_applied`.
    """

    def __init__(
        self,
        host: str,
        key: Secret | str,
        *,
        environment: int | str | None = None,
        project: int | str | None = None,
        transport: Transport | None = None,
        timeout: float = ANSWER_SECONDS,
        report: Report = ignore,
    ) -> None:
        self._base = _base(environment, project)
        secret = key if isinstance(key, Secret) else Secret(key)
        self._transport = transport or open_transport(
            host, secret, SystemClock(), report, timeout=timeout
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connections."""
        self._transport.close()

    def request(
        self,
        method: str,
        path: str,
        query: Query = (),
        body: bytes | None = None,
        *,
        around: bool = False,
    ) -> Answer:
        """Send one request below the environment or project and return its 2xx JSON answer.

        `path` has no leading slash, as `datasets/`. With `around`, a 500 that is not the API's own
        is raised at once, for who reads around a record that cannot be served.
        """
        request = Request(method, self._base + path, query, body, around)
        return interpret(self._transport.send(request))

    def list_datasets(
        self,
        *,
        limit: int | None = None,
        offset: int = 0,
        order_by: str | None = None,
        search: str | None = None,
        id__in: Sequence[str] | None = None,
    ) -> Page[Dataset]:
        """Return one page of the live datasets, newest first unless `order_by` says otherwise.

        `order_by` is `created_at` or `updated_at`, a minus before it for descending; it has no
        tie-break, so pages of equal times may repeat or miss rows. `search` looks into name,
        description and metadata. `id__in` takes at most 100 ids; unknown ones are left out.
        """
        if id__in is not None and not id__in:
            return Page((), 0, offset, more=False)  # the server would take this for no filter
        ids = None if id__in is None else ",".join(id__in)
        query = {"order_by": order_by, "search": search, "id__in": ids}
        return self._list(DATASETS, Dataset, limit, offset, query)

    def iter_datasets(
        self, *, page_size: int = 100, search: str | None = None, order_by: str | None = None
    ) -> Iterator[Dataset]:
        """Walk all live datasets.

        A list that changes meanwhile may repeat or skip rows; a pull into a mirror does not.
        """
        return _walk(partial(self.list_datasets, limit=page_size, search=search, order_by=order_by))

    def get_dataset(self, dataset_id: str) -> Dataset:
        """Return one dataset. Raises NotFound for a deleted one, too."""
        return self._send(Dataset, "GET", record_path(DATASETS, dataset_id))

    def create_dataset(self, name: str, **fields: Unpack[DatasetDetails]) -> Dataset:
        """Create a dataset; the answer echoes what was sent, which a later read may show changed.

        Names need not be unique, so calling twice creates two.
        """
        body = _body(DatasetFields, {"name": name, **fields})
        return self._send(Dataset, "POST", f"{DATASETS}/", body)

    def update_dataset(self, dataset_id: str, **fields: Unpack[DatasetFields]) -> Dataset:
        """Change the fields given; `deleted=True` deletes, `deleted=False` brings back."""
        body = _body(DatasetFields, fields)
        return self._send(Dataset, "PATCH", record_path(DATASETS, dataset_id), body)

    def delete_dataset(self, dataset_id: str) -> None:
        """Ask for a hard deletion, which PostHog does not allow: raises MethodNotAllowed.

        Use `update_dataset(dataset_id, deleted=True)`.
        """
        self.request("DELETE", record_path(DATASETS, dataset_id))

    def list_items(
        self, *, limit: int | None = None, offset: int = 0, dataset: str | None = None
    ) -> Page[Item]:
        """Return one page of the live items, newest first: of one dataset, or of all."""
        return self._list(ITEMS, Item, limit, offset, {"dataset": dataset})

    def iter_items(self, *, page_size: int = 100, dataset: str | None = None) -> Iterator[Item]:
        """Walk all live items.

        A list that changes meanwhile may repeat or skip rows; a pull into a mirror does not.
        """
        return _walk(partial(self.list_items, limit=page_size, dataset=dataset))

    def get_item(self, item_id: str) -> Item:
        """Return one item. Raises NotFound for a deleted one, too."""
        return self._send(Item, "GET", record_path(ITEMS, item_id))

    def create_item(self, dataset: str, **fields: Unpack[ItemDetails]) -> Item:
        """Create an item in the dataset of that id; calling twice creates two."""
        return self._send(
            Item, "POST", f"{ITEMS}/", _body(ItemFields, {"dataset": dataset, **fields})
        )

    def update_item(self, item_id: str, **fields: Unpack[ItemFields]) -> Item:
        """Change the fields given; `deleted=True` deletes, `deleted=False` brings back."""
        return self._send(Item, "PATCH", record_path(ITEMS, item_id), _body(ItemFields, fields))

    def delete_item(self, item_id: str) -> None:
        """Ask for a hard deletion, which PostHog does not allow: raises MethodNotAllowed.

        Use `update_item(item_id, deleted=True)`.
        """
        self.request("DELETE", record_path(ITEMS, item_id))

    def _list(
        self,
        path: str,
        model: type[M],
        limit: int | None,
        offset: int,
        filters: dict[str, str | None],
    ) -> Page[M]:
        wanted = {"limit": limit, "offset": offset, **filters}
        query = tuple((name, str(value)) for name, value in wanted.items() if value is not None)
        found = decode(self.request("GET", f"{path}/", query), _LISTING)
        rows = tuple(build(model, row) for row in found.results)
        return Page(rows, found.count, offset, found.next is not None)

    def _send(self, model: type[M], method: str, path: str, body: bytes | None = None) -> M:
        return build(model, decode(self.request(method, path, body=body), _OBJECT))


def _base(environment: int | str | None, project: int | str | None) -> str:
    match environment, project:
        case (None, None):
            raise UsageError("a client needs the number of an environment or a project")
        case (number, None):
            family = "environments"
        case (None, number):
            family = "projects"
        case _:
            raise UsageError("a client takes an environment or a project, not both")
    return f"/api/{family}/{quote(str(number), safe='')}/"


def record_path(listing: str, record_id: str) -> str:
    """Return the path of one record below its list. Raises UnknownRecord for what is no id."""
    if not record_id.strip("."):
        raise UnknownRecord(f"{record_id!r} is not the id of a record")
    return f"{listing}/{quote(record_id, safe='')}/"


def _body(shape: type, fields: Mapping[str, object]) -> bytes:
    unknown = ", ".join(fields.keys() - shape.__annotations__.keys())
    if unknown:
        raise TypeError(f"no such field: {unknown}")  # the server would ignore it with a 200
    given = {k: v.isoformat() if isinstance(v, datetime) else v for k, v in fields.items()}
    return json.dumps(given, ensure_ascii=False, allow_nan=False).encode()


def _walk(page_at: Callable[..., Page[M]]) -> Iterator[M]:
    offset, more = 0, True
    while more:
        page = page_at(offset=offset)
        yield from page.results
        offset, more = offset + len(page.results), page.more and bool(page.results)
