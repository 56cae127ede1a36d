"""`dssync verify`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from dssync.cli.command import command
from dssync.cli.completing import files
from dssync.cli.context import Context
from dssync.cli.exits import ASKING, OPENING
from dssync.cli.options import max_wait_option, read_size
from dssync.cli.render.text import Line
from dssync.core.sampling import Size
from dssync.errors import UsageError

if TYPE_CHECKING:
    from dssync.sync.comparing import Sample


NEWEST = ""
"""What --copy means without a name."""


@command("verify", exits=(*(code for code in ASKING if code != 3), *OPENING))
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option(
    "--remote", "live", is_flag=True, help="Hold the newest snapshot against the server, too."
)
@click.option(
    "--sample", metavar="N|P%", type=read_size, help="Ask for so many records, chosen at random."
)
@click.option("--seed", metavar="N", type=int, help="Choose the same sample again.")
@click.option(
    "--copy",
    "name",
    metavar="[NAME]",
    is_flag=False,
    flag_value=NEWEST,
    help="Prove a copy off-site instead, the newest without NAME.",
)
@click.option(
    "--identity",
    metavar="KEYS",
    shell_complete=files,
    help="With --copy: the file with the secret key of age that opens it.",
)
@max_wait_option
def verify(
    context: Context,
    file: Path | None,
    live: bool,
    sample: Size | None,
    seed: int | None,
    name: str | None,
    identity: str | None,
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

    With --copy it is a copy as it lies where [offsite] says: its manifest and every byte of it,
    and with --identity also every row of the mirror in it. An encrypted copy needs no key for the
    first, and what was proved is said.
    """
    if not live and (sample is not None or seed is not None):
        raise UsageError("--sample and --seed belong to --remote")
    if identity is not None and name is None:
        raise UsageError("--identity belongs to --copy")
    if (name is not None) + (file is not None) + live > 1:
        raise UsageError("a bundle, a copy and what a server holds are proved one at a time")
    if name is not None:
        return _prove_copy(context, name, identity)
    if file is not None:
        return _prove_bundle(context, context.given.folder / file)
    return _prove_mirror(context, live, _sample(sample, seed) if sample else None, max_wait)


def _prove_mirror(
    context: Context, live: bool, wanted: "Sample | None", max_wait: float | None
) -> int:
    from dssync.cli.render.verify import VerifyView
    from dssync.sync.verifier import verify

    settings = context.settings()
    with context.mirror(settings) as mirror:
        found = verify(mirror, context.chosen(mirror))
        compared = []
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


def _prove_copy(context: Context, name: str, identity: str | None) -> int:
    import os

    from dssync.backup.checking import check_copy
    from dssync.cli.drilling import identities_of, leaving, offsite_of
    from dssync.cli.render.drill import CopyView

    offsite = offsite_of(context.settings())
    keys = identities_of(context.given.folder / identity if identity else None)
    with leaving():
        checked = check_copy(offsite, os.environ, name or None, keys)
    context.finish(CopyView(checked))
    return checked.exit_code


def _prove_bundle(context: Context, file: Path) -> int:
    from dssync.cli.render.bundle import BundleView
    from dssync.files import bundle

    view = BundleView(bundle.check(file))
    context.screen.tell(view.lines(context.screen.width))
    context.screen.tell([Line("  proved: every byte, line and record")])
    return context.finish(view)
