"""What `list`, `show` and `search` look like on a terminal of 80 columns."""

import pytest

from tests.cli.golden import check_screen
from tests.cli.reviewing import BOT
from tests.cli.shell import Shell

SCREENS = {
    "list.txt": ("list",),
    "list_items.txt": ("list", BOT, "--deleted"),
    "show_dataset.txt": ("show", BOT),
    "search.txt": ("search", "order"),
}


@pytest.fixture
def worked_on(offline: Shell) -> Shell:
    """A mirror in which records of every state wait."""
    first, second, *_ = offline("list", BOT).well().out.splitlines()
    offline("set", BOT, "description", "Answers of the bot, as customers saw them").well()
    offline("set", first.split("\t")[0], "/metadata/split", "test").well()
    offline("delete", second.split("\t")[0]).well()
    offline("new", "item", BOT, "--input", '"Where is my order?"').well()
    offline(
        "new", "dataset", "A dataset whose name goes on for longer than any screen is wide"
    ).well()
    return offline


@pytest.mark.parametrize("name", SCREENS)
def test_a_screen(worked_on: Shell, name: str) -> None:
    shown = worked_on(*SCREENS[name], "--no-color", terminal=True).well()
    screen = shown.out + shown.err
    assert max(map(len, screen.splitlines())) <= 80
    check_screen(name, screen)


def test_an_item_in_full(worked_on: Shell) -> None:
    edited = next(
        line for line in worked_on("list", BOT).well().out.splitlines() if line.endswith("\tedited")
    )
    check_screen(
        "show_item.txt",
        worked_on("show", edited.split("\t")[0], "--no-color", terminal=True).well().out,
    )
