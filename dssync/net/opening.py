"""The whole way to a host: the network, paced, with retries around it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from dssync.clock import Clock
from dssync.events import Report, ignore
from dssync.net.budget import LIMITS, Limits
from dssync.net.ledger import open_ledger, state_folder
from dssync.net.pacing import Budget, Paced, Waits, go_on
from dssync.net.retry import Retrying
from dssync.net.secret import Secret
from dssync.net.transport import ANSWER_SECONDS, HttpTransport, Network, Transport


@dataclass(frozen=True, slots=True)
class Pace:
    """How a run keeps to its keys' rate limits; hand one to all its remotes.

    `waits` bounds and counts the run's waits, `check` may raise before a request leaves, and
    `folder` is where runs tell each other what they sent.
    """

    limits: Limits = LIMITS
    waits: Waits = field(default_factory=Waits)
    check: Callable[[], None] = go_on
    folder: Path = field(default_factory=state_folder)


def open_budget(host: str, key: Secret, clock: Clock, pace: Pace) -> Budget:
    """Return what a key may still send to a host. Raises ConfigError for a bad host."""
    return Budget(open_ledger(host, key, pace.folder), clock, pace.limits)


def open_transport(
    host: str,
    key: Secret,
    clock: Clock,
    report: Report = ignore,
    *,
    timeout: float = ANSWER_SECONDS,
    inner: Network | None = None,
    pace: Pace | None = None,
) -> Transport:
    """Build the transport to a host, as HttpTransport does; every resend is paced, too."""
    pace = pace or Pace()
    network = HttpTransport(host, key, timeout=timeout, inner=inner)
    budget = open_budget(host, key, clock, pace)
    paced = Paced(network, budget, clock, report, waits=pace.waits, check=pace.check)
    return Retrying(paced, clock, report=report)
