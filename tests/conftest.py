import os
import pkgutil
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings

import dssync

settings.register_profile(
    "ci",
    derandomize=True,
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.register_profile("soak", settings.get_profile("ci"), derandomize=False, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

# Hypothesis draws constants from every module that is loaded, so that its examples are the same
# in every run only if the same modules are.
for found in pkgutil.walk_packages(dssync.__path__, "dssync."):
    if not found.name.endswith("__main__"):
        import_module(found.name)


@pytest.fixture(scope="session", autouse=True)
def states(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep every budget out of the user's own state directory."""
    folder = tmp_path_factory.mktemp("states")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DSSYNC_STATE_DIR", str(folder))
        yield folder


@pytest.fixture(autouse=True)
def own_state(states: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let no test wait for what another one sent with the same key."""
    folder = states / uuid4().hex
    monkeypatch.setenv("DSSYNC_STATE_DIR", str(folder))
    return folder
