"""The command tree, and what happens to errors.

A command's module is imported only when that command runs, and what draws results and errors only
when there is one, so `--version`, `--help` and completion need nothing but click.
"""

import signal
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from importlib import import_module
from types import TracebackType
from typing import NoReturn

import click
from click.shell_completion import CompletionItem

from dssync.cli.command import Branch
from dssync.cli.context import screen_of
from dssync.cli.options import Given, common_options
from dssync.errors import DssyncError, Interrupted, UsageError

COMMANDS: Mapping[str, tuple[str, str]] = {
    "init": ("init:init", "Make a configuration and an empty mirror here."),
    "remote": ("remote:remote", "Name the environments and projects to mirror."),
    "pull": ("pull:pull", "Mirror what the remotes hold."),
    "status": ("status:status", "Show what changed here and how old the mirror is."),
    "diff": ("diff:diff", "Show what a push would send, field by field."),
    "push": ("push:push", "Send what changed here."),
    "sync": ("sync:sync", "Pull, then push."),
    "list": ("list:list_records", "List the datasets, or the items of one."),
    "show": ("show:show", "Show one record in full."),
    "search": ("search:search", "Find records by the words in them."),
    "set": ("set:set_field", "Set a field, or a part of one."),
    "new": ("new:new", "Make a dataset or an item."),
    "edit": ("edit:edit", "Edit a dataset or an item in your editor."),
    "delete": ("delete:delete", "Mark records deleted."),
    "undelete": ("undelete:undelete", "Bring deleted records back."),
    "revert": ("revert:revert", "Drop local edits."),
    "export": ("export:export", "Write the working copy as files."),
    "import": ("import_:import_files", "Bring edits in files back."),
    "datasette": ("datasette:datasette", "Print what Datasette should say of the mirror."),
    "resolve": ("resolve:resolve", "Settle conflicts."),
    "log": ("log:log", "Tell what happened, to a run or a record."),
    "undo": ("undo:undo", "Take a push back."),
    "backup": ("backup:backup", "Pull, verify, copy off-site, forget: for a nightly job."),
    "drill": ("drill:drill", "Take a copy through all that a restore needs, and compare."),
    "bundle": ("bundle:bundle", "Write a remote at a snapshot as one file for decades."),
    "restore": ("restore:restore", "Make the working copy equal the past."),
    "migrate": ("migrate:migrate", "Copy datasets with their items into another remote."),
    "forget": ("forget:forget", "Forget snapshots that a policy does not keep."),
    "snapshots": ("snapshots:snapshots", "List what can be gone back to."),
    "verify": ("verify:verify", "Prove what the mirror holds, and that it is what the server has."),
    "doctor": ("doctor:doctor", "List what the server cannot show, and repair it."),
    "sandbox": ("sandbox:sandbox", "Serve a PostHog-compatible server to try things on."),
    "completion": ("completion:completion", "Print what makes your shell complete names."),
    "demo": ("demo:demo", "Show the whole loop in a minute."),
}
"""Each command by name: where it is, and its short help."""


HIDDEN: Mapping[str, str] = {"__complete": "answering:answer"}
"""What only the scripts of `completion` call."""


class Tree(Branch):
    """The root: commands are found by name and imported when they are needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands, in the order in which they are met."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        place = HIDDEN.get(cmd_name) or COMMANDS.get(cmd_name, ("",))[0]
        if not place:
            return None
        module, _, name = place.partition(":")
        found: click.Command = getattr(import_module(f"dssync.cli.{module}"), name)
        return found

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
        """Complete a command's name, or an option, importing nothing."""
        options = click.Command.shell_complete(self, ctx, incomplete)
        found = [
            (name, text) for name, (_, text) in COMMANDS.items() if name.startswith(incomplete)
        ]
        return [*(CompletionItem(name, help=text) for name, text in found), *options]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table, importing nothing."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group("dssync", cls=Tree, no_args_is_help=False)
@common_options
@click.version_option(package_name="dssync", message="dssync %(version)s")
def app() -> None:
    """Mirror PostHog datasets into a local database, edit them there, and push changes back."""


def run_process() -> NoReturn:
    """Run this process's arguments and end with the exit code."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    given = Given()
    sys.excepthook = partial(_report_unexpected, given)
    sys.exit(run(sys.argv[1:], given))


def run(arguments: Sequence[str], given: Given) -> int:
    """Run a command and return its exit code; an expected error is a sentence and a code."""
    given.json = "--json" in arguments  # also for a usage error that stands before it
    try:
        return int(app.main(list(arguments), "dssync", standalone_mode=False, obj=given) or 0)
    except DssyncError as error:
        return _fail(given, error)
    except click.Abort:
        return _fail(given, Interrupted(signal.SIGINT))
    except click.UsageError as error:
        return _fail(given, _usage_error(given, error))


def _usage_error(given: Given, error: click.UsageError) -> UsageError:
    path = error.ctx.command_path if error.ctx else "dssync"
    given.command = path.partition(" ")[2]
    return UsageError(error.format_message(), hint=f"{path} --help")


def _fail(given: Given, error: DssyncError) -> int:
    from dssync.cli.render.document import error_document
    from dssync.cli.render.error import sentence_lines

    screen = screen_of(given)
    if given.json:
        screen.document(error_document(given.command, error))
    width = screen.width if screen.err.isatty() else None
    screen.warn(sentence_lines(error.message, error.hint, width))
    return error.exit_code


def _report_unexpected(
    given: Given,
    kind: type[BaseException],
    error: BaseException,
    trace: TracebackType | None,
) -> None:
    from dssync.cli.render.error import traceback_lines, unexpected

    if given.verbose:
        screen_of(given).warn(traceback_lines(error))
    _fail(given, unexpected(error))
