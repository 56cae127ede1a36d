import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from dssync import Mirror
from tests.mirror.conftest import Home, at_home, empty_template, home, nobody, template

__all__ = ["empty_template", "home", "nobody", "template"]


@pytest.fixture
def mirror(home: Home) -> Iterator[Mirror]:
    """The mirror of two datasets and three items, as a Python program has it."""
    with Mirror.open(home.mirror.path) as opened:
        yield opened


@pytest.fixture
def twin(template: Path, tmp_path: Path) -> Iterator[Home]:
    """The same mirror in another file, to be edited another way."""
    path = tmp_path / "twin" / "mirror.db"
    path.parent.mkdir()
    shutil.copy(template, path)
    with at_home(path) as opened:
        yield opened
