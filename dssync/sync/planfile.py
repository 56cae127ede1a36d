"""Keep a plan in a file, and read it back for the mirror and the remotes it was made for."""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from dssync import version
from dssync.clock import Clock, stamp
from dssync.config import Remote
from dssync.core.plan import Plan
from dssync.core.planfile import PlannedRemote, SavedPlan, dump_plan, load_plan
from dssync.errors import UsageError, WrongTarget
from dssync.mirror import KnownRemote, Mirror


def save(path: Path, mirror: Mirror, plan: Plan, clock: Clock) -> SavedPlan:
    """Write a plan to a file, whole or not at all; a plan of nothing replaces an older one, too.

    Raises UsageError where nothing can be written.
    """
    known = {remote.name: remote for remote in mirror.remotes()}
    names = sorted({change.remote for change in plan.changes})
    remotes = tuple(_planned(known[name]) for name in names)
    saved = SavedPlan(Plan(plan.changes), remotes, stamp(clock.now()), version())
    try:
        _write(path, dump_plan(saved))
    except OSError as error:
        raise UsageError(
            f"the plan was not saved: {path} cannot be written ({error.strerror})",
            hint="name another file with -o",
        ) from None
    return saved


def _planned(remote: KnownRemote) -> PlannedRemote:
    return PlannedRemote(remote.name, remote.host, remote.scope, remote.project, remote.contract)


def _write(path: Path, text: str) -> None:
    target = path.resolve()  # a link stays a link
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        Path(name).replace(target)
    except OSError:
        Path(name).unlink()
        raise


def read(path: Path) -> SavedPlan:
    """Read a plan from a file. Raises UsageError, Refused, StalePlan."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"the plan {path} cannot be read ({error.strerror})",
            hint="make one with `dssync diff -o FILE`",
        ) from None
    except UnicodeDecodeError:
        raise UsageError(
            f"{path} is no plan: it is not text", hint="make one with `dssync diff -o FILE`"
        ) from None
    return load_plan(text, str(path))


def refuse_foreign(saved: SavedPlan, mirror: Mirror, remotes: Sequence[Remote]) -> None:
    """Raise WrongTarget when a plan is for another project than one of that name is here."""
    known = {remote.name: _planned(remote) for remote in mirror.remotes()}
    configured = {remote.name: (remote.host, remote.scope, remote.id) for remote in remotes}
    for planned in saved.remotes:
        here = known.get(planned.name)
        if here != planned:
            raise WrongTarget(
                f"the plan is for {_named(planned)}, but here {planned.name} is"
                f" {_named(here) if here else 'not in the mirror'}",
                hint="apply it where it was made, or make a new one: dssync diff -o FILE",
            )
        place = (planned.host, planned.scope, planned.id)
        if configured.get(planned.name, place) != place:
            raise WrongTarget(
                f"the plan is for {_named(planned)}, but {planned.name} is configured as"
                f" {' '.join(configured[planned.name])}",
                hint="mend the configuration: dssync remote list",
            )


def _named(remote: PlannedRemote) -> str:
    return f"{remote.name} ({remote.host} {remote.scope} {remote.id}, {remote.contract})"
