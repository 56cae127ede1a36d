"""A repair as a person sees it: what would be sent, one question, then the sending."""

from dssync.cli.context import Context
from dssync.cli.render.unreadable import RepairView, repair_lines
from dssync.config import Settings
from dssync.errors import ConfigError, Declined, UsageError
from dssync.mirror import Mirror
from dssync.sync.repair import apply_repair, prepare_repair


def repair(
    context: Context, settings: Settings, mirror: Mirror, key: str, *, dry: bool, yes: bool
) -> int:
    """Show a repair, ask, and send it. Raises UsageError, ConfigError, Declined, Locked."""
    found = prepare_repair(mirror, key)
    view = RepairView(found)
    if dry:
        return context.finish(view)
    remote = settings.remotes.get(found.target.remote)
    if remote is None:
        raise ConfigError(
            f"no remote {found.target.remote} is configured",
            hint=f"dssync remote add {found.target.remote} --environment ID",
        )
    if not yes:
        screen = context.screen
        if not screen.interactive:
            raise UsageError("there is nobody to ask, so nothing was sent", hint="add -y")
        screen.warn(repair_lines(found))
        if not screen.ask(f"Send them to {remote.name} until {key} can be read?"):
            raise Declined("nothing was sent")
    with context.watching(context.session()) as session:
        receipt = apply_repair(mirror, found, remote, session)
    context.tell_receipt(receipt)
    return context.finish(view, receipt=receipt)
