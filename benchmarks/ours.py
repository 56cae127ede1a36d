"""dssync's own pull, as a program would call it."""

from pathlib import Path

from dssync.config import load
from dssync.mirror import Mirror
from dssync.sync import Session, pull


def run(url: str, path: Path, rows_a_page: int, in_flight: int) -> None:
    """Pull into a mirror, a new one or one that has everything already."""
    env = {
        "POSTHOG_PERSONAL_API_KEY": "phx_benchmark",
        "POSTHOG_HOST": url,
        "POSTHOG_ENVIRONMENT_ID": "1",
    }
    remotes = list(load(path.parent, env).remotes.values())
    with Mirror.open(path, create=True) as mirror:
        receipt = pull(mirror, remotes, Session(env=env, page=rows_a_page, ahead=in_flight))
    if receipt.exit_code:
        raise SystemExit(f"the pull ended with {receipt.exit_code}: {receipt.troubles}")
