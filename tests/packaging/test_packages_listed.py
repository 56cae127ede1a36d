"""setup.cfg lists its packages by hand, because `find:` drops the mapped migrations."""

from configparser import ConfigParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def packages_of(root: Path) -> set[str]:
    """Return the packages of a checkout, by the Python files its folders hold."""
    folders = {
        path.parent.relative_to(root)
        for top in ("dssync", "migrations")
        for path in (root / top).rglob("*.py")
    }
    names = {".".join(folder.parts) for folder in folders}
    return {name if name.startswith("dssync") else f"dssync.{name}" for name in names}


def test_every_package_is_listed_and_every_listed_package_exists() -> None:
    settings = ConfigParser()
    settings.read(ROOT / "setup.cfg")
    listed = settings["options"]["packages"].split()
    assert sorted(listed) == sorted(packages_of(ROOT))


def test_every_package_has_its_init() -> None:
    folders = [
        path.parent for top in ("dssync", "migrations") for path in (ROOT / top).rglob("*.py")
    ]
    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []


@pytest.mark.parametrize(
    ("file", "package"),
    [
        ("dssync/new/part.py", "dssync.new"),
        ("dssync/cli/new/__init__.py", "dssync.cli.new"),
        ("migrations/new/__init__.py", "dssync.migrations.new"),
    ],
)
def test_a_new_folder_is_a_package_to_list(tmp_path: Path, file: str, package: str) -> None:
    (tmp_path / file).parent.mkdir(parents=True)
    (tmp_path / file).touch()
    assert packages_of(tmp_path) == {package}
