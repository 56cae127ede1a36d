"""What the mirror can put into a person's mouth at a TAB: names, keys, runs, fields.

Read with sqlite3 alone, because loading SQLAlchemy takes longer than a person waits. Nothing is
written, upgraded or waited for, and whatever is wrong with the file raises `sqlite3.Error`, which
is for the caller to pass over in silence.
"""

import json
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from dssync.core.fields import KINDS, KindName
from dssync.mirror import place

Error = sqlite3.Error

Group = Literal["live", "deleted", "touched", "conflicted"]
"""Which records are meant: `touched` ones were edited or made here."""

MOST = 100
"""So many keys are offered; more is no help."""

PATIENCE = 0.5
"""Seconds after which a question is given up."""

_GROUPS: dict[Group, str] = {
    "live": "deleted IS NOT 1",
    "deleted": "deleted = 1",
    "touched": "key IN (SELECT key FROM {0}_pending UNION ALL"
    " SELECT key FROM {0} WHERE id IS NULL)",
    "conflicted": "key IN (SELECT key FROM conflicts WHERE kind = '{1}')",
}


@dataclass(frozen=True, slots=True)
class Named:
    """A record: its key, or one of its ids, and a dataset's name where that says which is meant."""

    kind: KindName
    key: str
    remote: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class RunNamed:
    """A run, as its number is offered."""

    id: int
    command: str
    started_at: str


class Names:
    """The names in one mirror, of these remotes, that begin with what was `typed`."""

    def __init__(self, connection: sqlite3.Connection, typed: str, remotes: Sequence[str]) -> None:
        self._connection = connection
        self._typed = typed
        self._remotes = json.dumps(list(remotes)) if remotes else None

    @classmethod
    def look(cls, path: Path, typed: str, remotes: Sequence[str] = ()) -> "closing[Names]":
        """Open a mirror for a `with` block. Raises Error for what is none."""
        if not path.is_file():
            raise Error(f"{path} is no file")
        connection = place.look(path, wait=0)
        try:
            (mark,) = connection.execute("PRAGMA application_id").fetchone()
            if mark != place.APPLICATION_ID:
                raise Error(f"{path} is no mirror")
        except sqlite3.Error:
            connection.close()
            raise
        end = time.monotonic() + PATIENCE
        connection.set_progress_handler(lambda: time.monotonic() > end, 1000)
        return closing(cls(connection, typed, remotes))

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def remotes(self) -> list[str]:
        """Return the remotes that the mirror has met."""
        return [str(name) for (name,) in self._rows("SELECT name FROM remotes ORDER BY name")]

    def runs(self, commands: Sequence[str] = ()) -> list[RunNamed]:
        """Return runs, the newest first; of these commands where some are named."""
        named = " AND command IN (SELECT value FROM json_each(?))" if commands else ""
        rows = self._rows(
            f"SELECT id, command, started_at FROM runs WHERE {_begins('CAST(id AS TEXT)')}{named}"
            f" ORDER BY id DESC LIMIT {MOST}",
            self._typed,
            *([json.dumps(list(commands))] if commands else []),
        )
        return [RunNamed(*row) for row in rows]

    def snapshots(self) -> list[RunNamed]:
        """Return the runs that took snapshots, the newest first."""
        rows = self._rows(
            "SELECT run, 'snapshot', max(taken_at) FROM snapshots"
            f" WHERE {_begins('CAST(run AS TEXT)')} GROUP BY run ORDER BY run DESC LIMIT {MOST}",
            self._typed,
        )
        return [RunNamed(*row) for row in rows]

    def commands(self) -> list[str]:
        """Return the commands that ever ran."""
        return [str(name) for (name,) in self._rows("SELECT DISTINCT command FROM runs ORDER BY 1")]

    def unreadable(self) -> list[str]:
        """Return the keys of what the server could not show."""
        rows = self._rows("SELECT DISTINCT key FROM unreadable WHERE key IS NOT NULL ORDER BY key")
        return [str(key) for (key,) in rows]

    def datasets(self, group: Group = "live") -> list[Named]:
        """Return datasets, by name; one whose name another has as well comes without it.

        They are few, so all are read, and the typed letters may begin the name or the key.
        """
        rows = self._rows(
            f"SELECT key, name, remote, deleted IS 1, {self._condition('dataset', group)}"
            f" FROM datasets WHERE {self._scope()} ORDER BY name, key",
            *self._scoped(),
        )
        alive = Counter(name for _, name, _, deleted, _ in rows if not deleted)
        named = Counter(name for _, name, _, _, _ in rows)
        return [
            Named("dataset", key, remote, name if alone else None)
            for key, name, remote, deleted, meant in rows
            if meant and any(text and text.startswith(self._typed) for text in (key, name))
            for alone in [(named if deleted else alive)[name] == 1]
        ]

    def items(self, group: Group = "live") -> list[Named]:
        """Return items, by key; of all that there are only where letters were typed.

        Where there are too many, the last one is among them: they begin alike as all of them do.
        """
        if not self._typed and group == "live":
            return []
        found = self._items(group, "ASC", MOST)
        if len(found) == MOST:
            found = [*found[:-1], *self._items(group, "DESC", 1)]
        return found

    def _items(self, group: Group, order: str, most: int) -> list[Named]:
        where = f"{_range('key')} AND {self._condition('item', group)} AND {self._scope()}"
        if group == "deleted" and not self._typed:  # what was deleted here, without a look at all
            where += " AND key IN (SELECT key FROM items_pending)"
        rows = self._rows(
            f"SELECT key, remote FROM items WHERE {where} ORDER BY key {order} LIMIT {most}",
            *self._between(),
            *self._scoped(),
        )
        return [Named("item", key, remote) for key, remote in rows]

    def ids(self, kinds: Sequence[KindName]) -> list[Named]:
        """Return the ids that are not their records' keys, where letters were typed."""
        if not self._typed:
            return []
        rows = self._rows(
            "SELECT kind, id, remote FROM aliases WHERE kind IN (SELECT value FROM json_each(?))"
            f" AND {_range('id')} AND {self._scope()} ORDER BY id LIMIT {MOST}",
            json.dumps(list(kinds)),
            *self._between(),
            *self._scoped(),
        )
        return [Named(*row) for row in rows]

    def kind(self, text: str) -> KindName | None:
        """Tell what a whole key, id or name is of; None where it fits nothing."""
        for kind in KINDS.values():
            name = " OR name = ?1" if kind.name == "dataset" else ""
            alias = "key IN (SELECT key FROM aliases WHERE id = ?1)"
            query = f"SELECT 1 FROM {kind.table} WHERE key = ?1 OR {alias}{name} LIMIT 1"
            if self._rows(query, text):
                return kind.name
        return None

    def fields(self, text: str, *, conflicted: bool = False) -> list[str]:
        """Return the fields of a record that were edited here, or that are in conflict."""
        view = "conflicts" if conflicted else "pending_changes"
        rows = self._rows(
            f"SELECT DISTINCT field FROM {view} WHERE ?1 IN (key, label)"
            " OR key IN (SELECT key FROM aliases WHERE id = ?1)",
            text,
        )
        return [str(field) for (field,) in rows]

    def _rows(self, query: str, *arguments: str) -> list[tuple[Any, ...]]:
        return self._connection.execute(query, arguments).fetchall()

    def _condition(self, kind: KindName, group: Group) -> str:
        return _GROUPS[group].format(KINDS[kind].table, kind)

    def _scope(self) -> str:
        return "remote IN (SELECT value FROM json_each(?))" if self._remotes else "1"

    def _scoped(self) -> Iterator[str]:
        if self._remotes:
            yield self._remotes

    def _between(self) -> tuple[str, str]:
        return self._typed, f"{self._typed}\U0010ffff"


def _begins(column: str) -> str:
    return f"substr({column}, 1, length(?1)) = ?1"


def _range(column: str) -> str:
    return f"{column} >= ? AND {column} < ?"
