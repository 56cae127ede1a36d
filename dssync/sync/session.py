"""What every use case is handed: time, keys, progress, and the way to a remote."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from dssync import version
from dssync.clock import Clock, SystemClock
from dssync.config import Remote, find_key
from dssync.core.receipt import Receipt
from dssync.events import Report, ignore
from dssync.mirror import KnownRemote, Mirror, lock, remotes, runs
from dssync.net.transport import Network, ReadOnly
from dssync.posthog import Contract, http, open_client, probe, speak


@dataclass(frozen=True, slots=True)
class Session:
    """The seams, gathered: tests hand over their own clock, keys and network.

    `wait` is how many seconds to wait for another run to end.
    """

    clock: Clock = field(default_factory=SystemClock)
    env: Mapping[str, str] = field(default_factory=lambda: os.environ)
    report: Report = ignore
    network: Callable[[Remote], Network | None] = lambda remote: None
    wait: float = 0


@dataclass(frozen=True, slots=True)
class Link:
    """A remote that was reached: what it is, and what speaks its contract."""

    remote: KnownRemote
    contract: Contract


@contextmanager
def link(remote: Remote, session: Session, *, read_only: bool = False) -> Iterator[Link]:
    """Reach a remote. Raises what a GET raises, KeyMissing, and ContractMismatch."""
    key = find_key(remote, session.env)
    transport = http(remote, key, session.clock, session.report, inner=session.network(remote))
    client = open_client(remote, key, ReadOnly(transport) if read_only else transport)
    try:
        found = probe(client)
        here = KnownRemote(
            remote.name, remote.host, remote.scope, remote.id, found.contract, found.team
        )
        yield Link(here, speak(client, found.contract))
    finally:
        transport.close()


@contextmanager
def run(mirror: Mirror, command: str, session: Session) -> Iterator["Run"]:
    """Hold the mirror and keep a run in it, with its end and exit code, whatever happens."""
    with lock.hold(mirror.path, command, session.clock, wait=session.wait):
        with mirror.database.edit() as tx:
            number = runs.start(tx, command, session.clock, version())
        kept = Run(mirror, command, number, session)
        try:
            yield kept
        except KeyboardInterrupt:
            kept.end(130)
            raise


@dataclass(slots=True)
class Run:
    """An open run of one mirror."""

    mirror: Mirror
    command: str
    number: int
    session: Session

    def end(self, exit_code: int) -> None:
        """Note the end."""
        with self.mirror.database.edit() as tx:
            runs.end(tx, self.number, exit_code, self.session.clock)

    def finish(self, receipt: Receipt) -> Receipt:
        """Keep the receipt and note the end."""
        with self.mirror.database.edit() as tx:
            runs.keep_entries(tx, self.number, receipt.entries)
            runs.end(tx, self.number, receipt.exit_code, self.session.clock)
        return receipt


def meet(link: Link, run: Run) -> None:
    """Remember a remote, or check that it is the one remembered. Raises WrongTarget."""
    with run.mirror.database.edit() as tx:
        remotes.meet(tx, link.remote, run.number)


def check(link: Link, mirror: Mirror) -> None:
    """Check that a remote is the one remembered, writing nothing. Raises WrongTarget."""
    for known in mirror.remotes():
        if known.name == link.remote.name:
            remotes.refuse_other(known, link.remote)


def named(configured: Sequence[Remote], names: Sequence[str]) -> list[Remote]:
    """Return the configured remotes of these names, in the order of the configuration."""
    return [remote for remote in configured if remote.name in names]
