"""Use a copy as one would have to after a disaster, on an embedded server, and compare.

The newest copy is taken as it lies off-site, opened and verified. Then the newest snapshot of each
remote in it is restored to a server that is empty, that is read back into a mirror that is empty,
and every record is held against the copy, value by value.
"""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from dssync.backup.checking import Checked, take
from dssync.backup.rereading import Difference, Reread
from dssync.backup.store import open_store
from dssync.config import Remote
from dssync.core.receipt import Exit, Receipt, Trouble, worst
from dssync.core.snapshot import Snapshot
from dssync.errors import CopyDamaged, DssyncError, Interrupted, UsageError
from dssync.keys import KeySource
from dssync.mirror import Mirror, snapshots
from dssync.policy import Offsite
from dssync.posthog import Pace
from dssync.sandbox import SANDBOX_KEY, Sandbox, serve
from dssync.sync import Session, apply_push, prepare_push, pull
from dssync.sync.carrying import Left
from dssync.sync.interrupt import listening
from dssync.sync.past import open_snapshot
from dssync.sync.restorer import restore

MOST = 1_000
"""So many differences of a remote are told."""

KEY = "DSSYNC_DRILL_KEY"
"""The only variable that a drill sees: it has no key of any real server."""


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """One remote's part: how many records came back, and which did not, or not as they were.

    `left` could not be restored at all, as an item whose dataset was deleted; no copy is to blame.
    """

    remote: str
    snapshot: Snapshot | None
    records: int = 0
    left: tuple[Left, ...] = ()
    differences: tuple[Difference, ...] = ()
    trouble: Trouble | None = None

    @property
    def exit_code(self) -> int:
        """Return 0 where everything came back."""
        if self.snapshot is None:
            return Exit.PARTIAL
        code = self.trouble.exit_code if self.trouble else 0
        return worst([code, CopyDamaged.exit_code if self.differences else 0])


@dataclass(frozen=True, slots=True)
class Drilled:
    """What a drill found of the copy itself, and of each remote in it."""

    checked: Checked
    remotes: tuple[Rehearsed, ...] = ()

    @property
    def exit_code(self) -> int:
        """Return 0 where the copy is whole and every record came back."""
        return worst([self.checked.exit_code, *(each.exit_code for each in self.remotes)])


def drill(
    offsite: Offsite,
    session: Session,
    text: str | None = None,
    identities: Sequence[Any] = (),
    keep: Path | None = None,
    only: Sequence[str] = (),
) -> Drilled:
    """Take the copy of this name, the newest without one, through all that a restore needs.

    No real server is asked anything: the session's keys are not used. With `keep` the mirror of the
    copy is put there, once it is proved; `only` names the remotes to restore. Raises what the place
    raises, AccessError where none of the keys opens it, and Interrupted once a signal asked to stop
    and nothing is left unpacked.
    """
    store = open_store(offsite, session.env)
    with (
        listening(session.stop, session.clock),
        TemporaryDirectory(prefix="dssync-drill-") as name,
    ):
        folder = Path(name)
        checked, database = take(store, text, identities, folder)
        if database is None:
            _refuse_unopened(checked, identities)
            return Drilled(checked)
        session.stop.check()
        own = replace(
            session,
            env={KEY: SANDBOX_KEY},
            pace=Pace(limits=(), folder=folder / "state"),
            network=lambda remote: None,
        )
        if keep is not None and not checked.exit_code:
            _keep(database, keep)
        with Mirror.open(database) as mirror:
            return Drilled(checked, tuple(_rehearse_all(mirror, own, folder, only)))


def _refuse_unopened(checked: Checked, identities: Sequence[Any]) -> None:
    """Raise UsageError where a copy was not opened for want of a key: that is no drill."""
    if checked.manifest and checked.manifest.recipients and not identities:
        raise UsageError(
            f"{checked.name} is encrypted, and a drill opens it",
            hint="name the file with the secret key: --identity FILE",
        )


def _keep(database: Path, keep: Path) -> None:
    """Put the mirror of a copy where nothing is yet. Raises UsageError."""
    try:
        with keep.open("xb") as target, database.open("rb") as source:
            keep.chmod(0o600)
            shutil.copyfileobj(source, target)
    except FileExistsError:
        raise UsageError(f"{keep} exists", hint="name a new file") from None
    except OSError as error:
        raise UsageError(f"{keep} cannot be written: {error.strerror}") from None


def _rehearse_all(
    mirror: Mirror, session: Session, folder: Path, only: Sequence[str]
) -> Iterator[Rehearsed]:
    known = [each.name for each in mirror.remotes()]
    for name in only:
        if name not in known:
            raise UsageError(
                f"the copy holds no remote {name}", hint=f"it holds: {', '.join(known) or 'none'}"
            )
    with mirror.database.read() as tx:
        newest = {each.remote: each for each in snapshots.known(tx)}
    for number, remote in enumerate(only or known, 1):
        snapshot = newest.get(remote)
        if snapshot is None:
            yield Rehearsed(remote, None)
            continue
        place = folder / str(number)
        place.mkdir()
        try:
            yield _rehearse(mirror, snapshot, number, session, place)
        except Interrupted:
            raise
        except DssyncError as error:  # the outcome of this remote; the others are still drilled
            yield Rehearsed(remote, snapshot, trouble=Trouble.of(remote, error))


def _rehearse(
    mirror: Mirror, snapshot: Snapshot, number: int, session: Session, folder: Path
) -> Rehearsed:
    """Restore one snapshot to a new server, and read it back. Raises DssyncError."""
    sandbox = Sandbox(limits=())
    sandbox.add_project(number, snapshot.remote)
    with serve(sandbox) as url, Mirror.open(folder / "back.db", create=True) as back:
        # a name and a place that the mirror has not met, even where two servers had one port
        name = _unused(mirror, snapshot.remote)
        remote = Remote(name, url, "project", str(number), KeySource("key_env", KEY))
        _whole(session, pull(mirror, [remote], session))
        with open_snapshot(mirror, snapshot) as source:
            done = restore(mirror, source, session, remote=name)
        prepared = prepare_push(mirror, [remote], session)
        _whole(session, apply_push(mirror, prepared, [remote], session))
        _whole(session, pull(back, [remote], session))
        [known] = [each for each in mirror.remotes() if each.name == name]
        left = frozenset((each.kind, each.key) for each in done.left)
        reread = Reread(mirror, back, snapshot.remote, snapshot.run, name, known.contract, left)
        differences = tuple(islice(reread.differences(), MOST))
        return Rehearsed(snapshot.remote, snapshot, reread.count, done.left, differences)


def _unused(mirror: Mirror, remote: str) -> str:
    known = {each.name for each in mirror.remotes()}
    name = f"drill-{remote}"
    while name in known:
        name += "-"
    return name


def _whole(session: Session, receipt: Receipt) -> None:
    """Raise CopyDamaged where a run against the drill's own server was not whole.

    Raises Interrupted where somebody asked to stop.
    """
    session.stop.check()
    if receipt.exit_code:
        first = next((each.message for each in receipt.troubles), "") or next(
            (
                f"{e.kind} {e.label or e.key}: {e.reason or e.outcome}"
                for e in receipt.entries
                if e.outcome not in ("applied", "skipped")
            ),
            "",
        )
        raise CopyDamaged(f"the drill's {receipt.command} was not whole: {first}")
