"""No text of a server, a file or a person reaches the terminal as more than text.

Every command is run in a mirror full of attacks, as text, as JSON and before a terminal; what it
prints may hold no control character but the line's end and the tab, and our own colours there.
"""

import contextlib
import json
import os
import pty
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dssync.cli.app import app
from dssync.cli.render.text import UNSAFE
from dssync.sandbox import SANDBOX_KEY, Fault, Sandbox, serve
from tests.cli import hostile
from tests.cli.hostile import EVIL, Scene
from tests.cli.shell import Shell
from tests.cli.test_tree import leaves

COLOURS = re.compile(r"\x1b\[(?:0|1|2|3[1-6]|1;3[1-6]|3[1-6];1|38;5;\d+)?m")
"""What our own colours look like; no attack looks like them."""

BAR = re.compile(r"\x1b\[\?25[lh]|\x1b\[2K|\x1b\[1A|\r(?!\\)")
"""How bars are drawn anew."""

BARRED = {
    *("pull", "push", "sync", "undo", "doctor", "remote", "search", "verify", "drill", "backup"),
    "migrate",
}
"""What has bars."""

DISCREET = {("remote", "list"), ("pull",)}
"""What has no text of a record, and no word of its own, to show here."""

PATHS = [path for path, _ in leaves(app, ())]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    sandbox = Sandbox(limits=())
    with serve(sandbox) as url:
        yield hostile.prepare(tmp_path_factory.mktemp("scene"), url, sandbox)


@pytest.fixture
def attacked(scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Return a shell in a copy of the scene, whose editor fails and has a hostile name."""
    monkeypatch.setenv("POSTHOG_PERSONAL_API_KEY", SANDBOX_KEY)
    monkeypatch.setenv("EDITOR", shlex.join([sys.executable, "-c", "raise SystemExit(3)", EVIL]))
    monkeypatch.setenv("DSSYNC_SEARCH", "")
    folder = tmp_path / "copy"
    shutil.copytree(scene.folder, folder / hostile.PATHLIKE)
    monkeypatch.chdir(folder / hostile.PATHLIKE)
    return Shell(monkeypatch)


def test_every_command_is_called(scene: Scene) -> None:
    assert set(hostile.table(scene)) == set(PATHS)


def unsafe(text: str) -> list[str]:
    """Return what is left of control and direction characters, with what stands around it."""
    rest = text.replace("\n", "").replace("\t", "")
    around = (rest[max(0, m.start() - 20) : m.end() + 10] for m in UNSAFE.finditer(rest))
    return [*around, *re.findall("\u0301{9,}", rest)]


@pytest.mark.parametrize("way", ["text", "json", "terminal"])
@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_nothing_but_text_is_printed(
    scene: Scene, attacked: Shell, path: tuple[str, ...], way: str
) -> None:
    named = False
    for words in hostile.table(scene)[path]:
        extra = ["--json"] if way == "json" else []
        shown = attacked(*path, *words, *extra, stdin="s\n" * 40, terminal=way == "terminal")
        assert "should not have" not in shown.err, shown.err
        for text in (shown.out, shown.err):
            if way == "terminal":
                text = COLOURS.sub("", text)
                text = BAR.sub("", text) if path[0] in BARRED else text
            assert unsafe(text) == [], (words, text)
            named = named or "EVIL" in text
    assert named or path in DISCREET


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_a_wrong_option_is_text(attacked: Shell, path: tuple[str, ...]) -> None:
    for words in ([f"--{EVIL}"], ["--mirror", f"sqlite:///{hostile.PATHLIKE}", f"--{EVIL}"]):
        shown = attacked(*path, *words)
        assert shown.code == 2
        assert unsafe(shown.out + shown.err) == []


@pytest.mark.parametrize(
    "words", [[EVIL], ["-C", EVIL, "list"], ["--mirror", EVIL, "list"], ["list", "-r", EVIL]]
)
def test_a_wrong_call_is_text(attacked: Shell, words: list[str]) -> None:
    for extra in ([], ["--json"]):
        shown = attacked(*words, *extra)
        assert shown.code
        assert unsafe(shown.out + shown.err) == []
        assert "EVIL" in shown.err


def test_a_hostile_configuration_is_text(attacked: Shell) -> None:
    name = json.dumps(EVIL).replace("\x7f", r"\u007f")
    for content in (f"[remotes.{name}]\nproject = 1\n", f"x = {EVIL}"):
        Path("dssync.toml").write_text(content, encoding="utf-8")
        shown = attacked("list")
        assert shown.code == 2
        assert unsafe(shown.out + shown.err) == []


def test_a_lone_half_of_a_pair_is_text(attacked: Shell) -> None:
    for words in (
        ["show", "half\udcff"],
        ["import", "half\udcff"],
        ["set", hostile.A, "x", "\ud800"],
    ):
        shown = attacked(*words)
        assert shown.code
        assert unsafe(shown.out + shown.err) == []


@pytest.mark.parametrize(
    "fault",
    [
        *(
            Fault("status", status, method="GET", times=None, body=hostile.REFUSED)
            for status in (400, 401, 403, 404, 405)
        ),
        Fault("wrong_shape", EVIL, method="GET", times=None),
        Fault("wrong_shape", {"results": [{"id": EVIL}]}, method="GET", times=None),
        Fault("login_page", method="GET", times=None),
        Fault("redirect", "https://evil.test/\x9b2J\x7f", method="GET", times=None),
    ],
    ids=lambda fault: f"{fault.action} {str(fault.argument)[:3]}",
)
def test_an_answer_that_is_none_is_text(scene: Scene, attacked: Shell, fault: Fault) -> None:
    scene.sandbox.faults.clear()
    scene.sandbox.faults.add(fault)
    try:
        for words in (["pull"], ["pull", "--json"], ["push", "-y"], ["remote", "check"]):
            shown = attacked(*words)
            assert shown.code
            assert "should not have" not in shown.err, shown.err
            assert unsafe(shown.out + shown.err) == []
    finally:
        scene.sandbox.faults.clear()
        hostile.refuse_writes(scene.sandbox)


@pytest.mark.parametrize("words", [["show", hostile.A], ["diff"], ["status"], ["list"], ["pull"]])
def test_a_real_terminal(attacked: Shell, words: list[str]) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "dssync", *words]
    done = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):  # how Linux says that the other end is closed
        while data := os.read(ours, 65536):
            shown += data
    os.close(ours)
    assert done.wait(30) in (0, 3)
    text = shown.decode("utf-8").replace("\r\n", "\n")
    text = COLOURS.sub("", text)
    assert unsafe(BAR.sub("", text) if words[0] in BARRED else text) == []
    assert "EVIL" in text or words == ["pull"]
