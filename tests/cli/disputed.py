"""A mirror with one conflict of every sort, and an editor that does as it was told."""

import json
import shlex
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from dssync.mirror import Mirror
from dssync.sandbox import Sandbox
from tests.cli.shell import Shell
from tests.clock import FakeClock
from tests.sync.world import World

TRIAGE = "0199d001-0000-7000-8000-000000000001"
BILLING = "0199d002-0000-7000-8000-000000000002"
SMALL = "0199d003-0000-7000-8000-000000000003"
CALM = "0199d004-0000-7000-8000-000000000004"
ITEM = "0199e001-0000-7000-8000-000000000001"

LONG = (
    "Answer in the language of the ticket. Be brief and kind. Never promise a refund before"
    " the order was checked, and say which team takes over if you cannot help."
)


def dispute(path: Path) -> None:
    """Make the mirror: TRIAGE clashes in text and keys, BILLING is deleted there."""
    clock = FakeClock()
    sandbox = Sandbox(now=clock.now, limits=())
    state = sandbox.state
    metadata = {"owner": "ana", "split": "train", "deep": {"x": 1, "y": 1}}
    for id, name, values in (
        (CALM, "Calm", {}),
        (SMALL, "Small", {"description": "old"}),
        (BILLING, "Billing", {"description": "old", "metadata": {"a": 1}}),
        (TRIAGE, "Support triage", {"description": LONG, "metadata": metadata}),
    ):
        state.insert("dataset", id=id, name=name, **values)
    state.insert("item", id=ITEM, dataset=TRIAGE, input="q", metadata={"tags": ["a"]})
    with Mirror.open(path, create=True) as mirror:
        world = World(sandbox, clock, mirror)
        world.pull()
        ours = '{"owner":"ana","split":"test","deep":{"x":5,"y":1},"mine":true}'
        world.set("dataset", TRIAGE, description=LONG.replace("brief", "short"), metadata=ours)
        theirs = {"owner": "bob", "split": "dev", "deep": {"x": 1, "y": 1}}
        state.update(
            "dataset", TRIAGE, description=LONG.replace("refund", "discount"), metadata=theirs
        )
        world.set("dataset", BILLING, description="edited here", metadata='{"a":2}')
        state.delete("dataset", BILLING)
        world.set("dataset", SMALL, description="ours")
        state.update("dataset", SMALL, description="theirs")
        world.set("item", ITEM, metadata='{"tags":["a","ours"]}')
        state.update("item", ITEM, metadata={"tags": ["theirs", "a"]})
        world.pull()


SCRIPT = """\
import json, pathlib, sys
folder, path = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[-1])
turn = len(list(folder.glob("seen-*"))) + 1
text = path.read_text(encoding="utf-8")
(folder / f"seen-{turn}").write_text(text, encoding="utf-8")
(folder / "name").write_text(path.name)
answers = json.loads((folder / "answers").read_text())
for old, new in answers[turn - 1] if turn <= len(answers) else []:
    assert old in text, old
    text = text.replace(old, new, 1) if old else new
path.write_text(text, encoding="utf-8")
"""


@dataclass
class Editor:
    """Saves what it was told: for each time it is opened, what to replace by what.

    An empty `old` stands for the whole file.
    """

    folder: Path
    answers: list[Sequence[tuple[str, str]]] = field(default_factory=list)

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder.mkdir()
        script = self.folder / "editor.py"
        script.write_text(SCRIPT)
        words = [sys.executable, "-I", "-S", str(script), str(self.folder)]
        monkeypatch.setenv("EDITOR", shlex.join(words))
        monkeypatch.delenv("VISUAL", raising=False)
        self.will()

    def will(self, *answers: Sequence[tuple[str, str]]) -> None:
        (self.folder / "answers").write_text(json.dumps(answers))

    def seen(self, turn: int = 1) -> str:
        return (self.folder / f"seen-{turn}").read_text(encoding="utf-8")

    @property
    def times(self) -> int:
        return len(list(self.folder.glob("seen-*")))

    @property
    def name(self) -> str:
        return (self.folder / "name").read_text()


def ours(key: str, column: str) -> Any:
    table = "items" if key == ITEM else "datasets"
    with closing(sqlite3.connect("mirror.db")) as connection:
        query = f"SELECT {column} FROM {table} WHERE key = ?"
        return connection.execute(query, (key,)).fetchone()[0]


def changes(dssync: Shell) -> dict[str, dict[str, Any]]:
    """Return what a push would send, by record and field."""
    plan = dssync("diff", "--json").well().document["result"]
    return {c["key"]: {f["field"]: f["after"] for f in c["fields"]} for c in plan["changes"]}


def conflicts(dssync: Shell) -> dict[str, list[str]]:
    found = dssync("resolve", "--json").well().document["result"]["conflicts"]
    return {each["key"]: [c["field"] for c in each["conflicts"]] for each in found}


ALL = {
    BILLING: ["deleted"],
    SMALL: ["description"],
    TRIAGE: ["description", "metadata"],
    ITEM: ["metadata"],
}
