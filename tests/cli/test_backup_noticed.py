"""Whoever watches a backup hears of it: heartbeats over a socket, metrics, ages, schedules."""

import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from dssync.clock import SystemClock
from dssync.mirror import lock
from tests.backup.listener import SECRET, Listener, listening
from tests.cli.shell import Shell
from tests.cli.test_backup import DEAD, NO_KEY, damage

HOURS_44_DAYS = 44 * 24 + 2.5


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening() as listener:
        yield listener


@pytest.fixture
def watched(configured: Shell, folder: Path, listener: Listener) -> Shell:
    """Return a shell whose configuration tells the listener, and a file of metrics."""
    with (folder / "dssync.toml").open("a") as file:
        file.write(f'[heartbeat]\nurl = "{listener.url}"\n[metrics]\ntextfile = "dssync.prom"\n')
        file.write('[offsite]\nto = "off"\n')
    return configured


def metrics(folder: Path) -> dict[str, float]:
    """Read the file as Prometheus does; labels stand behind the names."""
    return {
        " ".join([sample.name, *sample.labels.values()]): sample.value
        for family in text_string_to_metric_families((folder / "dssync.prom").read_text())
        for sample in family.samples
    }


def test_a_good_night_tells_of_its_start_and_its_success(
    watched: Shell, listener: Listener
) -> None:
    watched("backup", "-q").well()
    [start, success] = listener.told
    assert start == ("POST", f"/ping/{SECRET}/start", "")
    assert success[:2] == ("POST", f"/ping/{SECRET}")
    assert success[2].splitlines()[-1] == "run 1: 66 listed, 66 new, 0 changed, 0 gone"
    assert "verified: 66 rows" in success[2]


def test_a_bad_night_tells_of_its_failure(watched: Shell, listener: Listener) -> None:
    watched("remote", "add", "down", "--host", DEAD, "--project", "7", *NO_KEY).well()
    assert watched("backup", "-q").code == 7
    assert listener.paths[1:] == [f"/ping/{SECRET}/fail"]
    assert "down: the variable NO_SUCH_KEY" in listener.told[1][2]
    assert listener.told[1][2].splitlines()[-1].startswith("exit code 7: ")


def test_a_night_without_a_receipt_is_told_as_well(
    watched: Shell, listener: Listener, folder: Path
) -> None:
    watched("backup", "-q").well()
    before = metrics(folder)
    listener.told.clear()
    with lock.hold(folder / "mirror.db", "pull", SystemClock()):
        assert watched("backup", "-q").code == 11
    assert listener.paths == [f"/ping/{SECRET}/start", f"/ping/{SECRET}/fail"]
    assert "is in use by `dssync pull`" in listener.told[1][2]
    after = metrics(folder)
    assert after["dssync_backup_exit_code"] == 11
    same = "dssync_backup_last_success_timestamp_seconds"
    assert after[same] == before[same] > 0
    assert after["dssync_records prod item"] == 60


def test_what_nobody_expected_is_told_as_well(
    watched: Shell, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fall(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("dssync.cli.backing.backup", fall)
    with pytest.raises(RuntimeError):
        watched("backup", "-q")
    assert listener.paths[1:] == [f"/ping/{SECRET}/fail"]
    assert "exit code 1" in listener.told[1][2]


def test_a_server_that_hangs_delays_nothing_and_changes_nothing(
    watched: Shell, listener: Listener, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    listener.hang = True
    monkeypatch.setattr("dssync.backup.heartbeat.Heartbeat.of.__func__.__defaults__", (0.4,))
    begun = time.monotonic()
    done = watched("backup", "-q", "--json")
    assert time.monotonic() - begun < 5
    assert done.code == 0
    said = " ".join(done.err.split())
    for moment in ("start", "success"):
        assert f"warning: the heartbeat ({moment}) did not reach 127.0.0.1: no answer" in said
    assert done.document["result"]["copy"]["bytes"] > 0
    assert len(done.document["receipt"]["warnings"]) == 2


def test_a_warning_pings_success_with_the_warning(
    watched: Shell, listener: Listener, folder: Path
) -> None:
    (folder / "dssync.prom").mkdir()
    watched("backup", "-q").well()
    assert listener.paths[1:] == [f"/ping/{SECRET}"]
    assert "warning: the metrics could not be written" in " ".join(listener.told[1][2].split())


def test_the_url_comes_from_a_variable_and_goes_nowhere(
    watched: Shell, listener: Listener, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toml = folder / "dssync.toml"
    toml.write_text(toml.read_text().replace(listener.url, "https://watch.invalid/x"))
    monkeypatch.setenv("DSSYNC_HEARTBEAT_URL", listener.url)
    listener.status = 500
    done = watched("backup", "-v", "--json", "--log-json", "log.jsonl").well()
    assert [path.rpartition("/")[2] for path in listener.paths] == ["start", SECRET]
    printed = watched("backup", "--print-systemd").well().out
    assert "DSSYNC_HEARTBEAT_URL" in printed
    assert "http" not in printed
    held = b"".join(each.read_bytes() for each in folder.rglob("*") if each.is_file())
    assert SECRET not in done.out + done.err + printed
    assert SECRET.encode() not in held


def test_each_moment_may_have_a_url_of_its_own(
    configured: Shell, listener: Listener, folder: Path
) -> None:
    with (folder / "dssync.toml").open("a") as file:
        file.write(f'[heartbeat]\nfailure = " {listener.url}?status=down"\n')
    configured("backup", "-q").well()
    assert listener.told == []
    damage(folder)
    assert configured("backup", "-q").code == 9
    assert listener.paths == [f"/ping/{SECRET}?status=down"]


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ('[heartbeat]\nurl = "http://example.com/s3cret"', "is not encrypted"),
        ("[heartbeat]\nurl = 7", "url of [heartbeat] is a text"),
        ('[heartbeat]\nping = "https://example.com/s3cret"', "unknown entry ping"),
        ('[metrics]\ntextfile = ""', "textfile of [metrics] is a text"),
        ('[metrics]\ntextfile = "~nobodyatall/x"', "textfile of [metrics] is no file"),
        ('heartbeat = "s3cret"', "a table, [heartbeat]"),
    ],
)
def test_a_bad_setting_is_said_before_anything_begins(
    configured: Shell, folder: Path, table: str, why: str
) -> None:
    toml = folder / "dssync.toml"
    toml.write_text(f"{table}\n{toml.read_text()}")
    done = configured("backup")
    assert done.code == 2
    assert why in done.err
    assert "s3cret" not in done.err
    assert not (folder / "mirror.db").exists()


def test_a_printed_line_leaves_out_no_option(configured: Shell) -> None:
    options = ("-r", "prod", "--wait", "5m", "--max-wait", "2h", "--max-delete", "1500", "--prune")
    printed = configured("backup", "--print-cron", *options, "--log-json", "log.jsonl").well().out
    line = printed.splitlines()[-1]
    assert f"{' '.join(options)} --log-json log.jsonl --jitter 10m" in line


def test_the_metrics_tell_what_the_mirror_holds(watched: Shell, folder: Path) -> None:
    watched("remote", "add", "down", "--host", DEAD, "--project", "7", *NO_KEY).well()
    begun = time.time()
    assert watched("backup", "-q").code == 7
    found = metrics(folder)
    assert found["dssync_backup_exit_code"] == 7
    assert found["dssync_backup_last_success_timestamp_seconds"] == 0
    assert begun <= found["dssync_backup_last_attempt_timestamp_seconds"] <= time.time()
    assert begun <= found["dssync_snapshot_timestamp_seconds prod"] <= time.time()
    assert found["dssync_snapshot_timestamp_seconds down"] == 0
    assert (found["dssync_records prod dataset"], found["dssync_records prod item"]) == (6, 60)
    size = next((folder / "off").glob("*.db.zst")).stat().st_size
    assert found["dssync_copy_bytes"] == size
    assert (folder / "dssync.prom").stat().st_mode & 0o777 == 0o644
    watched("backup", "-q", "-r", "prod").well()
    later = metrics(folder)
    assert later["dssync_backup_last_success_timestamp_seconds"] >= begun
    watched("set", "Support bot", "description", "New")
    assert [each.name for each in folder.glob(".dssync.prom*")] == []


def age(folder: Path, hours: float) -> None:
    """Have the newest snapshot be so old."""
    then = time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime(time.time() - hours * 3600))
    with closing(sqlite3.connect(folder / "mirror.db", isolation_level=None)) as mirror:
        mirror.execute("UPDATE snapshots SET taken_at = ?", (then,))


@pytest.mark.parametrize(
    ("hours", "code", "said"),
    [
        (25.9, 0, "young enough; the oldest is 25 hours 54 minutes old"),
        (26.1, 9, "is 26 hours 6 minutes old, 26 hours allowed"),
        (HOURS_44_DAYS, 9, "is 44 days 2 hours old, 26 hours allowed"),
        (-48, 9, "in the future"),
    ],
)
def test_status_notices_that_backups_stopped(
    offline: Shell, folder: Path, hours: float, code: int, said: str
) -> None:
    age(folder, hours)
    done = offline("status", "--max-age", "26h")
    assert done.code == code
    assert said in " ".join(done.out.split())
    found = offline("status", "--max-age", "26h", "--json").document["result"]["max_age"]
    assert found["passed"] == (code == 0)
    assert abs(found["remotes"][0]["seconds"] - hours * 3600) < 60
    assert offline("status").code == 0


def test_status_names_a_remote_that_never_had_a_snapshot(pulled: Shell, folder: Path) -> None:
    pulled("remote", "add", "never", "--host", DEAD, "--project", "7").well()
    done = pulled("status", "--max-age", "26h")
    assert (done.code, "never has no complete snapshot" in done.out) == (9, True)
    pulled("status", "--max-age", "26h", "-r", "prod").well()
    quiet = pulled("status", "-q", "--max-age", "26h", "-r", "prod").well()
    assert (quiet.out, quiet.err) == ("", "")
    assert "never has no complete snapshot" in pulled("status", "-q", "--max-age", "26h").out
    assert pulled("status", "--max-age", "26h", "-r", "never").code == 9
    assert pulled("status", "--max-age", "26h", "-r", "nobody").code == 2
    pulled("remote", "remove", "never").well()
    pulled("status", "--max-age", "26h").well()
    (folder / "mirror.db").unlink()
    assert pulled("status", "--max-age", "26h").code == 10


def test_the_printed_line_runs_as_cron_runs_it(watched: Shell, folder: Path) -> None:
    with_key = folder / "dssync.toml"
    with_key.write_text(with_key.read_text().replace("project = 1", "project = 1\nkey_file = 'k'"))
    (folder / "k").write_text("phx_sandbox")
    line = watched("backup", "--print-cron", "--jitter", "1s").well().out.splitlines()[-1]
    minute, hour, *_, command = line.split(" ", 5)
    assert (minute, hour) == ("17", "2")
    from dssync.sandbox import SANDBOX_KEY

    (folder / "k").write_text(SANDBOX_KEY)
    bare = {"PATH": "/usr/bin:/bin", "HOME": str(folder.parent / "home")}
    done = subprocess.run(
        ["/bin/sh", "-c", command], env=bare, cwd="/", capture_output=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert len(list((folder / "off").glob("*.json"))) == 1


def test_two_ways_to_start_it_are_printed_one_at_a_time(watched: Shell) -> None:
    assert watched("backup", "--print-cron", "--print-systemd").code == 2
    both = watched("backup", "--print-systemd", "--json").well().document["result"]
    assert both.keys() == {"service", "timer"}
    alone = watched("backup", "--print-systemd=timer").well().out
    assert alone == both["timer"]
