"""`dssync bundle`."""

from pathlib import Path

import click

from dssync.cli.command import command
from dssync.cli.completing import snapshots
from dssync.cli.context import Context
from dssync.cli.exits import OPENING
from dssync.errors import UsageError


@command("bundle", exits=(5, *OPENING))
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("directory", metavar="[DIR]", type=click.Path(path_type=Path), required=False)
@click.option(
    "--at",
    metavar="SNAPSHOT|TIME",
    shell_complete=snapshots,
    help="This snapshot; without it, the newest.",
)
@click.option("--force", is_flag=True, help="Replace FILE.")
@click.option("--extract", is_flag=True, help="Unpack FILE into DIR instead, once it is proved.")
def bundle(
    context: Context, file: Path, directory: Path | None, at: str | None, force: bool, extract: bool
) -> int:
    """Write a remote at a snapshot as one file for decades.

    FILE needs no dssync to be read: it is a tar archive, compressed with Zstandard, of JSON Lines
    and a manifest with the digest of each. `tar --zstd -xf FILE` unpacks it; where tar cannot,
    --extract does. The same snapshot gives the same bytes. It is read back before it gets its name,
    and never made of a snapshot that the mirror no longer holds whole (exit 9). Edits that were not
    pushed are not in it.

    SNAPSHOT is a run's number. TIME is such as 2026-11-23T18:00:00Z, or a day, which means its end
    in UTC, and names the newest snapshot taken by then.
    """
    from dssync.cli.render.bundle import BundleView
    from dssync.core.moment import chosen
    from dssync.files import bundle as files
    from dssync.sync.verifier import prove, read_snapshots

    place = context.given.folder / file
    if extract:
        if directory is None or at is not None or force:
            raise UsageError("--extract takes FILE and DIR, and no other option of its own")
        view = BundleView(files.extract(place, context.given.folder / directory), directory)
    else:
        if directory is not None:
            raise UsageError("a bundle is one FILE", hint="DIR goes with --extract")
        files.refuse_place(place, force=force)
        with context.mirror() as mirror:
            names = context.chosen(mirror)
            if len(names) > 1:
                raise UsageError("a bundle is of one remote", hint="name one: -r NAME")
            remote = files.choose(mirror, next(iter(names), None))
            snapshot = chosen(read_snapshots(mirror, [remote]), at, remote)
            prove(mirror, snapshot)
            view = BundleView(
                files.write(mirror, place, remote=remote, at=str(snapshot.run), force=force)
            )
    context.screen.tell(view.lines(context.screen.width))
    return context.finish(view)
