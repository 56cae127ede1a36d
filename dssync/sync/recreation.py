"""Say what can be done about a record that the server does not bring back."""

from dssync.core.plan import Change
from dssync.errors import DssyncError, NotFound


def refusal(change: Change, error: DssyncError) -> str:
    """Return why a change failed; a refused undelete is offered to be made again."""
    if change.action == "undelete" and isinstance(error, NotFound):
        return (
            "the server answers 404 to an undelete, so it cannot bring it back; make it again:"
            f" dssync undelete {change.key} --recreate"
        )
    return error.message
