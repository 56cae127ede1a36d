"""The demo from a wheel, with its dependencies from the index, on each Python of this machine."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.packaging.conftest import Built, run

pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]

VERSIONS = ("3.11", "3.12", "3.13", "3.14")


def candidates(version: str) -> Iterator[str]:
    """Yield the programs that may be this Python: on the path, then where pyenv keeps them."""
    if named := shutil.which(f"python{version}"):
        yield named
    kept = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    yield from map(str, sorted(kept.glob(f"{version}.*/bin/python")))


def works(program: str) -> bool:
    """Tell whether it starts and can make an environment; a pyenv shim may do neither."""
    tried = subprocess.run([program, "-c", "import ensurepip"], capture_output=True, check=False)
    return tried.returncode == 0


@pytest.mark.parametrize("version", VERSIONS)
def test_the_demo_runs_from_a_wheel(built: Built, tmp_path: Path, version: str) -> None:
    program = next(filter(works, candidates(version)), None)
    if program is None:
        pytest.skip(f"there is no Python {version} here")
    run(program, "-m", "venv", "fresh", cwd=tmp_path)
    fresh = tmp_path / "fresh" / "bin"
    pip = (str(fresh / "python"), "-m", "pip", "--disable-pip-version-check")
    run(*pip, "install", "--quiet", built.wheel, cwd=tmp_path)
    run(fresh / "dssync", "demo", cwd=tmp_path)
