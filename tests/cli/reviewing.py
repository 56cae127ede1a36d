"""The sample's records that plans are made of, and what became of them."""

import sqlite3
from contextlib import closing
from typing import Any

from dssync.sandbox import Sandbox
from tests.cli.shell import Shell

BOT = "Support bot: golden answers"
RAG = "RAG: handbook questions"
SQL = "Text to SQL: shop schema"


def sql(statement: str, *arguments: object) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect("mirror.db", isolation_level=None)) as connection:
        return connection.execute(statement, arguments).fetchall()


def key_of(name: str) -> str:
    [(key,)] = sql("SELECT key FROM datasets WHERE name = ?", name)
    return str(key)


def descriptions(sandbox: Sandbox) -> dict[str, Any]:
    rows = sandbox.state.rows("dataset")
    return {row["name"]: row["description"] for row in rows if row["name"] in (BOT, RAG, SQL)}


def digest_of(shell: Shell) -> str:
    return str(shell("diff", "--format", "json").well().document["digest"])


def writes(sandbox: Sandbox) -> int:
    return len(sandbox.log.writes())


def runs() -> int:
    return int(sql("SELECT count(*) FROM runs")[0][0])


ALL = {name: f"New: {name}" for name in (BOT, RAG, SQL)}


def move(shell: Shell, sandbox: Sandbox) -> None:
    """Let one record be edited here, and another one there, in the planned field."""
    shell("set", BOT, "description", "Edited later").well()
    sandbox.state.update("dataset", key_of(RAG), description="Theirs")


def check_left_out(left_out: list[dict[str, Any]]) -> None:
    fields = {entry["label"]: entry["fields"] for entry in left_out}
    assert {name: [f["field"] for f in found] for name, found in fields.items()} == {
        BOT: ["description"],
        RAG: ["description"],
    }
    [here], [there] = fields[BOT], fields[RAG]
    assert (here["planned"], here["ours"]) == (f"New: {BOT}", "Edited later")
    assert (
        here["base"]
        == here["theirs"]
        == "Questions that customers really asked, with the "
        + ("answers our support team agreed on.")
    )
    assert (there["planned"], there["ours"], there["theirs"]) == (
        f"New: {RAG}",
        f"New: {RAG}",
        "Theirs",
    )
    assert there["base"] not in ("Theirs", f"New: {RAG}")
