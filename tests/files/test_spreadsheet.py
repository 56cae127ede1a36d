"""A real spreadsheet program opens what was exported, saves it, and nothing was changed.

Needs LibreOffice (on Debian: apt-get install libreoffice-calc-nogui); without it these tests are
skipped, and say so.
"""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.files import hostile
from tests.files.desk import Desk

OFFICE = shutil.which("soffice")

pytestmark = pytest.mark.skipif(
    OFFICE is None,
    reason="LibreOffice is not installed, so no spreadsheet was asked; apt-get install"
    " libreoffice-calc-nogui",
)

CSV = "Text - txt - csv (StarCalc)"
UTF8 = "44,34,76"
ENGLISH, GERMAN = "1033", "1031"


def save_again(folder: Path, suffix: str, language: str = ENGLISH) -> None:
    """Open every sheet in LibreOffice and save it in its place, numbers and dates recognised."""
    assert OFFICE is not None
    sheets = sorted(folder.glob(f"main/*.{suffix}"))
    out = folder.parent / "saved"
    reading = [f"--infilter={CSV}:{UTF8},1,,{language},false,true"] if suffix == "csv" else []
    writing = f"csv:{CSV}:{UTF8}" if suffix == "csv" else "xlsx"
    subprocess.run(
        [
            OFFICE,
            f"-env:UserInstallation=file://{folder.parent}/profile",
            "--headless",
            *reading,
            "--convert-to",
            writing,
            "--outdir",
            out,
            *sheets,
        ],
        check=True,
        capture_output=True,
        timeout=100,
    )
    for sheet in sheets:
        shutil.move(out / sheet.name, sheet)


@pytest.mark.parametrize(
    ("suffix", "language"), [("csv", ENGLISH), ("csv", GERMAN), ("xlsx", ENGLISH)]
)
def test_nothing_changes_that_nobody_changed(desk: Desk, suffix: str, language: str) -> None:
    rows = hostile.rows()
    desk.stock(rows)
    desk.export(suffix)
    save_again(desk.folder, suffix, language)
    done = desk.bring_in()
    assert done.items == 3 + len(rows)
    assert (dict(done.counts), done.kept, done.blind) == ({}, 0, 0)
    assert not desk.plan()


def test_the_program_does_change_what_is_not_protected(desk: Desk) -> None:
    desk.export("csv")
    path = next(desk.folder.glob("main/*.csv"))
    path.write_text("a,b,c\n1.0,007,12345678901234567890\n", encoding="utf-8")
    save_again(desk.folder, "csv")
    saved = path.read_text(encoding="utf-8").splitlines()[1].split(",")
    assert not {"1.0", "007", "12345678901234567890"} & set(saved)
