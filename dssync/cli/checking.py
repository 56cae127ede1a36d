"""Find out whether a remote can be used: its key, the key's scopes, the contract, the clock."""

from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from dssync.config import Remote
from dssync.core.receipt import Trouble
from dssync.errors import DssyncError, KeyRejected, NotFound
from dssync.sync import Session
from dssync.sync.session import Link, link

NOBODY = "00000000-0000-0000-0000-000000000000"
"""An id that no record has: an empty change of it shows whether the key may write."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found; nothing but the trouble where the remote did not answer.

    `clock_off` is how many seconds the server's clock is ahead of ours.
    """

    remote: str
    contract: str | None = None
    team: int | None = None
    writable: bool | None = None
    clock_off: float | None = None
    trouble: Trouble | None = None


def check(remotes: Sequence[Remote], session: Session) -> list[Checked]:
    """Try each remote; what is wrong with one does not stop the others."""
    return [_check(remote, session) for remote in remotes]


def _check(remote: Remote, session: Session) -> Checked:
    try:
        with link(remote, session) as reached:
            return Checked(
                remote.name,
                reached.remote.contract,
                reached.remote.team,
                _writable(reached),
                _clock_off(reached, session),
            )
    except DssyncError as error:  # the outcome of this remote
        return Checked(remote.name, trouble=Trouble.of(remote.name, error))


def _writable(reached: Link) -> bool:
    """Ask to change a record that cannot exist: a missing scope is refused before that is seen."""
    try:
        reached.contract.update("dataset", NOBODY, {})
    except NotFound:
        return True
    except KeyRejected:
        return False
    return True


def _clock_off(reached: Link, session: Session) -> float | None:
    date = reached.contract.page("dataset", 0, 1).server_date
    if date is None:
        return None
    return (parsedate_to_datetime(date) - session.clock.now()).total_seconds()
