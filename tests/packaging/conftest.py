import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHIPPED = ("dssync", "migrations", "LICENSE", "README.md", "pyproject.toml", "setup.cfg")


@dataclass(frozen=True)
class Built:
    """What a release would upload."""

    wheel: Path
    sdist: Path


def run(*words: str | Path, cwd: Path) -> str:
    """Run a command and return what it printed; a failure shows both its outputs."""
    done = subprocess.run(words, cwd=cwd, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, f"{words} ended with {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Build the sdist from a copy of the tree, and the wheel from that sdist."""
    folder = tmp_path_factory.mktemp("built")
    tree = folder / "tree"
    tree.mkdir()
    for name in SHIPPED:
        if (ROOT / name).is_dir():
            shutil.copytree(
                ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__", "*.db*")
            )
        else:
            shutil.copy(ROOT / name, tree)
    output = folder / "dist"
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", output, tree, cwd=folder)
    (wheel,) = output.glob("*.whl")
    (sdist,) = output.glob("*.tar.gz")
    return Built(wheel, sdist)


@pytest.fixture(scope="session")
def installed(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel alone into a fresh environment, and return the environment's programs.

    Its dependencies are borrowed from this environment; a path listed in a .pth file brings no
    .pth files of its own, so the checkout that is installed here stays out of sight.
    """
    home = tmp_path_factory.mktemp("installed")
    run(sys.executable, "-m", "venv", "--without-pip", home, cwd=home)
    python = home / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check")
    run(*pip, "install", "--quiet", "--no-deps", "--no-index", built.wheel, cwd=home)
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = Path(run(python, "-c", ask, cwd=home).strip())
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib"))
    return python.parent
