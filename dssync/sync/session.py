"""What every use case is handed: time, keys, progress, and the way to a remote."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

from dssync import version
from dssync.clock import Clock, SystemClock
from dssync.config import Remote, find_key
from dssync.core.receipt import Entry, Receipt, warning
from dssync.events import Report, ignore
from dssync.mirror import KnownRemote, Mirror, Transaction, lock, remotes, runs
from dssync.net.dates import Dated, ServerClock
from dssync.net.pacing import Budget
from dssync.net.transport import Network, ReadOnly
from dssync.posthog import Contract, Pace, budget, http, open_client, probe, speak
from dssync.sync.interrupt import Departures, Stop, listening

INTERRUPTED = 130

T = TypeVar("T")

Work = Callable[[Transaction], T]


@dataclass(frozen=True, slots=True)
class Session:
    """The seams, gathered: tests hand over their own clock, keys and network.

    `pace` keeps to the keys' rate limits and bounds how long a run may wait for them; `wait` is
    how many seconds to wait for another run to end; `ahead` is how many pages of a list
    may be under way at once, and `page` asks for pages of that many rows instead of measuring.
    """

    clock: Clock = field(default_factory=SystemClock)
    env: Mapping[str, str] = field(default_factory=lambda: os.environ)
    report: Report = ignore
    network: Callable[[Remote], Network | None] = lambda remote: None
    pace: Pace = field(default_factory=Pace)
    wait: float = 0
    ahead: int = 4
    page: int | None = None
    stop: Stop = field(default_factory=Stop)


@dataclass(frozen=True, slots=True)
class Link:
    """A remote that was reached: what it is, what speaks its contract, what its key may send.

    `clock` is the server's own, and `departures` sees every request leave.
    """

    remote: KnownRemote
    contract: Contract
    budget: Budget
    clock: ServerClock
    departures: Departures


@contextmanager
def link(remote: Remote, session: Session, *, read_only: bool = False) -> Iterator[Link]:
    """Reach a remote. Raises what a GET raises, KeyMissing, and ContractMismatch."""
    key = find_key(remote, session.env)
    departures = Departures(session.stop)
    pace = replace(session.pace, check=departures)
    server = ServerClock(session.clock)
    inner = session.network(remote)
    paced = http(remote, key, session.clock, session.report, inner=inner, pace=pace)
    transport = Dated(paced, server)
    client = open_client(remote, key, ReadOnly(transport) if read_only else transport)
    try:
        found = probe(client)
        here = KnownRemote(
            remote.name, remote.host, remote.scope, remote.id, found.contract, found.team
        )
        left = budget(remote, key, session.clock, pace)
        yield Link(here, speak(client, found.contract), left, server, departures)
    finally:
        transport.close()


@dataclass(frozen=True, slots=True)
class Run:
    """An open run of one mirror. One thread writes for it, whoever hands over the work."""

    mirror: Mirror
    number: int
    session: Session
    writer: Executor

    def submit(self, work: Work[T], *, durable: bool = False) -> "Future[T]":
        """Hand work to the writing thread; it is done in a unit of its own, or not at all."""
        return self.writer.submit(self._unit, work, durable)

    def write(self, work: Work[T], *, durable: bool = False) -> T:
        """Have work done and return its result; `durable` work is on the disk then."""
        return self.submit(work, durable=durable).result()

    def _unit(self, work: Work[T], durable: bool) -> T:
        with self.mirror.database.unit(self.number, durable=durable) as tx:
            return work(tx)

    def edit(self, work: Work[T]) -> T:
        """Have the working copy edited as a person edits it: triggers guard, and notice."""
        return self.writer.submit(self._as_person, work).result()

    def _as_person(self, work: Work[T]) -> T:
        with self.mirror.database.edit() as tx:
            return work(tx)

    def end(self, exit_code: int) -> None:
        """Note the end."""
        self.write(lambda tx: runs.end(tx, self.number, exit_code, self.session.clock))

    def keep(self, entries: Sequence[Entry]) -> None:
        """Keep rows of the receipt; a later word on the same record replaces the earlier one."""
        self.write(lambda tx: runs.keep_entries(tx, self.number, entries))

    def finish(self, receipt: Receipt) -> Receipt:
        """Keep the receipt and note the end."""
        self.write(partial(self._keep, receipt=receipt), durable=True)
        return receipt

    def _keep(self, tx: Transaction, receipt: Receipt) -> None:
        runs.keep_entries(tx, self.number, receipt.entries)
        code, clock = receipt.exit_code, self.session.clock
        notes = (*receipt.notes, *map(warning, receipt.warnings))
        runs.end(tx, self.number, code, clock, receipt.troubles, notes)


@contextmanager
def run(
    mirror: Mirror, command: str, session: Session, *, undoes: int | None = None
) -> Iterator[Run]:
    """Hold the mirror and keep a run in it, with its end and exit code, whatever happens.

    Raises Locked.
    """
    with (
        lock.hold(mirror.path, command, session.clock, wait=session.wait),
        listening(session.stop, session.clock),
        ThreadPoolExecutor(1, thread_name_prefix="dssync-writer") as writer,
    ):
        with mirror.database.edit() as tx:
            number = runs.start(tx, command, session.clock, version(), undoes=undoes)
        current = Run(mirror, number, session, writer)
        try:
            yield current
        except KeyboardInterrupt:
            current.end(INTERRUPTED)
            raise


def meet(link: Link, run: Run) -> None:
    """Remember a remote, or check that it is the one remembered. Raises WrongTarget."""
    run.write(lambda tx: remotes.meet(tx, link.remote, run.number))


def check(link: Link, mirror: Mirror) -> None:
    """Check that a remote is the one remembered, writing nothing. Raises WrongTarget."""
    for known in mirror.remotes():
        if known.name == link.remote.name:
            remotes.refuse_other(known, link.remote)


def named(configured: Sequence[Remote], names: Sequence[str]) -> list[Remote]:
    """Return the configured remotes of these names, in the order of the configuration."""
    return [remote for remote in configured if remote.name in names]
