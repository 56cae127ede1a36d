"""`dssync __complete`, which the shells' scripts call at a TAB."""

from collections.abc import Iterable, Iterator, Sequence

import click
from click.shell_completion import CompletionItem, ShellComplete

from dssync.cli.completing import Items
from dssync.cli.options import Given
from dssync.cli.render.completion import print_answer
from dssync.core import shell as bash


@click.command(
    "__complete",
    hidden=True,
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.argument("shell")
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def answer(shell: str, words: tuple[str, ...]) -> None:
    """Answer with what can stand where the cursor is: how to complete, then a line each.

    From bash come the line up to the cursor and its part that a candidate replaces; from the
    others the words after the program's name, the last one as far as it was typed.
    """
    if shell == "bash":
        line, replaced = words
        typed = [word.text for word in bash.words(line)][1:]
        found = _found(typed)
        print_answer(_how(found), _for_bash(found, _joined(typed), line, replaced))
        return
    typed = [*words[:-1], bash.words(words[-1])[-1].text if shell == "fish" else words[-1]]
    found = _found(typed)
    print_answer(_how(found), _for_others(found, _joined(typed)))


def _found(typed: Sequence[str]) -> Items:
    from dssync.cli.app import app

    asking = ShellComplete(app, {"obj": Given()}, "dssync", "")
    return asking.get_completions(list(typed[:-1]), typed[-1])


def _how(found: Items) -> str:
    return found[0].type if found else "plain"


def _joined(typed: Sequence[str]) -> str:
    """Return what stands before a value in the same word: `--dataset=`."""
    option, sign, _ = typed[-1].partition("=")
    return option + sign if sign and option.startswith("--") and "--" not in typed[:-1] else ""


def _for_bash(
    found: Iterable[CompletionItem[str]], joined: str, line: str, replaced: str
) -> Iterator[tuple[str, str]]:
    typed = bash.words(line)[-1].text.removeprefix(joined)
    for item in found:
        text = bash.rest(line, replaced, joined + item.value)
        if text is None and item.key and item.key.startswith(typed):
            text = bash.rest(line, replaced, joined + item.key)
        if item.type == "plain" and text is not None:
            yield text, ""


def _for_others(found: Iterable[CompletionItem[str]], joined: str) -> Iterator[tuple[str, str]]:
    for item in found:
        if item.type == "plain":
            yield joined + item.value, item.help or ""
