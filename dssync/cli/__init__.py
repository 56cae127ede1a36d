"""The command line: one short file per command; what people see is drawn in `render`."""

from typing import NoReturn


def main() -> NoReturn:
    """Run `dssync` with the arguments of this process, and end with its exit code."""
    from dssync.cli.app import run_process

    run_process()
