"""Runs, their receipts, and the intents that are on the disk before anything is sent."""

import subprocess
import sys
from dataclasses import replace

from dssync.core.plan import Change, Delta
from dssync.core.receipt import Entry, Outcome, ScanCount, ScanOutcome
from dssync.mirror import Mirror, journal, runs
from tests.mirror.conftest import Home
from tests.mirror.served import D1

DELTAS = (Delta("name", "Support", "Triage"), Delta("description", None, "é\u2028"))
CHANGE = Change("main", "dataset", D1, D1, "update", DELTAS, "Support")
DATE = "Mon, 23 Nov 2026 18:00:00 GMT"

OPEN_AND_DIE = """
import os, sys
from dssync.clock import SystemClock
from dssync.core.plan import Change, Delta
from dssync.mirror import Mirror, journal
mirror = Mirror.open(sys.argv[1])
change = Change("main", "dataset", "k", "id", "update", (Delta("name", "a", "b"),))
with mirror.database.unit(1, durable=True) as tx:
    journal.open_intent(tx, 1, change, SystemClock(), None)
os.kill(os.getpid(), 9)
"""


def entry(outcome: Outcome, change: Change = CHANGE, reason: str = "") -> Entry:
    return Entry(
        change.remote, change.kind, change.key, change.action, outcome, change.deltas, reason
    )


def open_intent(home: Home, run: int, change: Change = CHANGE) -> journal.Intent:
    with home.mirror.database.unit(run, durable=True) as tx:
        return journal.open_intent(tx, run, change, home.clock, DATE)


def still_open(home: Home) -> list[journal.Intent]:
    with home.mirror.database.read() as tx:
        return list(journal.open_intents(tx))


def test_an_intent_is_read_back_as_it_was_written_oldest_first(home: Home) -> None:
    run = home.run("push")
    first = open_intent(home, run)
    second = open_intent(home, run, replace(CHANGE, kind="item", key="new-1", action="create"))
    assert still_open(home) == [first, second]
    assert (first.deltas, first.server_date, first.run) == (DELTAS, DATE, run)
    assert first.opened_at == "2026-11-23T18:00:00.000000Z"
    assert second.number > first.number


def test_a_closed_intent_keeps_its_outcome_here_and_in_the_receipt(home: Home) -> None:
    run = home.run("push")
    intent, other = open_intent(home, run), open_intent(home, run)
    home.clock.advance(2)
    with home.mirror.database.unit(run, durable=True) as tx:
        done = replace(entry("applied"), status=200, attempts=2, updated_at="then")
        journal.close(tx, intent, done, home.clock)
    assert still_open(home) == [other]
    (closed,) = home.rows("SELECT * FROM journal WHERE intent = ?", intent.number)
    assert (closed["outcome"], closed["status"], closed["attempts"]) == ("applied", 200, 2)
    assert closed["closed_at"] == "2026-11-23T18:00:02.000000Z"
    (row,) = home.rows("SELECT * FROM receipts")
    assert (row["run"], row["key"], row["outcome"], row["updated_at"]) == (
        run,
        D1,
        "applied",
        "then",
    )
    assert runs.load_deltas(row["deltas"]) == DELTAS


def test_an_intent_outlives_a_process_that_is_killed(home: Home) -> None:
    done = subprocess.run([sys.executable, "-c", OPEN_AND_DIE, str(home.mirror.path)], check=False)
    assert done.returncode == -9
    (intent,) = still_open(home)
    assert intent.deltas == (Delta("name", "a", "b"),)


def test_a_later_word_on_a_record_replaces_the_earlier(home: Home) -> None:
    run = home.run("push")
    with home.mirror.database.unit(run) as tx:
        runs.keep_entries(tx, run, [entry("in doubt"), entry("failed", replace(CHANGE, key="x"))])
        runs.keep_entries(tx, run, [entry("applied", reason="found by a later run")])
        runs.keep_entries(tx, run, [])
    rows = home.rows("SELECT key, outcome, reason FROM receipts ORDER BY key")
    assert [(r["outcome"], r["reason"]) for r in rows] == [
        ("applied", "found by a later run"),
        ("failed", ""),
    ]


def test_a_run_has_a_begin_an_end_and_a_number_of_its_own(home: Home) -> None:
    first = home.run("pull")
    home.clock.advance(60)
    with home.mirror.database.unit(first) as tx:
        runs.end(tx, first, 3, home.clock)
    (row,) = home.rows("SELECT * FROM runs WHERE id = ?", first)
    assert row == {
        "id": first,
        "command": "pull",
        "started_at": "2026-11-23T18:00:00.000000Z",
        "ended_at": "2026-11-23T18:01:00.000000Z",
        "exit_code": 3,
        "version": "1.0",
        "plan": None,
        "undoes": None,
        "troubles": None,
        "notes": None,
    }
    home.sql.execute("DELETE FROM runs WHERE id = ?", (first,))
    assert home.run() > first


def test_the_last_complete_pull_is_the_newest_with_both_kinds(home: Home) -> None:
    pulls = [home.run() for _ in range(4)]
    scans: tuple[tuple[int, str, ScanOutcome, ScanOutcome], ...] = (
        (0, "main", "complete", "complete"),
        (1, "main", "complete", "complete with holes"),
        (2, "main", "complete", "partial"),
        (3, "other", "complete", "complete"),
    )
    for at, remote, datasets, items in scans:
        home.clock.advance(1)
        with home.mirror.database.unit(pulls[at]) as tx:
            runs.keep_scan(tx, pulls[at], ScanCount(remote, "dataset", datasets, 3), home.clock)
            home.clock.advance(1)
            runs.keep_scan(tx, pulls[at], ScanCount(remote, "item", items), home.clock)
    with home.mirror.database.read() as tx:
        assert runs.last_complete(tx, "main") == (pulls[1], "2026-11-23T18:00:04.000000Z")
        assert runs.last_complete(tx, "other") == (pulls[3], "2026-11-23T18:00:08.000000Z")
        assert runs.last_complete(tx, "nowhere") is None


def test_a_mirror_opened_again_knows_its_runs(home: Home) -> None:
    run = home.run("push")
    with Mirror.open(home.mirror.path) as again, again.database.unit(run) as tx:
        assert runs.start(tx, "pull", home.clock, "1.0") == run + 1
