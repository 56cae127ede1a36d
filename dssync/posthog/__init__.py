"""PostHog's datasets API: a typed client, and what a sync needs of each contract.

The steps to a remote are separate: `open_client` sends nothing, `probe` asks which contract the
server speaks, `speak` gives the translation for it. `connect` takes all three.
"""

from typing import Literal, Protocol

import msgspec

from dssync.clock import Clock
from dssync.core.fields import ContractName
from dssync.errors import ContractMismatch, Invalid, ServerTrouble
from dssync.events import Report, ignore
from dssync.net.opening import Pace, open_budget, open_transport
from dssync.net.pacing import Budget
from dssync.net.secret import Secret
from dssync.net.transport import Network, Transport
from dssync.posthog.answers import decode
from dssync.posthog.classic import Classic
from dssync.posthog.client import DATASETS, ITEMS, Client
from dssync.posthog.contract import Contract, PageResult, Probe, Written

__all__ = [
    "Classic",
    "Client",
    "Contract",
    "Pace",
    "PageResult",
    "Probe",
    "Target",
    "Written",
    "budget",
    "connect",
    "http",
    "open_client",
    "probe",
    "speak",
]


class Target(Protocol):
    """What must be known of a remote to reach it; a configured Remote is one."""

    @property
    def host(self) -> str:
        """The origin, as https://us.posthog.com."""
        ...

    @property
    def scope(self) -> Literal["environment", "project"]:
        """Which of the two families of paths is meant."""
        ...

    @property
    def id(self) -> str:
        """The number of the environment or project."""
        ...


def http(
    target: Target,
    key: Secret,
    clock: Clock,
    report: Report = ignore,
    *,
    inner: Network | None = None,
    pace: Pace | None = None,
) -> Transport:
    """Build the transport to a remote, paced and with its retries; `inner` replaces the network.

    Sending raises Throttled where the key's budget asks for a longer wait than `pace` allows.
    """
    return open_transport(target.host, key, clock, report, inner=inner, pace=pace)


def budget(target: Target, key: Secret, clock: Clock, pace: Pace | None = None) -> Budget:
    """Return the budget that requests to a remote with this key share, to estimate from."""
    return open_budget(target.host, key, clock, pace or Pace())


def open_client(target: Target, key: Secret, transport: Transport) -> Client:
    """Return a client of a remote over a transport; nothing is sent."""
    environment = target.id if target.scope == "environment" else None
    project = target.id if target.scope == "project" else None
    return Client(target.host, key, environment=environment, project=project, transport=transport)


def connect(
    target: Target,
    key: Secret,
    clock: Clock,
    report: Report = ignore,
    *,
    inner: Network | None = None,
) -> Contract:
    """Reach a remote and return what it speaks. Raises ContractMismatch, or what a GET raises."""
    client = open_client(target, key, http(target, key, clock, report, inner=inner))
    return speak(client, probe(client).contract)


def speak(client: Client, contract: ContractName) -> Contract:
    """Return the translation for a contract. Raises ContractMismatch for an unknown one."""
    if contract != "classic":
        raise ContractMismatch(
            f"the server speaks the {contract} contract, which this version does not know",
            hint="look for a newer version of dssync",
        )
    return Classic(client)


UNREADABLE = 500
"""How the server answers for a row that it can store but not show."""


class _Row(msgspec.Struct):
    team: int | None = None
    team_id: int | None = None


class _Rows(msgspec.Struct):
    results: list[_Row]


_ROWS = msgspec.json.Decoder(_Rows)


def probe(client: Client) -> Probe:
    """Ask which contract the server speaks, and for the team's number if a record shows it.

    A list of items without a dataset is answered by classic servers only, on empty projects too;
    a versioned one refuses it before it reads a row, so a row it fails to show is classic as well.
    """
    try:
        team = _team(client, ITEMS)
    except Invalid as refusal:
        if (refusal.error_code, refusal.attr) != ("required", "dataset"):
            raise
        return Probe("versioned", _team(client, DATASETS))
    return Probe("classic", _team(client, DATASETS) if team is None else team)


def _team(client: Client, listing: str) -> int | None:
    """Return the team of a list's first row; None where it has none, or one nobody can read."""
    try:
        found = decode(client.request("GET", f"{listing}/", (("limit", "1"),)), _ROWS)
    except ServerTrouble as trouble:
        if trouble.status != UNREADABLE:
            raise
        return None
    teams = (row.team if row.team is not None else row.team_id for row in found.results)
    return next(teams, None)
