"""How a command is declared: its options in two groups, its exit codes in its help."""

import re
from collections.abc import Callable, Mapping
from functools import wraps

import click

from dssync.cli.context import Context
from dssync.cli.exits import explained
from dssync.cli.options import CommonOption, common_options
from dssync.errors import UsageError

Body = Callable[..., int]
"""What a command does: it is handed its context and its own options, and returns an exit code."""


_HALF = re.compile("[\ud800-\udfff]")
"""What bytes that are no text become on a command line, and nothing can store."""


class Leaf(click.Command):
    """A command that does something."""

    exits: tuple[int, ...] = ()

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the command's own options, then those that every command has."""
        _write_options(self, ctx, formatter)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the exit codes."""
        with formatter.section("Exit codes"):
            formatter.write_dl(explained(self.exits))


def _write_options(
    command: click.Command, ctx: click.Context, formatter: click.HelpFormatter
) -> None:
    own: list[tuple[str, str]] = []
    common: list[tuple[str, str]] = []
    for parameter in command.get_params(ctx):
        record = parameter.get_help_record(ctx)
        # what an argument means stands in the text above, if a click lists it at all
        if record is not None and isinstance(parameter, click.Option):
            (common if isinstance(parameter, CommonOption) else own).append(record)
    for title, records in (("Options", own), ("Options of every command", common)):
        if records:
            with formatter.section(title):
                formatter.write_dl(records)


class Branch(click.Group):
    """A group of commands; it takes the common options, too."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, then the commands."""
        _write_options(self, ctx, formatter)
        self.format_commands(ctx, formatter)


def command(
    name: str, *, parent: click.Group | None = None, exits: tuple[int, ...] = ()
) -> Callable[[Body], Leaf]:
    """Declare a command; `exits` are the exit codes it has besides those that all have."""

    def declare(body: Body) -> Leaf:
        @wraps(body)
        @click.pass_context
        def run(ctx: click.Context, /, **options: object) -> int:
            context = Context.of(ctx)
            _refuse_no_text(options)
            return body(context, **options)

        leaf: Leaf = click.command(name, cls=Leaf)(common_options(run))
        leaf.exits = exits
        _let_own_win(leaf)
        if parent is not None:
            parent.add_command(leaf)
        return leaf

    return declare


def _refuse_no_text(options: Mapping[str, object]) -> None:
    """Raise UsageError for bytes that are no text in this locale; a path may have them."""
    for value in options.values():
        for text in value if isinstance(value, tuple) else (value,):
            if isinstance(text, str) and not text.isascii() and _HALF.search(text):
                raise UsageError(
                    f"{text!r} is no text", hint="write it in the encoding of your terminal"
                )


def _let_own_win(leaf: Leaf) -> None:
    """Take from the common options the long names that mean something else to this command."""
    own = {name for p in leaf.params if not isinstance(p, CommonOption) for name in p.opts}
    for parameter in leaf.params:
        if isinstance(parameter, CommonOption):
            parameter.opts = [name for name in parameter.opts if name not in own or len(name) == 2]


def branch(name: str, text: str) -> Branch:
    """Declare a group of commands with its help text."""

    @click.group(name, cls=Branch, help=text, no_args_is_help=False)
    @common_options
    def group() -> None:
        """Do nothing by itself."""

    return group
