"""What a release contains, and that it works away from the checkout."""

import json
import tarfile
import zipfile
from pathlib import Path

from tests.packaging.conftest import ROOT, Built, run

DATA = {
    "dssync/py.typed",
    "dssync/cli/scripts/bash",
    "dssync/cli/scripts/fish",
    "dssync/cli/scripts/zsh",
    "dssync/sandbox/sample.json",
    "dssync/migrations/script.py.mako",
}


def shipped_modules() -> set[str]:
    """Return the modules of the checkout under the names an installation gives them."""
    package = {str(path.relative_to(ROOT)) for path in (ROOT / "dssync").rglob("*.py")}
    scripts = {str(path.relative_to(ROOT)) for path in (ROOT / "migrations").rglob("*.py")}
    return package | {f"dssync/{script}" for script in scripts}


def test_the_wheel_holds_the_package_its_data_and_nothing_else(built: Built) -> None:
    with zipfile.ZipFile(built.wheel) as wheel:
        names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert names == shipped_modules() | DATA


def test_the_wheel_carries_the_licence_and_the_command(built: Built) -> None:
    with zipfile.ZipFile(built.wheel) as wheel:
        (licence,) = (name for name in wheel.namelist() if name.endswith("licenses/LICENSE"))
        (commands,) = (name for name in wheel.namelist() if name.endswith("entry_points.txt"))
        assert b"dssync contributors" in wheel.read(licence)
        assert b"dssync = dssync.cli:main" in wheel.read(commands)


def test_the_sdist_holds_what_a_build_needs(built: Built) -> None:
    with tarfile.open(built.sdist) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    sources = {str(path.relative_to(ROOT)) for path in (ROOT / "migrations").rglob("*.py")}
    wanted = sources | {"migrations/script.py.mako", "setup.cfg", "pyproject.toml", "LICENSE"}
    assert wanted - names == set()


LOOK = """
import json, sys
from pathlib import Path
import dssync, dssync.mirror.revising as revising
from dssync.mirror import Mirror
with Mirror.open(Path("mirror.db"), create=True) as mirror:
    datasets = len(list(mirror.datasets()))
known = "dssync.migrations" in sys.modules
print(json.dumps([dssync.__file__, str(revising.scripts()), dssync.version(), datasets, known]))
"""


def test_an_installed_wheel_makes_a_mirror_from_its_own_revisions(
    built: Built, installed: Path, tmp_path: Path
) -> None:
    found = run(installed / "python", "-c", LOOK, cwd=tmp_path)
    package, scripts, version, datasets, imported = json.loads(found)
    assert Path(package).is_relative_to(installed.parent)
    assert Path(scripts) == Path(package).parent / "migrations"
    assert version == built.wheel.name.split("-")[1]
    assert datasets == 0
    assert not imported
    assert (tmp_path / "mirror.db").exists()
