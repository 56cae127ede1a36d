"""What the tables, views and columns of a mirror are, in words, as Datasette reads them.

Datasette shows these beside the data. The queries are those recipes of `docs/sql.md` that only
read: whoever may open its pages could otherwise edit with a click.
"""

from collections.abc import Mapping
from typing import Any

from dssync.core.fields import KINDS
from dssync.mirror.columns import COLUMNS

Document = dict[str, Any]

TITLE = "A mirror of PostHog datasets"
ABOUT = (
    "The working copy of dssync: datasets and their items, with what is edited here, what the"
    " server held before, and what every run did. Edit with dssync or any SQLite tool, see it with"
    " `dssync diff`, send it with `dssync push`."
)

TABLES: Mapping[str, str] = {
    "datasets": "The working copy of the datasets, edits included.",
    "items": "The working copy of the items, edits included; `dataset` is a dataset's key.",
    "datasets_pending": "Base and theirs of the datasets that somebody touched here.",
    "items_pending": "Base and theirs of the items that somebody touched here.",
    "datasets_history": "What the server held of datasets before, each row until `until_run`.",
    "items_history": "What the server held of items before, each row until `until_run`.",
    "remotes": "The environments and projects that this mirror holds.",
    "runs": "Every pull, push and sync.",
    "scans": "What each pull read of each list.",
    "snapshots": "What was summed up at the end of each complete pull.",
    "snapshot_datasets": "The datasets as they stood in each snapshot, by `snapshot`, its run.",
    "snapshot_items": "The items as they stood in each snapshot, by `snapshot`, its run.",
    "links": "Which record of one remote (`source`) became which record of another (`remote`).",
    "receipts": "What each run did, record by record; `deltas` are [field, before, after].",
    "journal": "Requests that were about to be sent, and what became of them.",
    "unreadable": "Rows that the server cannot show.",
    "people": "Who made what; `profile` is JSON.",
    "dataset_items": "Live items beside the name of their dataset, newest first.",
    "pending_changes": "What is edited here, a row a field: base, theirs, ours, and the action.",
    "conflicts": "The fields that need a decision, and why; settle them with `dssync resolve`.",
    "dataset_states": "Every content the server ever showed of a dataset.",
    "item_states": "Every content the server ever showed of an item.",
    "touched_fields": "Every field of the records that somebody touched; `edited` tells which.",
}

HIDDEN = ("aliases", "alembic_version", "gate", "meta")
"""The program's own."""

COMMON: Mapping[str, str] = {
    "key": "its lasting name; never changes",
    "id": "its present id on the server; NULL until it is created there",
    "remote": "the remote it belongs to",
    "deleted": "1 when it is deleted",
    "created_by": "who made it: an id of `people`",
    "rest": "the server's other fields, a JSON object",
    "absent_since": "set when the server no longer shows it",
    "run": "the run that first saw this content",
    "until_run": "the run that saw another content",
    "digest": "of what the server sent",
    "seal": "a digest of the whole row",
    "side": "base or theirs",
    "pushed_run": "the push that waits to be seen again",
    "reverted": "the fields that were found back at their old value after a push",
}
"""Columns that mean the same wherever they are."""

EXTRA: Mapping[str, tuple[str, ...]] = {
    "": (),
    "_pending": ("side", "pushed_run", "reverted"),
    "_history": ("until_run", "seal"),
}
"""What the tables of a kind have besides the working copy's columns, by the end of their name."""

QUERIES: Mapping[str, tuple[str, str]] = {
    "without_expected_output": (
        "Items without an expected output",
        """SELECT dataset, key, input FROM dataset_items
 WHERE expected_output IS NULL OR expected_output IN ('""', 'null');""",
    ),
    "items_per_dataset": (
        "How many items each dataset has, and how many are complete",
        """SELECT dataset, count(*) AS items, count(expected_output) AS complete
  FROM dataset_items GROUP BY dataset_key ORDER BY items DESC;""",
    ),
    "changed_on_the_server": (
        "What changed on the server since yesterday",
        """SELECT now.key, before.input AS was, now.input AS is_now, r.started_at AS noticed
  FROM item_states AS now JOIN item_states AS before
    ON before.key = now.key AND before.until_run = now.run
  JOIN runs AS r ON r.id = now.run
 WHERE julianday(r.started_at) > julianday('now', '-1 day');""",
    ),
    "without_trace": (
        "Items whose trace is not known",
        "SELECT dataset, key, input FROM dataset_items WHERE trace_id IS NULL ORDER BY dataset;",
    ),
}
"""Recipes by name: a title, and the statement as the documentation has it."""


def metadata(database: str) -> Document:
    """Return Datasette's metadata for a mirror that it serves under this name."""
    shown = {
        name: {"description": text, "columns": columns}
        if (columns := _columns(name))
        else {"description": text}
        for name, text in TABLES.items()
    }
    hidden = {name: {"hidden": True} for name in HIDDEN}
    queries = {
        name: {"title": title, "sql": sql.rstrip(";")} for name, (title, sql) in QUERIES.items()
    }
    about = {"title": TITLE, "description": ABOUT, "tables": {**shown, **hidden}}
    return {
        "title": TITLE,
        "databases": {database: {**about, "queries": queries}},
    }


def _columns(table: str) -> Mapping[str, str]:
    for kind in KINDS.values():
        ends = table.removeprefix(kind.table)
        if table.startswith(kind.table) and ends in EXTRA:
            names = (*COLUMNS[kind.name], *EXTRA[ends])
            json = {field.name: "JSON text" for field in kind.fields if field.type == "json"}
            return {n: text for n in names if (text := COMMON.get(n) or json.get(n))}
    return {}
