"""`dssync verify --copy` and `dssync drill` as people and programs see them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyrage
import pytest

from dssync.backup.offsite import copy_off
from dssync.clock import SystemClock
from dssync.config import load
from dssync.mirror import Mirror
from dssync.sandbox import Sandbox
from tests.cli.shell import Shell


@pytest.fixture
def identity(folder: Path) -> pyrage.x25519.Identity:
    made = pyrage.x25519.Identity.generate()
    (folder / "key.txt").write_text(f"# public key: {made.to_public()}\n{made}\n")
    return made


@pytest.fixture
def copied(pulled: Shell, folder: Path, identity: pyrage.x25519.Identity) -> Shell:
    """Return a shell whose mirror has an encrypted copy in `off`, and its key in key.txt."""
    with (folder / "dssync.toml").open("a") as file:
        file.write(f'\n[offsite]\nto = "off"\nrecipients = ["{identity.to_public()}"]\n')
    settings = load(folder, {})
    assert settings.offsite
    with Mirror.open(settings.mirror) as mirror:
        copy_off(mirror, settings.offsite, SystemClock(), {})
    return pulled


def data() -> Path:
    [found] = Path("off").glob("*.db.zst.age")
    return found


def flip() -> None:
    text = bytearray(data().read_bytes())
    text[len(text) // 2] ^= 1
    data().write_bytes(text)


def test_without_the_key_it_is_said_what_was_proved(copied: Shell) -> None:
    said = " ".join(copied("verify", "--copy").well().out.split())
    assert "prod: 6 datasets and 60 items, snapshot 1" in said
    assert "proved: the manifest, and that every stored byte is as it was made" in said
    assert "not that it opens" in said


def test_with_the_key_every_row_is_proved(copied: Shell) -> None:
    said = " ".join(copied("verify", "--copy", "--identity", "key.txt").well().out.split())
    assert "looked at 66 rows and 1 snapshot: every one is as it was" in said
    assert "so is every byte of the copy" in said
    name = data().name.partition(".")[0]
    found = copied("verify", "--copy", name, "--identity", "key.txt", "--json").well().document
    assert found["result"]["copy"] == name
    assert found["result"]["opened"] is True
    assert found["result"]["manifest"]["remotes"][0]["items"] == 60


def test_damage_is_exit_9(copied: Shell) -> None:
    flip()
    for more in ([], ["--identity", "key.txt"]):
        shown = copied("verify", "--copy", *more)
        assert shown.code == 9
        assert "is not as it was made: its SHA-256 is another" in " ".join(shown.out.split())
        assert "older copies may be whole" in shown.out
    assert copied("verify", "--copy", "--json").document["result"]["faults"]


def test_a_drill_passes_where_only_configuration_and_key_are(
    copied: Shell, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("POSTHOG_PERSONAL_API_KEY")
    Path("mirror.db").unlink()
    asked = len(sandbox.log)
    shown = copied("drill", "--identity", "key.txt").well()
    said = " ".join(shown.out.split())
    assert "prod: snapshot 1 restored and read back, 66 records compared: every one" in said
    assert shown.out.splitlines()[-1] == "the drill passed"
    assert all(len(line) <= 80 for line in shown.out.splitlines() if " " in line.strip())
    assert len(sandbox.log) == asked
    assert not Path("mirror.db").exists()
    assert copied("drill", "--identity", "key.txt", "-q").well().out == ""
    as_json = copied("drill", "--identity", "key.txt", "-q", "--json").well()
    assert as_json.document["result"]["faults"] == []


def test_a_mirror_is_got_back_by_a_drill(copied: Shell) -> None:
    before = copied("list", "--json").well().document["result"]
    Path("mirror.db").unlink()
    shown = copied("drill", "--identity", "key.txt", "--keep", "mirror.db").well()
    assert "the mirror of the copy is at mirror.db" in shown.out
    assert copied("list", "--json").well().document["result"] == before
    assert copied("verify").well()
    assert copied("pull").well()
    again = copied("drill", "--identity", "key.txt", "--keep", "mirror.db")
    assert (again.code, "mirror.db exists" in again.err) == (2, True)


def test_a_drill_that_fails_is_exit_9(copied: Shell) -> None:
    flip()
    shown = copied("drill", "--identity", "key.txt", "-q")
    assert shown.code == 9
    assert shown.out.splitlines()[-1] == "the drill failed: this copy is not to be relied on"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["drill"], "is encrypted, and a drill opens it"),
        (["drill", "--identity", "no.txt"], "no.txt cannot be read"),
        (["drill", "--identity", "dssync.toml"], "is no file of secret keys of age"),
        (["drill", "other"], "no copy is called 'other'"),
        (["verify", "--identity", "key.txt"], "--identity belongs to --copy"),
        (["verify", "--copy", "x", "--remote"], "are proved one at a time"),
    ],
)
def test_wrong_usage(copied: Shell, words: list[str], said: str) -> None:
    shown = copied(*words)
    assert shown.code == 2
    assert said in " ".join(shown.err.split())
    assert "AGE-SECRET" not in shown.err


def test_without_offsite_it_is_said_what_to_write(pulled: Shell) -> None:
    for words in (["drill"], ["verify", "--copy"]):
        shown = pulled(*words)
        assert shown.code == 2
        assert "has no [offsite]" in shown.err


def test_no_copy_at_all_is_exit_10(pulled: Shell, folder: Path) -> None:
    with (folder / "dssync.toml").open("a") as file:
        file.write('\n[offsite]\nto = "off"\n')
    assert pulled("drill").code == pulled("verify", "--copy").code == 10


def test_a_drill_that_is_ended_leaves_nothing_it_unpacked(copied: Shell, tmp_path: Path) -> None:
    rooms = tmp_path / "rooms"
    rooms.mkdir()
    command = [sys.executable, "-m", "dssync", "drill", "--identity", "key.txt"]
    child = subprocess.Popen(
        command,
        env={**os.environ, "TMPDIR": str(rooms)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    while child.poll() is None and not any(rooms.glob("dssync-drill-*/1")):
        time.sleep(0.01)
    child.send_signal(signal.SIGTERM)
    said, _ = child.communicate(timeout=60)
    assert child.returncode == 143, said
    assert list(rooms.iterdir()) == []
