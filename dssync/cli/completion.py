"""`dssync completion`."""

from importlib.resources import files

import click

from dssync.cli.command import command
from dssync.cli.context import Context
from dssync.cli.render.completion import ScriptView

SHELLS = ("bash", "zsh", "fish")


@command("completion")
@click.argument("shell", metavar="SHELL", type=click.Choice(SHELLS))
def completion(context: Context, shell: str) -> int:
    """Print what makes your shell complete names.

    Commands, options, remotes, datasets, keys, runs and fields are then completed by TAB; that
    needs no network and no key. The line to put into ~/.bashrc, or into ~/.zshrc after compinit,
    with zsh for bash:

    \b
        eval "$(dssync completion bash)"

    In fish, once:

    \b
        dssync completion fish > ~/.config/fish/completions/dssync.fish
    """  # noqa: D301 - \b keeps a line as it is
    script = files("dssync.cli").joinpath("scripts", shell).read_text(encoding="utf-8")
    return context.finish(ScriptView(shell, script))
