"""The classic contract: the documented API, with a `deleted` flag."""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from dssync.core.fields import KINDS, ContractName, FieldType, KindName, Stored, Values
from dssync.core.records import Reading
from dssync.core.values import BadJson, parse
from dssync.errors import InvalidRecords, NotFound
from dssync.net.transport import Answer
from dssync.posthog.client import Client, record_path
from dssync.posthog.contract import PageResult, Written
from dssync.posthog.wire import Reader

IDS_A_REQUEST = 100
"""More ids than this in one `id__in` are refused, or make the URL too long."""


class Classic:
    """Translate between a classic server and dssync's names. See `contract.Contract`."""

    name: ContractName = "classic"

    def __init__(self, client: Client) -> None:
        self._client = client
        self._readers: dict[KindName, Reader] = {kind: Reader(kind, self.name) for kind in KINDS}

    def page(
        self, kind: KindName, offset: int, limit: int, dataset_id: str | None = None
    ) -> PageResult:
        """Return one page of live records; `dataset_id` keeps to the items of one dataset."""
        query = [("limit", str(limit)), ("offset", str(offset))]
        if dataset_id is not None:
            query.append(("dataset", dataset_id))
        answer = self._client.request("GET", f"{KINDS[kind].path}/", tuple(query), around=True)
        return self._readers[kind].page(answer)

    def read(self, kind: KindName, record_id: str) -> Reading | None:
        """Return one record, or None for 404; a deleted one answers 404 too."""
        try:
            answer = self._client.request("GET", record_path(KINDS[kind].path, record_id))
        except NotFound:
            return None
        return self._readers[kind].record(answer)

    def read_many(self, kind: KindName, record_ids: Sequence[str]) -> list[Reading]:
        """Return those of the datasets that are live. Raises ValueError for items."""
        if kind != "dataset":
            raise ValueError(f"a classic server cannot list a {kind} by its id")
        found: list[Reading] = []
        for start in range(0, len(record_ids), IDS_A_REQUEST):
            found += self._live_of(kind, record_ids[start : start + IDS_A_REQUEST])
        return found

    def create(self, kind: KindName, values: Values) -> Written:
        """Create a record."""
        path = f"{KINDS[kind].path}/"
        return self._written(kind, self._client.request("POST", path, body=body(kind, values)))

    def update(self, kind: KindName, record_id: str, values: Values) -> Written:
        """Change these fields; works on a deleted record too, except on the oldest servers."""
        path = record_path(KINDS[kind].path, record_id)
        return self._written(kind, self._client.request("PATCH", path, body=body(kind, values)))

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def _live_of(self, kind: KindName, ids: Sequence[str]) -> list[Reading]:
        found: list[Reading] = []
        more = True
        # a page may be smaller than asked for, and a record left out would look gone
        while more:
            asked = (("limit", str(len(ids))), ("offset", str(len(found))))
            query = (("id__in", ",".join(ids)), *asked)
            answer = self._client.request("GET", f"{KINDS[kind].path}/", query)
            page = self._readers[kind].page(answer)
            found += page.readings
            more = page.more and bool(page.readings)
        return found

    def _written(self, kind: KindName, answer: Answer) -> Written:
        echo = self._readers[kind].record(answer)
        return Written(echo, answer.headers.get("date"), answer.status)


def body(kind: KindName, values: Values) -> bytes:
    """Write values as a request body, JSON text verbatim; a NULL the server lacks is left out.

    Raises InvalidRecords for a value in a field that classic servers lack, and for JSON text
    that is none.
    """
    sent: dict[str, object] = {}
    problems: list[str] = []
    for name, value in values.items():
        field = KINDS[kind].by_name[name]
        if field.classic is not None:
            try:
                sent[field.classic.wire] = _SEND[field.type](value)
            except BadJson as error:
                problems.append(f"{name}: {error}")
        elif value is not None:
            problems.append(f"{name}: classic servers have no such field")
    if problems:
        raise InvalidRecords(problems)
    return msgspec.json.encode(sent)


def _json(text: Stored) -> object:
    parse(text)
    return None if text is None else msgspec.Raw(str(text))


def _as_it_is(value: Stored) -> object:
    return value


_SEND: Mapping[FieldType, Callable[[Stored], object]] = {
    "text": _as_it_is,
    "time": _as_it_is,
    "reference": _as_it_is,
    "json": _json,
    "flag": bool,
}
