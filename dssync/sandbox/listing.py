"""The query parameters of a list, and its page links."""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from urllib.parse import urlencode

from dssync.sandbox.errors import invalid, server_error
from dssync.sandbox.fields import read_uuid
from dssync.sandbox.jsonb import dump, search_text
from dssync.sandbox.rows import Row
from dssync.sandbox.wire import Call

DEFAULT_LIMIT = 100
LARGEST_LIMIT = 2**63 - 1
"""PostgreSQL takes no larger one; the server answers 500 then."""

_SORTABLE = ("created_at", "updated_at")


@dataclass(frozen=True, slots=True)
class Page:
    """The slice of a list that was asked for and granted."""

    offset: int
    limit: int


def read_page(call: Call) -> Page:
    """Read `limit` and `offset`; nonsense gives the default page, as in Django REST framework."""
    limit = _read_number(call.query.get("limit"), lowest=1, default=DEFAULT_LIMIT)
    offset = _read_number(call.query.get("offset"), lowest=0, default=0)
    return Page(offset, limit)


def _read_number(text: str | None, *, lowest: int, default: int) -> int:
    try:
        number = int(text or "")
    except ValueError:
        return default
    return number if number >= lowest else default


def page_text(call: Call, page: Page, count: int, rows: Sequence[str]) -> str:
    """Write one page of a list as JSON text."""
    following = page.offset + page.limit
    preceding = page.offset - page.limit
    after = _link(call, page, following) if following < count else None
    before = _link(call, page, preceding) if page.offset > 0 else None
    head = f'{{"count":{count},"next":{dump(after)},"previous":{dump(before)},"results":['
    return head + ",".join(rows) + "]}"


def _link(call: Call, page: Page, offset: int) -> str:
    params: dict[str, list[str]] = {}
    for name, value in call.params:
        params.setdefault(name, []).append(value)
    params["limit"] = [str(page.limit)]
    params["offset"] = [str(offset)]
    if offset <= 0:
        del params["offset"]
    return f"{call.origin}{call.path}?{urlencode(sorted(params.items()), doseq=True)}"


def select_datasets(call: Call, rows: Sequence[Row]) -> list[Row]:
    """Keep the datasets that `id__in` and `search` ask for."""
    wanted = call.query.get("id__in")
    needle = call.query.get("search", "").upper()
    kept = rows
    if wanted:
        ids = {_read_id(text, "id__in") for text in wanted.split(",")}
        kept = [row for row in kept if row.id in ids]
    if needle:
        kept = [row for row in kept if any(needle in text.upper() for text in _searched(row))]
    return list(kept)


def _read_id(text: str, attr: str) -> str:
    identity = read_uuid(text)
    if identity is None:
        raise invalid("invalid", f"“{text}” is not a valid UUID.", attr)
    return identity


def _searched(row: Row) -> list[str]:
    texts = [json.loads(row.columns[name]) for name in ("name", "description")]
    metadata = row.columns["metadata"]
    return [text for text in texts if text] + [search_text(metadata)] * (metadata != "null")


def sort_datasets(call: Call, page: Page, rows: list[Row]) -> list[Row]:
    """Apply `order_by`, or keep the default order without one.

    An explicit order says nothing about equal rows, and the server's answer differs from page to
    page. Here chance decides, seeded by the page, so a walk by it loses rows every time.
    """
    asked = call.query.get("order_by")
    if not asked:
        return rows
    names = asked.split(",")
    for name in filter(None, names):
        if name.removeprefix("-") not in _SORTABLE:
            detail = f"Select a valid choice. {name} is not one of the available choices."
            raise invalid("invalid_choice", detail, "order_by")
    if "" in names:
        raise server_error()
    mixed = random.Random(f"{page.offset} {page.limit}").sample(rows, len(rows))
    for name in reversed(names):
        mixed.sort(key=attrgetter(name.removeprefix("-")), reverse=name.startswith("-"))
    return mixed
