"""`dssync pull`."""

import click

from dssync.cli.command import command
from dssync.cli.context import Context
from dssync.cli.exits import ASKING, OPENING
from dssync.cli.options import max_delete_option, max_wait_option, wait_option
from dssync.cli.render.pending import pending_json
from dssync.cli.render.view import ForPrograms
from dssync.core.brakes import Limit


@command("pull", exits=(*ASKING, *OPENING, 8))
@click.option("--environment", metavar="ID", type=int, help="Only this environment.")
@click.option("--project", metavar="ID", type=int, help="Only this project.")
@click.option("--host", metavar="URL", help="Its PostHog; us and eu for short.")
@max_delete_option
@wait_option
@max_wait_option
def pull(
    context: Context,
    environment: int | None,
    project: int | None,
    host: str | None,
    limit: Limit | None,
    wait: float,
    max_wait: float | None,
) -> int:
    """Mirror what the remotes hold.

    What was edited here stays; a conflict is news, not a failure. A mirror that does not exist yet
    is made. With --environment or --project no configuration is needed.
    """
    from dssync.sync import make_plan
    from dssync.sync import pull as pull_all

    settings = context.settings(host=host, environment=environment, project=project)
    remotes = context.remotes(settings)
    with context.mirror(settings, create=True) as mirror:
        with context.watching(context.session(wait, max_wait)) as session:
            receipt = pull_all(mirror, remotes, session, limit=limit)
        context.tell_receipt(receipt)
        pending = make_plan(mirror)
    result = ForPrograms({"pending": pending_json(pending)})
    return context.finish(result, receipt=receipt, pending=pending)
