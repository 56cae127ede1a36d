"""TAB in the shells themselves: what they then hand to the program is what was meant.

Needs zsh and fish for theirs (on Debian: apt-get install zsh fish); a shell that is not there is
skipped, and says so.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.shell import Shell
from tests.cli.terminals import SHELLS, Terminal, found

QUOTES = 'it\'s "so" $HOME `x` \\ & {a,b} *'

PARAMETERS = [
    pytest.param(
        shell,
        marks=pytest.mark.skipif(
            not found(shell), reason=f"{shell} is not installed, so no TAB was pressed in it"
        ),
    )
    for shell in SHELLS
]


@pytest.fixture
def named(disputed: Shell, folder: Path) -> Path:
    """Return the folder of a mirror with names that a shell would love to take apart."""
    with closing(sqlite3.connect(folder / "mirror.db", isolation_level=None)) as sql:
        for name in (QUOTES, "Deploy: prod", "a=b@c", "Kyōto 日本", "Smile"):
            sql.execute("INSERT INTO datasets (name) VALUES (?)", (name,))
    return folder


TYPED = {
    "dssync stat\t": ["status"],
    "dssync show Sup\t": ["show", "Support triage"],
    'dssync show "Sup\t': ["show", "Support triage"],
    "dssync show 'Support t\t": ["show", "Support triage"],
    "dssync show Support\\ t\t": ["show", "Support triage"],
    "dssync show it\t": ["show", QUOTES],
    "dssync show Deploy:\t": ["show", "Deploy: prod"],
    "dssync show a=\t": ["show", "a=b@c"],
    "dssync show Ky\t": ["show", "Kyōto 日本"],
    "dssync export --dataset=Sup\t x": ["export", "--dataset=Support triage", "x"],
    "dssync set Small desc\t x": ["set", "Small", "description", "x"],
    "dssync -C work\t list Sup\t": ["-C", "workshop", "list", "Support triage"],
    "dssync remote rem\t pr\t": ["remote", "remove", "prod"],
}
"""What is typed, and what the program must be called with."""


@pytest.mark.parametrize("shell", PARAMETERS)
def test_what_a_tab_makes_of_a_line(named: Path, shell: str) -> None:
    (named / "workshop").symlink_to(named)
    (named / "dssync.toml").write_text("[remotes.prod]\nproject = 1\n")
    called = Terminal(shell, named).words(list(TYPED))
    said = [[word.rstrip("/") for word in words] for words in called]  # zsh takes it away again
    assert dict(zip(TYPED, said, strict=True)) == TYPED
