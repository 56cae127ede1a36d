"""A shell in a folder of its own, a sandbox on a socket, and a mirror that was pulled already."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from dssync.sandbox import SANDBOX_KEY, Sandbox, load_sample, serve
from tests.cli.disputed import Editor, dispute
from tests.cli.reviewing import BOT, RAG, SQL
from tests.cli.shell import Shell


@pytest.fixture(autouse=True)
def own_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the machine's keys, settings and state out of the tests."""
    for name in os.environ:
        if name.startswith(("POSTHOG_", "DSSYNC_", "NO_COLOR")):
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    for name in ("HOME", "XDG_CONFIG_HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(home))
    monkeypatch.setenv("DSSYNC_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm-256color")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the working folder."""
    here = tmp_path / "work"
    here.mkdir()
    monkeypatch.chdir(here)
    return here


@pytest.fixture
def dssync(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Return what runs the command line in this process."""
    return Shell(monkeypatch)


@pytest.fixture
def sandbox() -> Sandbox:
    sandbox = Sandbox(limits=())
    load_sample(sandbox.state)
    return sandbox


@pytest.fixture
def url(sandbox: Sandbox) -> Iterator[str]:
    with serve(sandbox) as url:
        yield url


@pytest.fixture
def configured(dssync: Shell, url: str, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Return a shell that knows the sandbox as `prod`."""
    monkeypatch.setenv("POSTHOG_PERSONAL_API_KEY", SANDBOX_KEY)
    dssync("remote", "add", "prod", "--host", url, "--project", "1").well()
    return dssync


@pytest.fixture
def pulled(configured: Shell) -> Shell:
    """Return a shell with the sample in its mirror, and the sandbox within reach."""
    configured("pull").well()
    return configured


@pytest.fixture(scope="session")
def sample_mirror(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pull the sample once."""
    folder = tmp_path_factory.mktemp("sample")
    sandbox = Sandbox(limits=())
    load_sample(sandbox.state)
    with pytest.MonkeyPatch.context() as patch, serve(sandbox) as url:
        patch.setenv("POSTHOG_PERSONAL_API_KEY", SANDBOX_KEY)
        patch.setenv("DSSYNC_STATE_DIR", str(folder / "state"))
        shell = Shell(patch)
        shell("-C", str(folder), "pull", "--project", "1", "--host", url).well()
    return folder / "mirror.db"


@pytest.fixture
def offline(dssync: Shell, folder: Path, sample_mirror: Path) -> Shell:
    """Return a shell with the sample in its mirror, no key and no server."""
    shutil.copy(sample_mirror, folder / "mirror.db")
    return dssync


@pytest.fixture
def edited(pulled: Shell, sandbox: Sandbox) -> Shell:
    """Three records were edited, and a plan of it was saved."""
    for name in (BOT, RAG, SQL):
        pulled("set", name, "description", f"New: {name}").well()
    pulled("diff", "-o", "plan.json").well()
    sandbox.log.clear()
    return pulled


@pytest.fixture(scope="session")
def disputed_mirror(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("disputed") / "mirror.db"
    dispute(path)
    return path


@pytest.fixture
def disputed(dssync: Shell, folder: Path, disputed_mirror: Path) -> Shell:
    shutil.copy(disputed_mirror, folder / "mirror.db")
    return dssync


@pytest.fixture
def editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Editor:
    editor = Editor(tmp_path / "editor")
    editor.install(monkeypatch)
    return editor
