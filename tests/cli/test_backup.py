"""The one line for a nightly job: what it says, how it ends, what it leaves alone."""

import json
import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest

from dssync.cli.render.backup import report_text
from dssync.clock import SystemClock
from dssync.core.receipt import Entry, Receipt, ScanCount, Trouble
from dssync.mirror import lock
from dssync.sandbox import Fault, Sandbox
from tests.cli.golden import check_screen
from tests.cli.shell import Shell

DEAD = "http://127.0.0.1:9"
NO_KEY = ("--key-env", "NO_SUCH_KEY")


@pytest.fixture
def nightly(configured: Shell, folder: Path) -> Shell:
    """Return a shell whose configuration has all that a backup knows."""
    with (folder / "dssync.toml").open("a") as file:
        file.write('[forget]\nkeep_last = 1\n[offsite]\nto = "off"\n')
        file.write('[metrics]\ntextfile = "dssync.prom"\n')
    return configured


def copies(folder: Path) -> list[str]:
    off = folder / "off"
    return sorted(each.name for each in off.glob("*.json")) if off.exists() else []


def snapshots(dssync: Shell) -> list[int]:
    found = dssync("snapshots", "--json").well().document["result"]["snapshots"]
    return [each["run"] for each in found]


def damage(folder: Path) -> None:
    """Change a past content as a broken disk would, behind the triggers' backs."""
    with closing(sqlite3.connect(folder / "mirror.db", isolation_level=None)) as mirror:
        mirror.execute("UPDATE gate SET run = 1")
        mirror.execute("UPDATE items SET metadata = '{\"bad\": 1}' WHERE rowid = 3")
        mirror.execute("UPDATE gate SET run = NULL")


def test_the_report_of_a_bad_night() -> None:
    scans = (
        ScanCount("prod", "dataset", "complete", listed=6, unchanged=6),
        ScanCount("prod", "item", "complete with holes", listed=59, new=1, changed=2, absent=1),
    )
    lost = Entry("prod", "item", "0199e002", "read", "unreadable", reason="the server cannot")
    receipt = Receipt(
        "backup",
        31,
        entries=(lost,),
        scans=scans,
        troubles=(
            Trouble("staging", "posthog.example.com cannot be reached", 5, "run it again later"),
        ),
        notes=(
            "verified: 66 rows and 2 snapshots, every one is as it was",
            "copied to /mnt/off: dssync-3f9a1c2e-20261124T020301Z, 22,904 bytes, read back",
            "prod: 1 snapshot forgotten, 7 kept",
        ),
        warnings=("the heartbeat (start) did not reach hc-ping.com: no answer in 5 s",),
    )
    check_screen("backup.txt", report_text(receipt))


def test_with_quiet_a_good_night_says_nothing(nightly: Shell) -> None:
    for _ in range(2):
        done = nightly("backup", "-q").well()
        assert (done.out, done.err) == ("", "")


def test_it_prunes_when_it_is_told_to(nightly: Shell, folder: Path) -> None:
    nightly("backup").well()
    said = nightly("backup", "--prune").well().err
    assert "prod: 1 snapshot forgotten, 1 kept, 0 states pruned" in said
    assert said.splitlines()[-1] == "run 2: 66 listed, 0 new, 0 changed, 0 gone"
    assert snapshots(nightly) == [2]
    assert len(copies(folder)) == 2


def test_without_offsite_and_forget_it_says_so_and_ends_well(configured: Shell) -> None:
    said = configured("backup").well().err
    assert "not copied: dssync.toml has no [offsite]" in said
    assert "forgotten" not in said


def test_it_is_one_run_in_the_log(nightly: Shell) -> None:
    nightly("backup").well()
    [run] = nightly("log", "--json").well().document["result"]["runs"]
    assert (run["command"], run["exit_code"], run["remotes"]) == ("backup", 0, ["prod"])
    told = nightly("log", "1").well().out
    for step in ("60 items listed", "verified: 66 rows", "copied to", "1 kept"):
        assert step in told


def test_a_remote_that_fails_stops_neither_the_others_nor_the_copy(
    nightly: Shell, folder: Path
) -> None:
    nightly("remote", "add", "down", "--host", DEAD, "--project", "7", *NO_KEY).well()
    done = nightly("backup", "-q", "--json")
    assert done.code == 7
    assert "dssync: down: the variable NO_SUCH_KEY, which holds the key of down" in done.err
    assert done.last.startswith("exit code 7: the key")
    result = done.document["result"]
    assert [each["remote"] for each in result["snapshots"]] == ["prod"]
    assert result["copy"]["snapshots"] == {"prod": 1}
    assert len(copies(folder)) == 1


def test_a_remote_of_which_a_list_was_not_read_whole_is_no_success(
    nightly: Shell, sandbox: Sandbox
) -> None:
    sandbox.faults.add(Fault("login_page", path="dataset_items", nth=2, times=None))
    done = nightly("backup", "-q")
    assert done.code == 6
    assert "dssync: prod: " in done.err
    assert snapshots(nightly) == []


def test_a_pull_that_leaves_no_snapshot_and_no_reason_is_no_success(
    nightly: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "dssync.backup.nightly.pull_within", lambda run, *_: Receipt("pull", run.number)
    )
    done = nightly("backup", "-q")
    assert done.code == 3
    assert "dssync: prod: this run took no snapshot of it, and does not know why" in done.err


def test_a_record_that_cannot_be_read_is_no_success_until_somebody_knows(
    nightly: Shell, sandbox: Sandbox
) -> None:
    home = sandbox.state.rows("dataset")[0]["id"]
    sandbox.state.insert("item", dataset=home, input=2**64)
    done = nightly("backup", "-q", "--json")
    assert done.code == 3
    assert done.last.startswith("exit code 3: partial")
    assert done.document["result"]["snapshots"][0]["unread"] == 1
    nightly("doctor", "--acknowledge").well()
    assert nightly("backup", "-q").well().err == ""


def test_a_damaged_mirror_is_neither_copied_nor_forgotten_from(
    nightly: Shell, folder: Path
) -> None:
    nightly("backup").well()
    kept = {each.name: each.read_bytes() for each in (folder / "off").iterdir()}
    damage(folder)
    done = nightly("backup", "-q", "--json")
    assert done.code == 9
    assert "so it was neither copied nor forgotten from; the first: prod:" in " ".join(
        done.err.split()
    )
    assert "hint: `dssync verify` names everything and says what to type" in done.err
    result = done.document["result"]
    assert (result["copy"], result["verified"]["damaged"] > 0) == (None, True)
    assert {each.name: each.read_bytes() for each in (folder / "off").iterdir()} == kept
    assert snapshots(nightly) == [1, 2]


def test_nothing_is_forgotten_in_a_night_without_its_copy(nightly: Shell, folder: Path) -> None:
    nightly("backup").well()
    toml = folder / "dssync.toml"
    toml.write_text(toml.read_text().replace('"off"', '"not/mounted/off"'))
    done = nightly("backup", "-q")
    assert done.code == 6
    assert "see whether it is mounted" in done.err
    assert snapshots(nightly) == [1, 2]
    toml.write_text(toml.read_text().replace('"not/mounted/off"', '"off"'))
    nightly("backup").well()
    assert snapshots(nightly) == [3]


def test_of_several_codes_the_gravest_is_the_end(nightly: Shell, folder: Path) -> None:
    nightly("backup").well()
    nightly("remote", "add", "down", "--host", DEAD, "--project", "7", *NO_KEY).well()
    damage(folder)
    assert nightly("backup", "-q").code == 9
    with lock.hold(folder / "mirror.db", "pull", SystemClock()):
        held = nightly("backup", "-q")
    assert held.code == 11
    assert "mirror.db is in use by `dssync pull` (pid" in held.err


def test_an_overlap_is_waited_for_and_a_lock_dies_with_its_process(
    nightly: Shell, folder: Path
) -> None:
    nightly("backup").well()
    program = (
        "import sys, time; from pathlib import Path; from dssync.mirror import lock\n"
        "from dssync.clock import SystemClock\n"
        "with lock.hold(Path(sys.argv[1]), 'backup', SystemClock()):\n"
        "    print('held', flush=True); time.sleep(60)\n"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", program, folder / "mirror.db"], stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    with holder, holder.stdout as said:
        assert said.readline() == b"held\n"
        assert nightly("backup", "-q").code == 11
        holder.kill()
        nightly("backup", "-q", "--wait", "20s").well()


def test_a_run_is_delayed_by_chance(nightly: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("dssync.cli.backing.random", lambda: 0.5)
    monkeypatch.setattr(SystemClock, "sleep", lambda _, seconds: slept.append(seconds))
    nightly("backup", "--jitter", "10m").well()
    assert slept[0] == 300


def test_each_event_is_a_line_of_json(nightly: Shell, folder: Path) -> None:
    nightly("remote", "add", "down", "--host", DEAD, "--project", "7", *NO_KEY).well()
    for _ in range(2):
        nightly("backup", "-r", "prod", "--log-json", "log.jsonl").well()
    nightly("backup", "--log-json", "log.jsonl")
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    assert [line["event"] for line in lines].count("started") == 3
    ends = [line for line in lines if line["event"] == "ended"]
    assert [(line["run"], line["exit_code"], line["level"]) for line in ends] == [
        (1, 0, "info"),
        (2, 0, "info"),
        (3, 7, "error"),
    ]
    assert ends[2]["troubles"][0]["remote"] == "down"
    assert ends[0]["copy"]["bytes"] > 0
    steps = [line["step"] for line in lines if line["event"] == "step_ended"]
    assert steps[:4] == ["pull", "verify", "copy", "forget"]
    for line in lines:
        assert line["time"].endswith("Z")
        assert datetime.fromisoformat(line["time"]).tzinfo is not None
        assert line["command"] == "backup"


def test_lines_of_json_go_to_standard_output(nightly: Shell) -> None:
    done = nightly("backup", "-q", "--log-json", "-").well()
    assert {json.loads(line)["command"] for line in done.out.splitlines()} == {"backup"}
    assert nightly("backup", "--json", "--log-json", "-").code == 2


def test_a_log_that_cannot_be_written_is_a_refusal_or_a_warning(nightly: Shell) -> None:
    assert nightly("backup", "--log-json", "no/such/log").code == 2
    done = nightly("backup", "-q", "--log-json", "/dev/full")
    assert done.code == 0
    assert "warning:" in done.err
    assert "of the log could not be written" in " ".join(done.err.split())
    assert nightly("backup", "--log-json", "mirror.db").code == 2  # it would be the end of it


def test_metrics_that_cannot_be_written_are_a_warning(nightly: Shell, folder: Path) -> None:
    (folder / "dssync.prom").mkdir()
    done = nightly("backup", "-q")
    assert done.code == 0
    assert "warning: the metrics could not be written to" in " ".join(done.err.split())


def test_metrics_replace_no_file_but_their_own(nightly: Shell, folder: Path) -> None:
    nightly("backup", "-q").well()
    (folder / "dssync.prom").write_text("what somebody needs")
    done = nightly("backup", "-q")
    assert done.code == 0
    assert "holds something else" in " ".join(done.err.split())
    assert (folder / "dssync.prom").read_text() == "what somebody needs"
    (folder / "dssync.prom").write_text("")  # somebody made room for it
    assert nightly("backup", "-q").well().err == ""


def test_a_sigterm_keeps_what_was_done(nightly: Shell, sandbox: Sandbox, folder: Path) -> None:
    sandbox.faults.add(Fault("hang", 0.5, path="dataset_items", times=None))
    child = subprocess.Popen(
        [sys.executable, "-m", "dssync", "backup"], stderr=subprocess.PIPE, env=os.environ
    )
    assert child.stderr is not None
    with child, child.stderr as told:
        while not any("dataset_items" in entry.path for entry in list(sandbox.log)):
            time.sleep(0.02)
        child.terminate()
        said = told.read().decode()
    assert child.returncode == 143, said
    assert said.count("interrupted; everything so far is kept") == 1
    assert copies(folder) == []
    sandbox.faults.clear()
    nightly("backup", "-q").well()
