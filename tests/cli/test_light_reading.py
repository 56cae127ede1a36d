"""Whoever only reads the mirror does not wait for what only writing or the network needs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.shell import Shell

HEAVY = ("alembic", "httpx", "rich", "sqlalchemy", "werkzeug")

CHILD = f"""
import sys, json
from dssync.cli.app import run
from dssync.cli.options import Given
code = run(json.loads(sys.argv[1]), Given())
print("LOADED", code, *(name for name in {HEAVY} if name in sys.modules))
"""


def loaded(*words: str) -> str:
    """Run a command in a process of its own; return its exit code and what it imported."""
    command = [sys.executable, "-c", CHILD, json.dumps(words)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return said.rpartition("LOADED ")[2].strip()


@pytest.mark.parametrize(
    "words",
    [
        ["list"],
        ["list", "Support bot"],
        ["show", "Support bot"],
        ["search", "the"],
        ["diff"],
        ["status"],
        ["status", "--max-age", "1000000h"],
        ["log"],
        ["datasette"],
    ],
    ids=" ".join,
)
def test_a_command_that_reads_imports_little(
    offline: Shell, folder: Path, words: list[str]
) -> None:
    offline("search", "the").well()
    assert loaded(*words) == "0"


def test_a_command_that_writes_would_be_seen(offline: Shell, folder: Path) -> None:
    assert loaded("set", "Support bot", "description", "New") == "0 sqlalchemy"
