"""Keys: their sources, and their order."""

import json
import sys
import types
from pathlib import Path

import pytest

from dssync.config import KeySource, Remote, find_key
from dssync.errors import ConfigError, KeyMissing
from dssync.keys import KeyKind

US, EU = "https://us.posthog.com", "https://eu.posthog.com"
KEY, OTHER = "phx_one", "phx_other"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own, with nothing in it."""
    own = tmp_path / "home"
    own.mkdir()
    monkeypatch.setenv("HOME", str(own))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(own / "config"))
    return own


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    own = tmp_path / "work"
    own.mkdir()
    return own


def log_in(home: Path, **saved: object) -> None:
    (home / ".posthog").mkdir()
    (home / ".posthog" / "credentials.json").write_text(json.dumps(saved))


KEYS: list[tuple[str, dict[str, str], str]] = [
    ("personal", {"POSTHOG_PERSONAL_API_KEY": KEY, "POSTHOG_CLI_API_KEY": OTHER}, KEY),
    ("command line", {"POSTHOG_CLI_API_KEY": KEY, "POSTHOG_CLI_TOKEN": OTHER}, KEY),
    ("old command line", {"POSTHOG_CLI_TOKEN": KEY, "POSTHOG_API_KEY": OTHER}, KEY),
    ("shared", {"POSTHOG_API_KEY": KEY}, KEY),
    ("empty counts as unset", {"POSTHOG_PERSONAL_API_KEY": "", "POSTHOG_CLI_TOKEN": KEY}, KEY),
    ("trimmed", {"POSTHOG_PERSONAL_API_KEY": f" {KEY}\n"}, KEY),
]

REMOTE = Remote("prod", EU, "environment", "2")


@pytest.mark.parametrize(("name", "env", "key"), KEYS, ids=[k[0] for k in KEYS])
def test_variables_hold_a_key_in_this_order(name: str, env: dict[str, str], key: str) -> None:
    assert find_key(REMOTE, env).reveal() == key


def test_a_project_key_gets_a_sentence() -> None:
    for name in ("POSTHOG_PERSONAL_API_KEY", "POSTHOG_API_KEY"):
        with pytest.raises(KeyMissing, match="project key") as caught:
            find_key(REMOTE, {name: "phc_abc"})
        assert "phx_" in caught.value.hint
        assert "abc" not in f"{caught.value} {caught.value.hint}"


def test_a_shared_project_key_does_not_hide_the_saved_one(home: Path) -> None:
    log_in(home, host=EU, token=KEY, env_id="5")
    assert find_key(REMOTE, {"POSTHOG_API_KEY": "phc_abc"}).reveal() == KEY


def test_no_key_anywhere_is_said_with_what_to_do() -> None:
    with pytest.raises(KeyMissing, match="prod") as caught:
        find_key(REMOTE, {})
    assert "POSTHOG_PERSONAL_API_KEY" in caught.value.hint


def test_a_saved_key_is_for_its_own_host_only(home: Path) -> None:
    log_in(home, host=US, token=KEY, env_id="5")
    with pytest.raises(KeyMissing):
        find_key(REMOTE, {})


def keyed(kind: KeyKind, value: str, folder: Path) -> Remote:
    return Remote("prod", EU, "project", "1", KeySource(kind, value), folder)


def test_a_key_comes_from_the_source_that_the_remote_names(folder: Path) -> None:
    env = {"MINE": KEY, "POSTHOG_PERSONAL_API_KEY": OTHER, "PATH": "/usr/bin:/bin"}
    (folder / "key.txt").write_text(f"{KEY}\n")
    assert find_key(keyed("key_env", "MINE", folder), env).reveal() == KEY
    assert find_key(keyed("key_file", "key.txt", folder), env).reveal() == KEY
    assert find_key(keyed("key_file", str(folder / "key.txt"), folder), env).reveal() == KEY
    assert find_key(keyed("key_command", "cat 'key.txt'", folder), env).reveal() == KEY
    assert find_key(keyed("key_command", "printenv MINE", folder), env).reveal() == KEY


BAD_SOURCES: list[tuple[KeyKind, str, str]] = [
    ("key_env", "UNSET", "UNSET"),
    ("key_file", "none.txt", "No such file"),
    ("key_file", "binary", "not text"),
    ("key_command", "false", "ended with 1"),
    ("key_command", "no-such-program", "No such file"),
    ("key_command", "echo 'a", "quotes"),
    ("key_command", "true", "no key"),
]


@pytest.mark.parametrize(("kind", "value", "words"), BAD_SOURCES)
def test_a_source_that_fails_is_named_and_nothing_else_is_tried(
    kind: KeyKind, value: str, words: str, folder: Path
) -> None:
    (folder / "binary").write_bytes(b"\xff\xfe")
    remote = keyed(kind, value, folder)
    with pytest.raises(KeyMissing, match=words) as caught:
        find_key(remote, {"POSTHOG_PERSONAL_API_KEY": OTHER, "PATH": "/usr/bin:/bin"})
    assert OTHER not in f"{caught.value} {caught.value.hint}"


def test_a_slow_command_is_given_up_and_what_it_said_is_dropped(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dssync.keys.COMMAND_SECONDS", 0.2)
    remote = keyed("key_command", f"sh -c 'echo {KEY}; exec sleep 9' {KEY[4:]}", folder)
    with pytest.raises(KeyMissing, match="no answer in") as caught:
        find_key(remote, {"PATH": "/usr/bin:/bin"})
    assert caught.value.__context__ is None


class FakeKeyring(types.ModuleType):
    """Stands in for the optional package."""

    errors = types.SimpleNamespace(KeyringError=LookupError)

    def get_password(self, service: str, name: str) -> str | None:
        if service == "locked":
            raise LookupError("it is locked")
        return {("work", "prod"): KEY}.get((service, name))


def test_a_keyring_is_asked_for_the_remotes_name(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "keyring", FakeKeyring("keyring"))
    assert find_key(keyed("key_keyring", "work", folder), {}).reveal() == KEY
    for service in ("other", "locked"):
        with pytest.raises(KeyMissing) as caught:
            find_key(keyed("key_keyring", service, folder), {})
        assert caught.value.hint == f"keyring set {service} prod"
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(ConfigError) as missing:
        find_key(keyed("key_keyring", "work", folder), {})
    assert "pip install" in missing.value.hint
