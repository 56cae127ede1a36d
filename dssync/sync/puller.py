"""Pull: mirror what the remotes hold, without touching what was edited here."""

from collections.abc import Sequence

from dssync.clock import stamp
from dssync.config import Remote
from dssync.core.brakes import Limit
from dssync.core.fields import KINDS, KindName
from dssync.core.receipt import Entry, Receipt, ScanCount, Trouble
from dssync.core.walk import Complete, CompleteWithHoles, Sizing, Walk
from dssync.errors import Brake, DssyncError
from dssync.events import ScanEnded, ScanStarted
from dssync.mirror import Mirror, runs
from dssync.mirror.incoming import Inbox
from dssync.sync import settler
from dssync.sync.absence import conclude
from dssync.sync.scanner import scan
from dssync.sync.session import Link, Run, Session, link, meet, run


def pull(mirror: Mirror, remotes: Sequence[Remote], session: Session) -> Receipt:
    """Mirror these remotes; one that fails does not stop the others.

    Raises Locked. What went wrong with a remote stands in the receipt's troubles.
    """
    scans: list[ScanCount] = []
    troubles: list[Trouble] = []
    entries: list[Entry] = []
    with run(mirror, "pull", session) as current:
        for remote in remotes:
            try:
                with link(remote, session) as reached:
                    meet(reached, current)
                    entries += settler.settle(reached, current)
                    for kind in KINDS:
                        scans.append(_scan(reached, kind, current, troubles))
            except DssyncError as error:  # one remote's failure is an outcome, not the end
                troubles.append(Trouble.of(remote.name, error))
        return current.finish(
            Receipt(
                "pull",
                current.number,
                entries=tuple(entries),
                scans=tuple(scans),
                troubles=tuple(troubles),
            )
        )
