"""A mirror in which every text that a server, a file or a person wrote attacks the terminal."""

import json
import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dssync.backup.offsite import copy_off
from dssync.clock import SystemClock
from dssync.config import load
from dssync.mirror import Mirror
from dssync.sandbox import SANDBOX_KEY, Fault, Sandbox
from dssync.sandbox.state import OWNER
from tests.cli.shell import Shell

PATHLIKE = "EVIL\x1b[45;5m\x1b[3A\x9b2J\x1b]0;title\x07\r\b\u202eRLO\u2066LRI\u200b\u2028\u2029\x85"
"""An attack that can be part of a file's name."""

EVIL = f"{PATHLIKE}\x1b]8;;https://evil.test\x1b\\link\x1b]8;;\x07 e{chr(0x301) * 40}\n\x7fend"

A = "0199d001-0000-7000-8000-000000000001"
B = "0199d002-0000-7000-8000-000000000002"
C = "0199d003-0000-7000-8000-000000000003"
ITEM = "0199e001-0000-7000-8000-000000000001"
LOST = "0199e002-0000-7000-8000-000000000002"
MADE = "0199e003-0000-7000-8000-000000000003"
POISON = 2**64

EDITS = Path("edits")
REFUSED = {"type": EVIL, "code": EVIL, "detail": EVIL, "attr": EVIL}


@dataclass(frozen=True)
class Scene:
    """A folder to copy for each command, and runs in it to look at."""

    folder: Path
    sandbox: Sandbox
    push: int


def stock(sandbox: Sandbox) -> None:
    state = sandbox.state
    profile = state.get_person(OWNER)
    state.set_person({**profile, "email": EVIL, "first_name": EVIL})
    for id in (A, B, C):
        state.insert(
            "dataset", id=id, name=f"{EVIL} {id[6]}", description=EVIL, metadata={EVIL: EVIL}
        )
    values: dict[str, Any] = {
        "input": [EVIL],
        "output": {EVIL: EVIL},
        "metadata": {EVIL: {EVIL: EVIL}},
    }
    for id in (ITEM, LOST, MADE):
        state.insert(
            "item", id=id, dataset=A, ref_trace_id=EVIL[:200], ref_source_id="=1", **values
        )
    id = json.dumps(f"bad{PATHLIKE}")[1:-1]  # the sandbox puts ids between quotes as they are
    state.insert("item", id=id, dataset=B, **values)


def play(dssync: Shell, sandbox: Sandbox) -> int:
    """Pull, edit, push in vain, clash, lose a record; return the number of the push."""
    dssync("pull").well()
    dssync("export", EDITS.name).well()
    dssync("set", A, "description", f"ours {EVIL}").well()
    dssync("set", ITEM, "/metadata/new" + EVIL, EVIL).well()
    dssync("new", "dataset", f"made {EVIL}").well()
    sandbox.faults.add(Fault("status", 400, method="PATCH", times=2, body=REFUSED))
    sandbox.faults.add(Fault("status", 400, method="POST", times=None, body=REFUSED))
    assert dssync("push", "-y").code == 3
    dssync("push", "-y")
    [(push,)] = sql("SELECT max(id) FROM runs")
    dssync("set", B, "description", f"ours {EVIL}").well()
    dssync("set", C, "/metadata/x" + EVIL, f"ours {EVIL}").well()
    dssync("delete", ITEM).well()
    sandbox.state.update("dataset", B, description=f"theirs {EVIL}")
    sandbox.state.delete("dataset", C)
    sandbox.state.update("item", LOST, metadata={"tokens": POISON})
    dssync("pull")
    dssync("set", A, "/metadata/b" + EVIL, f"after {EVIL}").well()
    sandbox.faults.clear()
    refuse_writes(sandbox)
    return int(push)


def refuse_writes(sandbox: Sandbox) -> None:
    """Answer everything that writes with an attack, so that all commands meet the same server."""
    for method in ("PATCH", "POST"):
        sandbox.faults.add(Fault("status", 400, method=method, times=None, body=REFUSED))


def sql(statement: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect("mirror.db")) as connection:
        return connection.execute(statement).fetchall()


def prepare(folder: Path, url: str, sandbox: Sandbox) -> Scene:
    """Make the scene in a folder whose own name attacks as well."""
    own = folder / PATHLIKE
    own.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POSTHOG_PERSONAL_API_KEY", SANDBOX_KEY)
        patch.setenv("DSSYNC_STATE_DIR", str(folder / "state"))
        patch.setenv("COLUMNS", "80")
        patch.chdir(own)
        dssync = Shell(patch)
        dssync("remote", "add", "prod", "--host", url, "--project", "1").well()
        stock(sandbox)
        push = play(dssync, sandbox)
        copy(own)
        broken = shutil.copytree(EDITS, f"broken{PATHLIKE}")
        for folder_of_files, more in ((EDITS, {}), (Path(broken), {f"no field {EVIL}": EVIL})):
            edit_a_row(folder_of_files, more)
    return Scene(own, sandbox, push)


def copy(folder: Path) -> None:
    """Copy the mirror to a folder whose name attacks."""
    with (folder / "dssync.toml").open("a", encoding="utf-8") as file:
        file.write(f"\n[offsite]\nto = {json.dumps(f'off{PATHLIKE}')}\n")
    settings = load(folder, {})
    assert settings.offsite
    with Mirror.open(settings.mirror) as mirror:
        copy_off(mirror, settings.offsite, SystemClock(), {})


def edit_a_row(folder: Path, more: Mapping[str, str]) -> None:
    """Edit an item in the files of an export, and give it more fields."""
    [items] = [path for path in folder.glob("prod/*.jsonl") if ITEM in path.read_text("utf-8")]
    first, *others = items.read_text(encoding="utf-8").splitlines()
    row = {**json.loads(first), "metadata": {"edited" + EVIL: EVIL}, **more}
    items.write_text("\n".join([json.dumps(row), *others]) + "\n", encoding="utf-8")


def table(scene: Scene) -> Mapping[tuple[str, ...], list[list[str]]]:
    """Return what every command is called with; each must name something hostile once at least."""
    push = str(scene.push)
    bad = f"broken{PATHLIKE}"
    return {
        ("init",): [[]],
        ("remote", "add"): [[EVIL, "--project", "1"], ["x", "--project", "1", "--host", EVIL]],
        ("remote", "list"): [[], ["-r", EVIL]],
        ("remote", "check"): [[]],
        ("remote", "remove"): [[EVIL], ["prod"]],
        ("pull",): [[], ["-v"], ["--host", EVIL]],
        ("status",): [[], ["--max-age", "0s"], ["--max-age", "1h", "-r", EVIL]],
        ("diff",): [
            [],
            ["--format", "md"],
            ["--format", "json"],
            ["-o", f"plan{PATHLIKE}"],
            ["--at", "1"],
            ["--at", "1", "--format", "md"],
            ["--at", EVIL],
        ],
        ("push",): [["-n"], ["-y"], ["-y", "-v"], [f"no{PATHLIKE}"], ["--checksum", EVIL]],
        ("sync",): [["-y"]],
        ("list",): [[], [A], ["--deleted"], [EVIL], ["0199"]],
        ("show",): [[A], [ITEM], [EVIL], ["EVIL"], [A, "--at", "1"], [A, "--at", EVIL]],
        ("search",): [["EVIL"], [EVIL]],
        ("set",): [
            [A, "description", EVIL],
            [A, f"/metadata/{EVIL.replace('/', '~1')}", EVIL],
            [A, EVIL, EVIL],
            ["--where", "1", "input", EVIL, "-n"],
            ["--where", "1", "input", EVIL, "-y"],
            ["--where", EVIL, "input", "1", "-n"],
        ],
        ("new", "dataset"): [[EVIL]],
        ("new", "item"): [[A, "--input", EVIL], [EVIL]],
        ("edit",): [[A], [EVIL]],
        ("delete",): [[A, B], ["--where", "1", "-n"], [EVIL]],
        ("undelete",): [[ITEM], [C], [EVIL]],
        ("revert",): [[A], ["--all"], ["--where", "1", "-n"], [A, EVIL]],
        ("export",): [[f"out{PATHLIKE}"], [EDITS.name], ["x", "--dataset", EVIL]],
        ("import",): [[EDITS.name], [EDITS.name, "-n"], [bad], [f"no{PATHLIKE}"]],
        ("resolve",): [
            [],
            [B, "--ours"],
            ["--all", "--theirs"],
            [B, EVIL, "--ours"],
            [B, "--edit"],
        ],
        ("log",): [[], [push], [A], [EVIL]],
        ("undo",): [[push, "-n"], [push, "-y"], [push, EVIL]],
        ("restore",): [
            ["1", "-n"],
            ["1", "-n", "-r", "prod", "--discard"],
            ["1", "-r", "prod", "--dataset", EVIL],
            ["1", "-r", "prod", "--to", EVIL],
            ["1", "-r", "prod", "--discard"],
            [EVIL],
        ],
        ("migrate",): [
            ["prod", "prod", "--prefix", EVIL, "-n"],
            ["prod", "prod", "--as", EVIL, "--dataset", A, "-y"],
            ["prod", "prod", "--prefix", "x", "--dataset", EVIL, "-n"],
            ["prod", EVIL, "-y"],
        ],
        ("bundle",): [[f"new{PATHLIKE}"], ["x", "--at", EVIL], ["--extract", bad, f"to{PATHLIKE}"]],
        ("backup",): [
            [],
            ["-v", "--log-json", f"log{PATHLIKE}"],
            ["--print-cron"],
            ["--log-json", f"no{PATHLIKE}/log"],
            ["--print-systemd"],
        ],
        ("snapshots",): [[], ["-r", EVIL]],
        ("verify",): [[], ["--remote"], ["--remote", "--sample", "5%"], ["-r", EVIL], ["--copy"]],
        ("drill",): [[], [EVIL], ["--identity", f"no{PATHLIKE}"], ["--keep", PATHLIKE[1:]]],
        ("forget",): [["--keep-last", "1", "-n"], ["--keep-last", "1", "-y"], [EVIL]],
        ("doctor",): [[], ["--repair", LOST, "-n"], ["--repair", EVIL]],
        ("datasette",): [[], ["--mirror", f"no{PATHLIKE}"]],
        ("sandbox",): [["--port", EVIL]],
        ("completion",): [["zsh"], [EVIL]],
        ("demo",): [[EVIL]],
    }
