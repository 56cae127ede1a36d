"""`dssync demo`."""

import signal
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import NoReturn

from dssync.cli.command import command
from dssync.cli.context import Context
from dssync.cli.render.view import ForPrograms
from dssync.core.receipt import Exit

NOT_AS_EXPECTED = 9


@command("demo", exits=(NOT_AS_EXPECTED,))
def demo(context: Context) -> int:
    """Show the whole loop in a minute.

    Starts a sandbox, pulls it into a temporary folder, edits offline, pushes, and compares what
    the server holds in the end with what it should hold. Nothing stays behind.
    """
    from dssync.cli.rehearsal import Stage, script
    from dssync.cli.verifying import compare, expected
    from dssync.sandbox import SANDBOX_KEY, Sandbox, load_sample, serve

    signal.signal(signal.SIGTERM, _leave)
    server = Sandbox()
    load_sample(server.state)
    with TemporaryDirectory(prefix="dssync-demo-") as folder, serve(server) as url:
        stage = Stage(context, Path(folder), SANDBOX_KEY)
        failed = stage.play(script(url))
        wanted = expected()
        wrong = compare(url, SANDBOX_KEY, wanted)
    if failed:
        wrong.insert(0, f"`{failed.command}` ended with {failed.code}")
    for sentence in wrong:
        stage.say(f"demo: {sentence}")
    if not wrong:
        stage.say(f"demo: all {len(wanted)} records on the server are as they should be")
    context.finish(ForPrograms({"compared": len(wanted), "wrong": wrong}))
    return NOT_AS_EXPECTED if wrong else Exit.DONE


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    """End as a signal does, but let go of the server and the folder first."""
    raise SystemExit(128 + number)
