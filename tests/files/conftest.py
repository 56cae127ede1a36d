import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from dssync.mirror import Mirror
from tests.files.desk import Desk
from tests.mirror.conftest import Home, empty_template, home, template

__all__ = ["empty_template", "home", "template"]


@pytest.fixture
def desk(home: Home, tmp_path: Path) -> Desk:
    """A mirror of two datasets and three items, and a folder to export it to."""
    return Desk(home, tmp_path / "out")


@pytest.fixture
def colleague(home: Home, tmp_path: Path) -> Iterator[Mirror]:
    """Another mirror of the same server."""
    path = tmp_path / "colleague.db"
    home.sql.execute("VACUUM INTO ?", (str(path),))
    with Mirror.open(path) as mirror:
        yield mirror


@pytest.fixture
def nobody_mirror(empty_template: Path, tmp_path: Path) -> Iterator[Mirror]:
    """A mirror that has met no remote yet."""
    with Mirror.open(Path(shutil.copy(empty_template, tmp_path / "empty.db"))) as mirror:
        yield mirror


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out" / "nightly.tar.zst"
