"""What the package gives, what it costs to import, and where it can be used."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import dssync
from dssync import Mirror, Remote, Session, make_plan, pull, read_status
from dssync.errors import Refused
from dssync.sandbox import SANDBOX_KEY, Sandbox, load_sample, serve
from tests.cli.test_writes_nothing import NOBODY, as_nobody
from tests.mirror.conftest import Home
from tests.mirror.served import D1, I1


def test_every_public_name_is_there() -> None:
    for name in dssync.__all__:
        assert getattr(dssync, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = dssync.nothing


@pytest.mark.parametrize(
    ("line", "light"),
    [
        ("import dssync", {"sqlalchemy", "httpx", "alembic", "dssync.mirror", "dssync.library"}),
        ("from dssync import Mirror", {"httpx", "alembic", "rich", "click", "dssync.sync"}),
    ],
)
def test_an_import_brings_only_what_it_needs(line: str, light: set[str]) -> None:
    program = f"{line}; import sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) & light == set()


def test_a_program_can_pull_and_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSTHOG_PERSONAL_API_KEY", SANDBOX_KEY)
    sandbox = Sandbox(limits=())
    load_sample(sandbox.state)
    with serve(sandbox) as url, Mirror.open(tmp_path / "mirror.db", create=True) as mirror:
        session = Session(env=os.environ)
        assert pull(mirror, [Remote("prod", url, "project", "1")], session).exit_code == 0
        first = next(mirror.datasets())
        with mirror.editing():
            first.description = "edited"
        assert make_plan(mirror, ["prod"]).digest == mirror.pending().digest
        assert [status.remote.name for status in read_status(mirror).remotes] == ["prod"]


@pytest.fixture
def locked(home: Home) -> Iterator[Path]:
    """A copy of the mirror where nobody can write."""
    home.sql.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    folder = Path(tempfile.mkdtemp(prefix="dssync-"))
    path = folder / "mirror.db"
    shutil.copy(home.mirror.path, path)
    if os.geteuid() == 0:
        os.chown(path, NOBODY, NOBODY)
    folder.chmod(0o555)
    yield path
    folder.chmod(0o755)
    shutil.rmtree(folder)


def test_a_folder_that_cannot_be_written_is_read_all_the_same(locked: Path) -> None:
    def reads_and_refuses() -> bool:
        with Mirror.open(locked) as mirror:
            items = [item.key for item in mirror.dataset(D1).items("input = '\"q\"'")]
            words = [match.record.key for match in mirror.search("support")]
            with pytest.raises(Refused, match="nothing can be written in its folder"):
                edit(mirror)
            return items == [I1] and words == [D1] and mirror.pending().changes == ()

    assert as_nobody(reads_and_refuses)
    assert [path.name for path in locked.parent.iterdir()] == ["mirror.db"]


def edit(mirror: Mirror) -> None:
    with mirror.editing():
        mirror.item(I1).input = 1
