"""Each import wall is kept as the package stands, and broken by one import across it."""

import shutil
import subprocess
import sysconfig
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINTER = Path(sysconfig.get_path("scripts")) / "lint-imports"
WALLS = {
    wall["id"]: wall["name"]
    for wall in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
        "contracts"
    ]
}

BREACHES = [
    ("errors.py", "import dssync.core.fields", {"layers"}),
    ("core/fields.py", "import dssync.clock", {"layers", "core-pure"}),
    ("core/fields.py", "import dssync.mirror", {"layers", "core-pure"}),
    ("clock.py", "import dssync.events", {"layers"}),
    ("events.py", "import dssync.net.secret", {"layers"}),
    ("hosts.py", "import dssync.keys", {"layers"}),
    ("net/secret.py", "import dssync.mirror", {"layers"}),
    ("net/secret.py", "import dssync.posthog", {"layers"}),
    ("mirror/schema.py", "import dssync.net.secret", {"layers"}),
    ("mirror/schema.py", "import dssync.sync", {"layers"}),
    ("keys.py", "import dssync.config", {"layers"}),
    ("config.py", "import dssync.posthog", {"layers"}),
    ("posthog/wire.py", "import dssync.config", {"layers"}),
    ("posthog/wire.py", "import dssync.sync", {"layers"}),
    ("sync/planner.py", "import dssync.cli", {"layers"}),
    ("sync/planner.py", "def late():\n    import dssync.cli", {"layers"}),
    ("sync/planner.py", "if TYPE_CHECKING:\n    import dssync.cli", {"layers"}),
    ("unplaced.py", "", {"layers"}),
    ("library/mirror.py", "import dssync.cli", {"layers"}),
    ("cli/app.py", "import dssync.library", {"layers"}),
    ("sync/planner.py", "import dssync.library", {"layers"}),
    ("library/access.py", "import sqlite3", {"database"}),
    ("sync/planner.py", "import dssync.files", {"layers"}),
    ("files/__init__.py", "import dssync.backup", {"layers"}),
    ("files/importer.py", "import dssync.sync", {"layers"}),
    ("files/importer.py", "import dssync.cli", {"layers"}),
    ("mirror/working.py", "import dssync.files", {"layers"}),
    ("files/importer.py", "import sqlite3", {"database"}),
    ("files/exporter.py", "import httpx", {"http"}),
    ("backup/__init__.py", "import dssync.cli", {"layers"}),
    ("backup/heartbeat.py", "import httpx", {"http"}),
    ("notice.py", "import dssync.config", {"layers"}),
    ("sandbox/rows.py", "import dssync.errors", {"sandbox-alone"}),
    ("sandbox/rows.py", "from dssync import version", {"sandbox-alone"}),
    ("sandbox/rows.py", "import httpx", {"sandbox-alone", "http"}),
    ("sync/planner.py", "import dssync.sandbox", {"sandbox-users"}),
    ("__init__.py", "import dssync.sandbox.state", {"sandbox-users"}),
    ("core/fields.py", "import alembic", {"core-pure", "database"}),
    ("core/fields.py", "import click", {"core-pure"}),
    ("core/fields.py", "import httpx", {"core-pure", "http"}),
    ("core/fields.py", "from pathlib import Path", {"core-pure"}),
    ("core/fields.py", "import socket", {"core-pure"}),
    ("core/fields.py", "import sqlalchemy", {"core-pure", "database"}),
    ("core/fields.py", "import sqlite3", {"core-pure", "database"}),
    ("core/fields.py", "from time import sleep", {"core-pure"}),
    ("posthog/client.py", "import httpx", {"http"}),
    ("sync/session.py", "from httpx import BaseTransport", {"http"}),
    ("cli/__init__.py", "import httpx", {"http"}),
    ("sync/planner.py", "from sqlalchemy import select", {"database"}),
    ("config.py", "import sqlite3", {"database"}),
    ("cli/__init__.py", "from alembic import command", {"database"}),
]


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """Copy the package beside its settings, with the packages the walls allow for."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(
        ROOT / "dssync", tmp_path / "dssync", ignore=shutil.ignore_patterns("__pycache__")
    )
    folder = tmp_path / "dssync" / "backup"
    folder.mkdir(exist_ok=True)
    (folder / "__init__.py").touch()
    return tmp_path


def broken_walls(house: Path) -> set[str]:
    """Run the linter as `make test` does, and return the ids of the contracts it calls broken."""
    done = subprocess.run(
        [LINTER, "--no-cache", "--no-logo"],
        cwd=house,
        env={"COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    verdicts = {
        identity: verdict
        for identity, name in WALLS.items()
        for verdict in ("KEPT", "BROKEN")
        if any(line.startswith(f"{name} {verdict}") for line in done.stdout.splitlines())
    }
    assert verdicts.keys() == WALLS.keys(), done.stdout + done.stderr
    broken = {identity for identity, verdict in verdicts.items() if verdict == "BROKEN"}
    assert (done.returncode != 0) == bool(broken)
    return broken


def test_the_house_as_it_stands_keeps_every_wall(house: Path) -> None:
    assert broken_walls(house) == set()


@pytest.mark.parametrize(("module", "line", "walls"), BREACHES)
def test_an_import_across_a_wall_breaks_that_wall(
    house: Path, module: str, line: str, walls: set[str]
) -> None:
    with (house / "dssync" / module).open("a") as file:
        file.write(f"\n{line}\n")
    assert broken_walls(house) == walls


def test_every_wall_has_a_breach_that_shows_it_works() -> None:
    assert set().union(*(walls for _, _, walls in BREACHES)) == WALLS.keys()
