"""`dssync sandbox`."""

import threading

import click

from dssync.cli.command import command
from dssync.cli.context import Context
from dssync.cli.render.view import ForPrograms
from dssync.errors import UsageError


@command("sandbox")
@click.option("--port", metavar="PORT", type=int, default=0, help="A port; without it: any free.")
@click.option("--sample", is_flag=True, help="Load the bundled sample; this is the default.")
@click.option("--datasets", metavar="N", type=int, help="Make N datasets instead.")
@click.option("--items", metavar="N", type=int, help="Make N items in all.")
@click.option("--seed", metavar="N", type=int, default=0, help="Make other data of that size.")
def sandbox(
    context: Context, port: int, sample: bool, datasets: int | None, items: int | None, seed: int
) -> int:
    """Serve a PostHog-compatible server to try things on.

    It is reached from this machine only, holds everything in memory, and ends with Ctrl-C.
    """
    from dssync.sandbox import SANDBOX_KEY, Sandbox, generate, load_sample, serve

    server = Sandbox()
    if sample or (datasets is None and items is None):
        load_sample(server.state)
    if datasets is not None or items is not None:
        counts = {"datasets": datasets, "items": items}
        asked = {name: count for name, count in counts.items() if count is not None}
        generate(server.state, seed=seed, **asked)
    try:
        with serve(server, port) as url:
            context.tell(*_instructions(url, SANDBOX_KEY))
            context.finish(ForPrograms({"url": url, "project": 1, "key": SANDBOX_KEY}))
            threading.Event().wait()
    except KeyboardInterrupt:
        context.tell("the sandbox has ended")
    except OSError as error:
        raise UsageError(f"port {port} cannot be used: {error.strerror}") from None
    return 0


def _instructions(url: str, key: str) -> tuple[str, ...]:
    return (
        f"sandbox: {url}, project 1, key {key}; Ctrl-C ends it",
        "to try it, in another terminal:",
        f"  export POSTHOG_HOST={url}",
        "  export POSTHOG_PROJECT_ID=1",
        f"  export POSTHOG_PERSONAL_API_KEY={key}",
        "  dssync pull",
    )
