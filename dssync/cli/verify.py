"""`dssync verify`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from dssync.cli.command import command
from dssync.cli.context import Context
from dssync.cli.exits import ASKING, OPENING
from dssync.cli.options import max_wait_option, read_size
from dssync.cli.render.text import Line
from dssync.core.sampling import Size
from dssync.errors import UsageError

if TYPE_CHECKING:
    from dssync.sync.comparing import Sample


@command("verify", exits=(*(code for code in ASKING if code != 3), *OPENING))
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option(
    "--remote", "live", is_flag=True, help="Hold the newest snapshot against the server, too."
)
@click.option(
    "--sample", metavar="N|P%", type=read_size, help="Ask for so many records, chosen at random."
)
@click.option("--seed", metavar="N", type=int, help="Choose the same sample again.")
@max_wait_option
def verify(
    context: Context,
    file: Path | None,
    live: bool,
    sample: Size | None,
    seed: int | None,
    max_wait: float | None,
) -> int:
    """Prove what the mirror holds, and that it is what the server has.

    Reads the file, the digest of every row, present and past, every record's past for gaps and
    overlaps, and adds every snapshot up again. Each damaged thing is named, with the snapshots it
    belongs to and what to type next. Writes nothing, and works where nothing can be written.

    With --remote both lists are read from the server, by GETs only, and every record is held
    against the newest snapshot: what was changed there since, is new, gone or unreadable, and what
    differs although the server did not change it, which is damage here. --sample asks for some
    records only, and says what that is worth.

    With FILE a bundle is proved instead, which needs no mirror.
    """
    from dssync.cli.render.verify import VerifyView
    from dssync.sync.verifier import verify as prove

    if not live and (sample is not None or seed is not None):
        raise UsageError("--sample and --seed belong to --remote")
    if file is not None:
        if live:
            raise UsageError("a bundle cannot be held against a server", hint="leave out --remote")
        return _prove_bundle(context, context.given.folder / file)
    settings = context.settings()
    with context.mirror(settings) as mirror:
        names = context.chosen(mirror)
        found = prove(mirror, names)
        compared = []
        wanted = _sample(sample, seed) if sample else None
        if live:
            from dssync.sync.comparing import compare_remotes

            remotes = context.remotes(settings)
            with context.watching(context.session(max_wait=max_wait)) as session:
                compared = compare_remotes(mirror, remotes, session, wanted)
        view = VerifyView(found, compared, wanted)
        context.finish(view)
        return view.exit_code


def _sample(size: Size, seed: int | None) -> "Sample":
    from secrets import randbelow

    from dssync.sync.comparing import Sample

    return Sample(size, randbelow(1_000_000) if seed is None else seed)


def _prove_bundle(context: Context, file: Path) -> int:
    from dssync.cli.render.bundle import BundleView
    from dssync.files import bundle

    view = BundleView(bundle.check(file))
    context.screen.tell(view.lines(context.screen.width))
    context.screen.tell([Line("  proved: every byte, line and record")])
    return context.finish(view)
