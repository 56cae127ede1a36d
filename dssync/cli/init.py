"""`dssync init`."""

from dssync.cli.command import command
from dssync.cli.context import Context
from dssync.cli.exits import OPENING
from dssync.cli.render.view import ForPrograms

TEMPLATE = """\
# The mirror's file, from this folder.
mirror = "mirror.db"

# Remotes are added by `dssync remote add NAME --environment ID`, or by hand:
#
# [remotes.prod]
# host = "https://us.posthog.com"
# environment = 123
# key_env = "PROD_KEY"        # or key_file, key_command, key_keyring
"""


@command("init", exits=OPENING)
def init(context: Context) -> int:
    """Make a configuration and an empty mirror here.

    What exists already stays as it is. A mirror needs no `init`: a first pull makes it, too.
    """
    settings = context.settings()
    if not settings.file.exists():
        settings.file.write_text(TEMPLATE, encoding="utf-8")
    with context.mirror(context.settings(), create=True) as mirror:
        context.tell(
            f"configuration: {settings.file}",
            f"mirror: {mirror.path}",
            "next: dssync remote add NAME --environment ID, then dssync pull",
        )
        made = {"configuration": str(settings.file), "mirror": str(mirror.path)}
        return context.finish(ForPrograms(made))
