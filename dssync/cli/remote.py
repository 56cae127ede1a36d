"""`dssync remote …`."""

from typing import TYPE_CHECKING

import click

from dssync.cli.command import branch, command
from dssync.cli.completing import configured, files
from dssync.cli.context import Context
from dssync.cli.exits import ASKING
from dssync.cli.render.receipt import trouble_lines
from dssync.cli.render.view import ForPrograms
from dssync.core.receipt import worst
from dssync.errors import UsageError

if TYPE_CHECKING:
    from dssync.keys import KeySource

remote = branch("remote", "Name the environments and projects to mirror.")


@command("add", parent=remote)
@click.argument("name")
@click.option("--host", metavar="URL", help="Its PostHog; us and eu for short. Without it: us.")
@click.option("--environment", metavar="ID", type=int, help="The environment's number.")
@click.option("--project", metavar="ID", type=int, help="The project's number.")
@click.option("--key-env", metavar="VAR", help="The key is in this environment variable.")
@click.option("--key-file", metavar="PATH", shell_complete=files, help="The key is in this file.")
@click.option("--key-command", metavar="COMMAND", help="This command prints the key.")
@click.option("--key-keyring", metavar="SERVICE", help="The key is in the keyring, under this.")
def add(
    context: Context,
    name: str,
    host: str | None,
    environment: int | None,
    project: int | None,
    **keys: str | None,
) -> int:
    """Add a remote to the configuration.

    Without a --key option the key is taken from PostHog's own variables, such as
    POSTHOG_PERSONAL_API_KEY. A key itself is never written on a command line.
    """
    from dssync.cli.render.remotes import remote_json
    from dssync.config import add_remote
    from dssync.hosts import host_notice

    settings = context.settings()
    added = add_remote(
        settings, name, host=host, environment=environment, project=project, key=_key(keys)
    )
    notice = host_notice(host) if host else ""
    context.tell(
        *filter(None, [notice]),
        f"added {added.name}: {added.host}, {added.scope} {added.id}, in {settings.file}",
        f"next: dssync remote check -r {added.name}, then dssync pull",
    )
    return context.finish(ForPrograms(remote_json(added)))


def _key(keys: dict[str, str | None]) -> "KeySource | None":
    from dssync.keys import KEY_KINDS, KeySource

    found = [KeySource(kind, value) for kind in KEY_KINDS if (value := keys[kind]) is not None]
    if len(found) > 1:
        raise UsageError("a key comes from one place", hint="give one --key option")
    return found[0] if found else None


@command("list", parent=remote)
def list_remotes(context: Context) -> int:
    """List the configured remotes.

    Columns: name, host, scope, id, and where the key comes from.
    """
    from dssync.cli.render.remotes import RemotesView

    return context.finish(RemotesView(list(context.settings().remotes.values())))


@command("check", parent=remote, exits=ASKING)
def check(context: Context) -> int:
    """Try each remote: its key, the key's scopes, the contract, the clock.

    Nothing is changed: whether the key may write is found out by an empty change of a record that
    does not exist.
    """
    from dssync.cli.checking import check as check_all
    from dssync.cli.render.remotes import ChecksView

    remotes = context.remotes(context.settings())
    with context.watching(context.session()) as session:
        checks = check_all(remotes, session)
    context.finish(ChecksView(checks))
    troubles = [found.trouble for found in checks if found.trouble]
    context.screen.warn(trouble_lines(troubles, context.screen.width))
    return worst(trouble.exit_code for trouble in troubles)


@command("remove", parent=remote)
@click.argument("name", shell_complete=configured)
def remove(context: Context, name: str) -> int:
    """Take a remote out of the configuration; the mirror keeps its records."""
    from dssync.config import remove_remote

    settings = context.settings()
    remove_remote(settings, name)
    context.tell(f"removed {name} from {settings.file}; the mirror keeps its records")
    return context.finish(ForPrograms({"removed": name}))
