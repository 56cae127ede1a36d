"""What the server holds: datasets, items, the people who made them.

Every method is safe to call from several threads. Besides serving the views, the state is the
hand of "another user" in a test: `insert`, `update`, `delete`, `undelete` and `remove` change
rows behind a client's back, and `get` and `rows` show them as the API would.
"""

import json
import random
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from dssync.sandbox import jsonb
from dssync.sandbox.bodies import Body, clean_body
from dssync.sandbox.fields import KINDS, KindName
from dssync.sandbox.jsonb import Cell
from dssync.sandbox.rows import Row, show
from dssync.sandbox.table import Table

OWNER = 1
"""The person a key acts for unless told otherwise."""

_STEP = timedelta(microseconds=1)
_SINCE_CREATION = timedelta(microseconds=7)


class State:
    """The rows of every project. `lock` may be held to make several changes one."""

    def __init__(self, now: Callable[[], datetime], seed: int = 0) -> None:
        self.lock = threading.RLock()
        self._now = now
        self._last = datetime.min.replace(tzinfo=now().tzinfo)
        self._random = random.Random(seed)
        self._tables: dict[tuple[int, KindName], Table] = {}
        self._people: dict[int, str] = {}
        self.set_person(person(OWNER, "Robin", "Okafor"))

    def insert(self, kind: KindName, project: int = 1, **values: Any) -> str:
        """Store a new row and return its id.

        `values` are the fields as in a POST; also `id`, `created_at` and `updated_at` (aware
        datetimes) and `created_by` (a person's id, or None), which no client can set. Values a
        POST would be refused for raise the same Problem; a dataset need not exist.
        """
        with self.lock:
            fixed = {name: values.pop(name) for name in _FIXED & values.keys()}
            cells = clean_body(KINDS[kind], Body(values), partial=False)
            return self.create(kind, project, cells, **fixed).id

    def create(
        self,
        kind: KindName,
        project: int,
        cells: Mapping[str, Cell],
        *,
        id: str | None = None,
        created_at: datetime | None = None,
        updated_at: datetime | None = None,
        created_by: int | None = OWNER,
    ) -> Row:
        """Store checked columns as a new row."""
        with self.lock:
            created = created_at or self.tick()
            updated = updated_at or created + _SINCE_CREATION
            if created_at is None:
                self._last = created + _SINCE_CREATION
            columns = {
                field.name: cells[field.name].stored if field.name in cells else default
                for field, default in _DEFAULTS[kind]
            }
            row = Row(
                kind=kind,
                project=project,
                id=id or self._new_id(created),
                columns=columns,
                created_at=created,
                updated_at=updated,
                created_by=created_by,
                poison=frozenset(name for name, cell in cells.items() if cell.poison),
            )
            self.table(project, kind).put(row)
            return row

    def save(self, row: Row, cells: Mapping[str, Cell], updated_at: datetime | None = None) -> Row:
        """Store every column of `row` as given, with `cells` set, whatever was stored meanwhile."""
        with self.lock:
            poison = {name for name, cell in cells.items() if cell.poison}
            saved = replace(
                row,
                columns={**row.columns, **{name: cell.stored for name, cell in cells.items()}},
                poison=(row.poison - cells.keys()) | poison,
                updated_at=updated_at or self.tick(),
            )
            self.table(row.project, row.kind).put(saved)
            return saved

    def update(
        self, kind: KindName, row_id: str, *, updated_at: datetime | None = None, **values: Any
    ) -> None:
        """Change fields of a row, deleted or not; raises KeyError for an unknown id."""
        with self.lock:
            cells = clean_body(KINDS[kind], Body(values), partial=True)
            self.save(self.row(kind, row_id), cells, updated_at)

    def delete(self, kind: KindName, row_id: str) -> None:
        """Set `deleted` of a row."""
        self.update(kind, row_id, deleted=True)

    def undelete(self, kind: KindName, row_id: str) -> None:
        """Clear `deleted` of a row."""
        self.update(kind, row_id, deleted=False)

    def remove(self, kind: KindName, row_id: str) -> None:
        """Drop a row for good, as no client can."""
        with self.lock:
            row = self.row(kind, row_id)
            self.table(row.project, kind).remove(row_id)

    def get(self, kind: KindName, row_id: str) -> dict[str, Any]:
        """Return a row as the API would show it, deleted or not.

        Raises KeyError for an unknown id, HtmlError for a row the API cannot show.
        """
        shown: dict[str, Any] = json.loads(self.shown(self.row(kind, row_id)))
        return shown

    def rows(
        self, kind: KindName, project: int = 1, *, deleted: bool = False
    ) -> list[dict[str, Any]]:
        """Return the live rows in the default order; with `deleted`, only the deleted ones."""
        with self.lock:
            table = self.table(project, kind)
            gone = sorted((r for r in table.rows.values() if r.deleted), key=lambda r: r.place)
            return [json.loads(self.shown(row)) for row in (gone if deleted else table.live())]

    def set_person(self, profile: Mapping[str, Any]) -> None:
        """Add a person, or change the profile of the one with its `id`."""
        with self.lock:
            self._people[profile["id"]] = jsonb.dump(dict(profile))
            for table in self._tables.values():
                table.forget_shown()

    def get_person(self, person_id: int) -> dict[str, Any]:
        """Return a person as `created_by` shows them."""
        profile: dict[str, Any] = json.loads(self._people[person_id])
        return profile

    def shown(self, row: Row, echoes: Mapping[str, str] | None = None) -> str:
        """Write a row as JSON text; raises HtmlError for one that cannot be shown."""
        with self.lock:
            table = self.table(row.project, row.kind)
            kept = echoes is None and table.rows.get(row.id) is row
            text = table.remembered(row.id) if kept else None
            if text is None:
                created_by = "null" if row.created_by is None else self._people[row.created_by]
                text = show(row, created_by, echoes)
            if kept:
                table.remember(row.id, text)
            return text

    def row(self, kind: KindName, row_id: str) -> Row:
        """Return a row of any project; raises KeyError."""
        for (_, table_kind), table in list(self._tables.items()):
            if table_kind == kind and row_id in table.rows:
                return table.rows[row_id]
        raise KeyError(row_id)

    def table(self, project: int, kind: KindName) -> Table:
        """Return the rows of one kind in one project."""
        with self.lock:
            return self._tables.setdefault((project, kind), Table())

    def tick(self) -> datetime:
        """Return the time, always later than the time returned before."""
        with self.lock:
            self._last = max(self._now(), self._last + _STEP)
            return self._last

    def _new_id(self, created: datetime) -> str:
        # Like PostHog's: a time, then chance; no RFC version.
        milliseconds = int(created.timestamp() * 1000)
        return str(uuid.UUID(int=(milliseconds << 80) | self._random.getrandbits(80)))


def person(
    person_id: int, first_name: str, last_name: str, hedgehog: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Make a profile as `created_by` shows it."""
    login = f"{first_name}.{last_name}".lower()
    return {
        "id": person_id,
        "uuid": str(uuid.uuid5(uuid.NAMESPACE_DNS, login)),
        "distinct_id": uuid.uuid5(uuid.NAMESPACE_URL, login).hex,
        "first_name": first_name,
        "last_name": last_name,
        "email": f"{login}@example.com",
        "is_email_verified": True,
        "hedgehog_config": dict(hedgehog) if hedgehog else None,
        "role_at_organization": "engineering",
    }


_FIXED = frozenset({"id", "created_at", "updated_at", "created_by"})
_DEFAULTS = {
    name: [(field, jsonb.dump(field.default)) for field in kind.fields]
    for name, kind in KINDS.items()
}
