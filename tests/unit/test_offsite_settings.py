"""What `[offsite]` may say, and how it is refused."""

from pathlib import Path

import pytest

from dssync.config import load
from dssync.errors import ConfigError
from dssync.policy import Offsite


def settings(folder: Path, text: str) -> Offsite | None:
    (folder / "dssync.toml").write_text(f"[offsite]\n{text}\n")
    return load(folder, {}).offsite


def test_without_it_there_is_none(tmp_path: Path) -> None:
    assert load(tmp_path, {}).offsite is None


def test_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings(tmp_path, 'to = "off"') == Offsite(str(tmp_path / "off"))
    assert settings(tmp_path, 'to = "/mnt/off"\nkeep = 3') == Offsite("/mnt/off", keep=3)
    monkeypatch.setenv("HOME", "/home/ana")
    found = settings(tmp_path, 'to = "~/off"\nrecipients = ["age1x", "age1y", "age1x"]')
    assert found == Offsite("/home/ana/off", recipients=("age1x", "age1y"))
    assert found.folder == Path("/home/ana/off")


def test_storage(tmp_path: Path) -> None:
    found = settings(tmp_path, 'to = "s3://bucket/a/b/"\nendpoint = "https://s3.example.com"')
    assert found == Offsite("s3://bucket/a/b", "https://s3.example.com")
    assert found.folder is None


@pytest.mark.parametrize(
    ("written", "line", "said"),
    [
        ("keep = 3", "", "to of [offsite] is a folder"),
        ('to = ""', ":2", "to of [offsite] is a folder"),
        ("to = 7", ":2", "to of [offsite] is a folder"),
        ('to = "~nobodyatall/x"', ":2", "to of [offsite] is no folder: nobody here has the home"),
        ('to = "a\\u0000b"', ":2", "to of [offsite] is no folder"),
        ('to = "s3://"', ":2", "to of [offsite] is a folder"),
        ('to = "s3:///x"', ":2", "to of [offsite] is a folder"),
        ('to = "ftp://host/x"', ":2", "to of [offsite] is a folder"),
        ('to = "x"\nkeep = 0', ":3", "keep of [offsite] is how many"),
        ('to = "x"\nkeep = true', ":3", "keep of [offsite] is how many"),
        ('to = "x"\nkeep = "7"', ":3", "keep of [offsite] is how many"),
        ('to = "x"\nrecipients = "age1x"', ":3", "recipients of [offsite] is a list"),
        ('to = "x"\nrecipients = [1]', ":3", "recipients of [offsite] is a list"),
        ('to = "x"\nendpoint = "https://h"', ":3", 'endpoint of [offsite] goes with to = "s3://'),
        ('to = "s3://b"\nendpoint = "h:9000"', ":3", "endpoint of [offsite] is the URL"),
        ('to = "x"\nage = 1', ":3", "[offsite] has an unknown entry age"),
    ],
)
def test_what_it_may_not_say(tmp_path: Path, written: str, line: str, said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        settings(tmp_path, written)
    assert refused.value.message.startswith(f"{tmp_path / 'dssync.toml'}{line}: {said}")


def test_it_is_a_table(tmp_path: Path) -> None:
    (tmp_path / "dssync.toml").write_text('offsite = "s3://bucket"\n')
    with pytest.raises(ConfigError, match=r"where copies go is written as \[offsite\]"):
        load(tmp_path, {})
