"""`dssync datasette`."""

from dssync.cli.command import command
from dssync.cli.context import Context
from dssync.cli.exits import OPENING
from dssync.cli.render.datasette import MetadataView


@command("datasette", exits=OPENING)
def datasette(context: Context) -> int:
    """Print what Datasette should say of the mirror.

    Titles, descriptions and recipes as Datasette's metadata, for the mirror by its file's name.
    Save it, then serve the mirror: datasette mirror.db -m metadata.json
    """
    from dssync.mirror.described import metadata

    with context.mirror() as mirror:
        return context.finish(MetadataView(metadata(mirror.path.stem)))
