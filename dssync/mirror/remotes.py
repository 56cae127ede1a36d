"""What the mirror remembers of each remote; a later mismatch is refused."""

from collections.abc import Iterator
from dataclasses import astuple, dataclass

from dssync.core.fields import ContractName
from dssync.errors import ContractMismatch, WrongTarget
from dssync.mirror.transaction import Transaction


@dataclass(frozen=True, slots=True)
class KnownRemote:
    """A remote as the mirror first met it; `project` is the id in the URL, `team` the server's."""

    name: str
    host: str
    scope: str
    project: str
    contract: ContractName
    team: int | None


def known(tx: Transaction) -> Iterator[KnownRemote]:
    """Yield the remotes the mirror has met, by name."""
    rows = tx.exec_driver_sql(
        "SELECT name, host, scope, project, contract, team FROM remotes ORDER BY name"
    )
    yield from (KnownRemote(*row) for row in rows)


def meet(tx: Transaction, remote: KnownRemote, run: int) -> None:
    """Remember a remote, or check that it is the one remembered.

    Raises WrongTarget when its host or project is another, or when the project is already
    mirrored under another name; ContractMismatch when the server now speaks differently.
    """
    others = {other.name: other for other in known(tx)}
    before = others.pop(remote.name, None)
    for other in others.values():
        _refuse_twice(remote, other)
    if before is None:
        tx.exec_driver_sql(
            "INSERT INTO remotes (name, host, scope, project, contract, team, first_run)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (*astuple(remote), run),
        )
        return
    refuse_other(before, remote)
    if before.team is None and remote.team is not None:
        tx.exec_driver_sql("UPDATE remotes SET team = ? WHERE name = ?", (remote.team, remote.name))


def refuse_other(before: KnownRemote, now: KnownRemote) -> None:
    """Raise WrongTarget or ContractMismatch when a remote is not the one remembered."""
    for what, old, new in (
        ("host", before.host, now.host),
        (before.scope, f"{before.scope} {before.project}", f"{now.scope} {now.project}"),
        ("team", before.team, now.team),
    ):
        if old != new and old is not None and new is not None:
            raise WrongTarget(
                f"the mirror knows {now.name} with {what} {old}, but it now has {new}",
                hint="put the old value back, or give the other project a name of its own:"
                " dssync remote add NAME",
            )
    if before.contract != now.contract:
        raise ContractMismatch(
            f"the server of {now.name} spoke the {before.contract} contract and now speaks"
            f" {now.contract}",
            hint="nothing was changed; check that the host is the one you mean",
        )


def _refuse_twice(remote: KnownRemote, other: KnownRemote) -> None:
    same_team = remote.team is not None and remote.team == other.team
    same_path = (remote.scope, remote.project) == (other.scope, other.project)
    if remote.host == other.host and (same_team or same_path):
        raise WrongTarget(
            f"{remote.name} is the project that the mirror already holds as {other.name}",
            hint=f"use {other.name}, or give {remote.name} another project or another mirror",
        )
