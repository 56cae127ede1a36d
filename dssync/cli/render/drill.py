"""What is wrong with a copy, or that nothing is, and what came of a drill with it."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dssync.cli.render.ages import moment
from dssync.cli.render.names import title
from dssync.cli.render.screen import Screen
from dssync.cli.render.text import Line, counted, sentence
from dssync.cli.render.verify import damage_lines, looked_at
from dssync.cli.render.view import Document
from dssync.core.receipt import Exit

if TYPE_CHECKING:
    from dssync.backup.checking import Checked
    from dssync.backup.drill import Drilled, Rehearsed
    from dssync.backup.rereading import Difference

SHOWN = 50

FOUND: Mapping[str, str] = {
    "missing": "did not come back",
    "changed": "came back as something else",
    "extra": "came back, and was never restored",
}

FAILED = Line("the drill failed: this copy is not to be relied on", "error")
OUTCOMES: Mapping[int, Line] = {
    0: Line("the drill passed"),
    Exit.PARTIAL: Line("the drill did not get to every remote", "error"),
}


def copy_lines(checked: "Checked", width: int) -> Iterator[Line]:
    """Say what is wrong with a copy, and how much of it was proved."""
    for fault in checked.faults[:SHOWN]:
        yield from sentence(f"damaged: {fault}", width, tone="error")
    if checked.verified:
        yield from damage_lines(checked.verified, width, hints=False)
    told = checked.manifest
    if told is None:
        yield from sentence(f"{checked.name} at {checked.place} is no whole copy", width)
        return
    how = f"{told.stored.bytes:,} bytes, made {moment(told.made_at)} by dssync {told.dssync}"
    yield from sentence(f"{checked.name} at {checked.place}: {how}", width, tone="head")
    for remote in told.remotes:
        newest = f"snapshot {remote.snapshots[-1].run}" if remote.snapshots else "no snapshot"
        counts = f"{counted(remote.datasets, 'dataset')} and {counted(remote.items, 'item')}"
        yield from sentence(f"  {remote.name}: {counts}, {newest}", width, "", "    ")
    if checked.exit_code:
        yield from sentence("it is not as it was made", width, tone="error")
        yield from sentence("hint: older copies may be whole: dssync verify --copy NAME", width)
    elif checked.verified:
        yield from sentence(f"{looked_at(checked.verified)}; so is every byte of the copy", width)
    else:
        yield from sentence(
            "proved: the manifest, and that every stored byte is as it was made; not that it opens,"
            " which needs the key: --identity FILE",
            width,
        )


def copy_json(checked: "Checked") -> Document:
    """Return what was found of a copy for programs."""
    manifest: Any = None
    if checked.manifest:
        import msgspec

        manifest = msgspec.to_builtins(checked.manifest)
    return {
        "copy": checked.name,
        "place": checked.place,
        "opened": checked.opened,
        "faults": list(checked.faults),
        "rows": checked.verified.rows if checked.verified else None,
        "damaged": checked.verified.damaged if checked.verified else None,
        "damages": [asdict(each) for each in checked.damages],
        "manifest": manifest,
    }


@dataclass(frozen=True, slots=True)
class CopyView:
    """Shows how a copy was found."""

    checked: "Checked"

    def json(self) -> Document:
        """Return what was found for programs."""
        return copy_json(self.checked)

    def draw(self, screen: Screen) -> None:
        """Print what was found for people."""
        screen.data(copy_lines(self.checked, screen.width))


@dataclass(frozen=True, slots=True)
class DrillView:
    """Shows what a drill found; `kept` is where the mirror was left, if anywhere."""

    done: "Drilled"
    kept: Path | None = None

    def json(self) -> Document:
        """Return what was found for programs."""
        return {
            **copy_json(self.done.checked),
            "kept": None if self.kept is None else str(self.kept),
            "remotes": [_remote_json(each) for each in self.done.remotes],
        }

    def draw(self, screen: Screen) -> None:
        """Print what was found for people."""
        screen.data(self.lines(screen.width))

    def lines(self, width: int) -> Iterator[Line]:
        """Say what was found."""
        yield from copy_lines(self.done.checked, width)
        for each in self.done.remotes:
            yield from _remote_lines(each, width)
        if self.kept:
            yield from sentence(f"the mirror of the copy is at {self.kept}", width)
        yield OUTCOMES.get(self.done.exit_code, FAILED)


def _remote_lines(each: "Rehearsed", width: int) -> Iterator[Line]:
    for difference in each.differences[:SHOWN]:
        yield from sentence(_difference(each.remote, difference), width, tone="error")
    if len(each.differences) > SHOWN:
        yield Line(f"and {len(each.differences) - SHOWN:,} more")
    if each.snapshot is None:
        yield from sentence(
            f"{each.remote}: the copy has no snapshot of it, so nothing was restored", width
        )
        return
    if each.trouble:
        yield from sentence(f"{each.remote}: {each.trouble.message}", width, tone="error")
        return
    same = "every one as it was" if not each.differences else "not all as they were"
    run = f"snapshot {each.snapshot.run}"
    yield from sentence(
        f"{each.remote}: {run} restored and read back, {counted(each.records, 'record')} compared:"
        f" {same}",
        width,
    )
    if each.left:
        yield from sentence(
            f"  {counted(len(each.left), 'record')} cannot be restored to any server, such as"
            f" {each.left[0].kind} {each.left[0].key}: {each.left[0].reason}",
            width,
            "",
            "    ",
        )


def _difference(remote: str, each: "Difference") -> str:
    fields = f" ({', '.join(each.fields)})" if each.fields else ""
    return (
        f"damaged: {title(each.kind, each.label, each.key)}, {remote}: {FOUND[each.found]}{fields}"
    )


def _remote_json(each: "Rehearsed") -> Document:
    return {
        "remote": each.remote,
        "snapshot": each.snapshot.run if each.snapshot else None,
        "compared": each.records,
        "left": [asdict(left) for left in each.left],
        "differences": [asdict(difference) for difference in each.differences],
        "trouble": asdict(each.trouble) if each.trouble else None,
    }
