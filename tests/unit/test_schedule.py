"""Words survive the quoting of cron and of systemd."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dssync.core.schedule import Job, crontab, service, span, timer

FOLDER = '/srv/50% off/it\'s "here"'


def job(folder: str = FOLDER, program: str = "/usr/bin/dssync", **changes: object) -> Job:
    values: dict[str, object] = {
        "words": (program, "-C", folder),
        "options": ("--quiet", "--wait", "1h"),
        "jitter": "10m",
        "folder": folder,
        "user": "backup",
        "secrets": f"{folder}/dssync.env",
        "variables": ("PROD_KEY",),
        "writable": (folder, "/var/lib/state"),
    }
    return Job(**(values | changes))  # type: ignore[arg-type]


def as_cron_runs(line: str) -> list[str]:
    """Return the words that a shell gets: cron ends a command at a % that no backslash precedes."""
    command = line.split(" ", 5)[5]
    assert not re.search(r"(?<!\\)%", command)
    return shlex.split(command.replace(r"\%", "%"))


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\r\\\0")))
def test_cron_hands_the_words_on(folder: str) -> None:
    line = crontab(job(folder, variables=())).split("\n")[-2]
    words = ["/usr/bin/dssync", "-C", folder, "backup", "--quiet", "--wait", "1h"]
    assert as_cron_runs(line) == [*words, "--jitter", "10m"]


@pytest.mark.parametrize("folder", ["/srv/a\nb", "/srv/a\\b"])
def test_what_cron_cannot_hold_is_refused(folder: str) -> None:
    with pytest.raises(ValueError, match="cron cannot hold"):
        crontab(job(folder))


@pytest.mark.parametrize("folder", ["/srv/a\nb", "/srv/a\x1b", "/srv/a\\"])
def test_what_systemd_cannot_hold_is_refused(folder: str) -> None:
    with pytest.raises(ValueError, match="systemd cannot hold"):
        service(job(folder))


def test_the_crontab_names_the_variables_that_cron_lacks() -> None:
    assert "# PROD_KEY=\n" in crontab(job())
    assert "variables" not in crontab(job(variables=()))


def test_the_timer_makes_up_for_a_night_and_begins_at_random() -> None:
    lines = timer(job(jitter="15m")).splitlines()
    assert {"Persistent=true", "RandomizedDelaySec=15m"} <= {*lines}
    assert "--jitter" not in service(job())


def test_a_folder_for_what_is_passing_is_not_hidden() -> None:
    assert "PrivateTmp=true" in service(job())
    assert "PrivateTmp" not in service(job("/tmp/trial"))
    assert "PrivateTmp" not in service(job(writable=("/var/tmp/x",)))


@pytest.mark.parametrize("folder", [FOLDER, "/srv/plain", "/srv/$HOME/a;b", "/srv/a\\b c"])
def test_systemd_takes_both_units(tmp_path: Path, folder: str) -> None:
    analyze = shutil.which("systemd-analyze")
    program = str(Path(shutil.which("true") or "/bin/true"))
    unit, when = tmp_path / "dssync-backup.service", tmp_path / "dssync-backup.timer"
    unit.write_text(service(job(folder, program)))
    when.write_text(timer(job(folder, program)))
    assert "\nExecStart=" in unit.read_text()
    if analyze is None:
        return
    done = subprocess.run(
        [analyze, "verify", unit, when], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(("seconds", "text"), [(0, "0s"), (90, "90s"), (600, "10m"), (7200, "2h")])
def test_times_are_written_as_options_take_them(seconds: float, text: str) -> None:
    assert span(seconds) == text
