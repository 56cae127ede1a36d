"""A mirror, its export, and a person who edits the files."""

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dssync.core.brakes import Limit
from dssync.core.fields import KINDS, KindName, Stored
from dssync.core.plan import Plan
from dssync.files import Exported, Imported, bring_in, export
from dssync.mirror import Mirror
from dssync.sync import make_plan
from tests.mirror.conftest import Home
from tests.mirror.served import D1

SUPPORT, BILLING = "main/support-0199d001", "main/billing-0199d002"
"""The files of the two datasets, without a suffix."""

Line = dict[str, Any]


@dataclass
class Desk:
    """One person with one mirror and one folder."""

    home: Home
    folder: Path

    @property
    def mirror(self) -> Mirror:
        return self.home.mirror

    def export(self, suffix: str | None = None, **options: Any) -> Exported:
        return export(self.mirror, self.folder, suffix=suffix, **options)

    def bring_in(
        self, *, dry: bool = False, delete_missing: bool = False, limit: Limit | None = None
    ) -> Imported:
        return bring_in(
            self.mirror, self.folder, dry=dry, delete_missing=delete_missing, limit=limit
        )

    def plan(self) -> Plan:
        return make_plan(self.mirror)

    def deltas(self) -> dict[str, dict[str, Stored]]:
        """Return what a push would send, by key."""
        return {change.key: change.after for change in self.plan().changes}

    def serve(self, kind: KindName, key: str, **values: Stored) -> None:
        """Let the server hold other values, and a pull bring them; the row is not touched here."""
        setters = ", ".join(f"{name} = ?" for name in values)
        with self.mirror.database.unit(1) as tx:
            tx.exec_driver_sql(
                f"UPDATE {KINDS[kind].table} SET {setters} WHERE key = ?", (*values.values(), key)
            )

    def stock(self, rows: Sequence[Mapping[str, Stored]], dataset: str = D1) -> None:
        """Let the server have these items as well."""
        fields = KINDS["item"].names
        with self.mirror.database.unit(1) as tx:
            for number, row in enumerate(rows):
                id = f"0199f001-0000-7000-8000-{number:012}"
                values = {**dict.fromkeys(fields), "dataset": dataset, "deleted": 0, **row}
                tx.exec_driver_sql(
                    f"INSERT INTO items (key, id, remote, created_at, run, {', '.join(fields)})"
                    f" VALUES (?, ?, 'main', ?, 1, {', '.join('?' * len(fields))})",
                    (id, id, f"2026-11-24T00:00:00.{number:06}Z", *values.values()),
                )

    def ours(self, kind: KindName, key: str, field: str) -> Any:
        return self.home.row(kind, key)[field]

    def path(self, stem: str, suffix: str) -> Path:
        return self.folder / f"{stem}.{suffix}"

    def files(self) -> dict[str, bytes]:
        """Return every file of the export by its place."""
        return {
            str(path.relative_to(self.folder)): path.read_bytes()
            for path in sorted(self.folder.rglob("*"))
            if path.is_file() and path.name != "lock"
        }

    # What a person does to the files.

    def rows(self, stem: str) -> list[Line]:
        text = self.path(stem, "jsonl").read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]

    def write_rows(self, stem: str, rows: Sequence[Line]) -> None:
        text = "".join(json.dumps(row) + "\n" for row in rows)
        self.path(stem, "jsonl").write_text(text, encoding="utf-8")

    def change_row(self, stem: str, id: str, **fields: Any) -> None:
        rows = self.rows(stem)
        for row in rows:
            if row["id"] == id:
                row.update(fields)
        self.write_rows(stem, rows)

    def add_row(self, stem: str, **fields: Any) -> None:
        self.write_rows(stem, [*self.rows(stem), fields])

    def change_dataset(self, stem: str, **fields: Any) -> None:
        path = self.path(stem, "json")
        whole = json.loads(path.read_text(encoding="utf-8"))
        path.write_text(json.dumps({**whole, **fields}, indent=2), encoding="utf-8")

    def change_sheet(self, stem: str, edit: Callable[[list[list[str]]], object]) -> None:
        """Edit a CSV file as a list of rows, heading first."""
        path = self.path(stem, "csv")
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.reader(stream))
        edit(rows)
        with path.open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream).writerows(rows)
