"""What every command owes: --json, help, exit codes, and a quick start."""

import subprocess
import sys
from collections.abc import Iterator

import click
import pytest

from dssync.cli.app import COMMANDS, app
from dssync.cli.command import Leaf
from dssync.cli.exits import ALWAYS, MEANINGS
from tests.cli.shell import Shell

HEAVY = {"httpx", "sqlalchemy", "alembic", "rich", "werkzeug", "msgspec", "sqlite3", "tomlkit"}
COMMON = {"folder", "mirror", "remotes", "quiet", "verbose", "json", "no_input", "no_color"}


def leaves(
    command: click.Command, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    if not isinstance(command, click.Group):
        yield path, command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        assert found is not None
        yield from leaves(found, (*path, name))


LEAVES = [pytest.param(path, leaf, id=" ".join(path)) for path, leaf in leaves(app, ())]


def test_the_tree_has_leaves_on_every_branch() -> None:
    assert {path.values[0][0] for path in LEAVES} == set(COMMANDS)  # type: ignore[index]


@pytest.mark.parametrize(("path", "leaf"), LEAVES)
def test_every_command_takes_the_common_options(path: tuple[str, ...], leaf: Leaf) -> None:
    assert {parameter.name for parameter in leaf.params} >= COMMON


@pytest.mark.parametrize(("path", "leaf"), LEAVES)
def test_every_command_has_help_that_fits(path: tuple[str, ...], leaf: Leaf, dssync: Shell) -> None:
    shown = dssync(*path, "--help").well().out
    assert max(map(len, shown.splitlines())) <= 80
    said, _, codes = shown.partition("\nExit codes:\n")
    assert len(said.split("\n\n")[1]) > 10
    for code in {*leaf.exits, *ALWAYS}:
        assert f"\n  {code:<5}{MEANINGS[code]}" in f"\n{codes}"


@pytest.mark.parametrize(("path", "leaf"), LEAVES)
def test_every_option_and_argument_is_explained(path: tuple[str, ...], leaf: Leaf) -> None:
    for parameter in leaf.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_says_what_the_command_says(name: str) -> None:
    command = app.get_command(click.Context(app), name)
    assert command is not None
    assert command.name == name
    assert f"{command.get_short_help_str(100).rstrip('.')}." == COMMANDS[name][1]


@pytest.mark.parametrize("words", [("--version",), ("--help",)])
def test_the_start_imports_nothing_heavy(words: tuple[str, ...]) -> None:
    program = (
        "import sys; from dssync.cli.app import run; from dssync.cli.options import Given;"
        f"code = run({words!r}, Given());"
        "print('|', *sys.modules, file=sys.stderr); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0
    assert set(done.stderr.partition("|")[2].split()) & HEAVY == set()
    assert "dssync" in done.stdout


@pytest.mark.parametrize(
    "words", [("--json", "list"), ("list", "--json"), ("-q", "--json", "list", "-q")]
)
def test_common_options_stand_before_and_after(offline: Shell, words: tuple[str, ...]) -> None:
    document = offline(*words).well().document
    assert document["command"] == "list"
    assert document["schema_version"] == 1


def test_common_options_stand_inside_a_group(dssync: Shell) -> None:
    for words in (("remote", "--json", "list"), ("--json", "remote", "list")):
        document = dssync(*words).well().document
        assert document["command"] == "remote list"


def test_remotes_add_up_wherever_they_stand(offline: Shell) -> None:
    assert offline("-r", "project-1", "list", "-r", "project-1").well().out
    failed = offline("-r", "project-1", "list", "-r", "other")
    assert failed.code == 2
    assert "the mirror holds no remote other" in failed.err
