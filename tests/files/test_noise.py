"""Whatever happened to a file: an import takes it or says what is wrong, and never breaks."""

import shutil
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dssync.errors import Brake, UsageError
from dssync.files import FORMATS, bring_in
from tests.files import hostile
from tests.files.desk import Desk

NOISE = st.binary(max_size=4) | st.sampled_from(
    [b'"', b"'", b",", b"\n", b"\r", b"{", b"}", b"\x00", b"\xff", b"\\", b"null", b"\\ud800"]
)


@pytest.fixture
def exported(desk: Desk) -> Desk:
    desk.stock(hostile.rows()[:12])
    for suffix in FORMATS:
        Desk(desk.home, desk.folder.with_name(suffix)).export(suffix)
    return desk


@pytest.mark.parametrize("suffix", FORMATS)
@settings(max_examples=settings().max_examples // 2)
@given(data=st.data(), noise=NOISE, cut=st.integers(0, 9))
def test_noise_is_taken_or_refused(
    exported: Desk, suffix: str, data: st.DataObject, noise: bytes, cut: int
) -> None:
    shutil.rmtree(exported.folder, ignore_errors=True)
    shutil.copytree(exported.folder.with_name(suffix), exported.folder)
    path: Path = data.draw(st.sampled_from(sorted(exported.folder.glob("main/*"))))
    content = path.read_bytes()
    at = data.draw(st.integers(0, len(content)))
    path.write_bytes(content[:at] + noise + content[at + cut :])
    before = exported.home.dump()
    with suppress(UsageError, Brake):
        bring_in(exported.mirror, exported.folder, dry=True, delete_missing=True)
    assert exported.home.dump() == before
