"""The configuration: where remotes, keys and the mirror come from."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from dssync.config import (
    KeySource,
    Remote,
    add_remote,
    find_key,
    load,
    mirror_url,
    normal_host,
    remove_remote,
)
from dssync.core.brakes import Limit
from dssync.errors import ConfigError

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


def only(remotes: Mapping[str, Remote]) -> Remote:
    [remote] = remotes.values()
    return remote


FILE = """\
mirror = "data/m.db"  # ours

[remotes.prod]  # the real one
host = "eu"
environment = 2
key_env = "PROD_KEY"

[remotes.stage]
host = "https://posthog.example.com/"
project = "7"
"""


def test_a_file_names_remotes_and_mirror(folder: Path) -> None:
    (folder / "dssync.toml").write_text(FILE)
    settings = load(folder, {})
    assert dict(settings.remotes) == {
        "prod": Remote("prod", EU, "environment", "2", KeySource("key_env", "PROD_KEY")),
        "stage": Remote("stage", "https://posthog.example.com", "project", "7"),
    }
    assert settings.mirror == f"sqlite:///{folder}/data/m.db"
    assert settings.file == folder / "dssync.toml"
    assert {remote.folder for remote in settings.remotes.values()} == {folder}


def test_the_users_own_file_counts_where_the_folder_has_none(folder: Path, home: Path) -> None:
    own = home / "config" / "dssync" / "dssync.toml"
    own.parent.mkdir(parents=True)
    own.write_text(FILE)
    settings = load(folder, {})
    assert (settings.file, set(settings.remotes)) == (own, {"prod", "stage"})
    assert settings.mirror == f"sqlite:///{own.parent}/data/m.db"

    (folder / "dssync.toml").write_text("")
    assert load(folder, {}).remotes == {}


def test_with_nothing_at_all_there_is_no_remote(folder: Path) -> None:
    settings = load(folder, {})
    assert (settings.remotes, settings.file) == ({}, folder / "dssync.toml")
    assert settings.mirror == f"sqlite:///{folder}/mirror.db"


VARIABLES: list[tuple[str, dict[str, str], tuple[str, str, str]]] = [
    ("environment", {"POSTHOG_ENVIRONMENT_ID": "3"}, ("environment-3", US, "3")),
    ("project", {"POSTHOG_PROJECT_ID": "4"}, ("project-4", US, "4")),
    ("command line", {"POSTHOG_CLI_PROJECT_ID": "5"}, ("project-5", US, "5")),
    ("old command line", {"POSTHOG_CLI_ENV_ID": "6"}, ("environment-6", US, "6")),
    (
        "environment beats project",
        {"POSTHOG_PROJECT_ID": "4", "POSTHOG_ENVIRONMENT_ID": "3"},
        ("environment-3", US, "3"),
    ),
    (
        "empty counts as unset",
        {"POSTHOG_ENVIRONMENT_ID": "", "POSTHOG_PROJECT_ID": "4"},
        ("project-4", US, "4"),
    ),
    (
        "host",
        {"POSTHOG_PROJECT_ID": "4", "POSTHOG_HOST": "eu"},
        ("project-4", EU, "4"),
    ),
]


@pytest.mark.parametrize(("name", "env", "expected"), VARIABLES, ids=[v[0] for v in VARIABLES])
def test_variables_alone_make_a_remote(
    name: str, env: dict[str, str], expected: tuple[str, str, str], folder: Path
) -> None:
    remote = only(load(folder, {**env, "POSTHOG_PERSONAL_API_KEY": KEY}).remotes)
    assert (remote.name, remote.host, remote.id) == expected
    assert remote.scope == remote.name.partition("-")[0]


def test_flags_beat_variables(folder: Path) -> None:
    env = {"POSTHOG_ENVIRONMENT_ID": "3", "POSTHOG_HOST": "eu", "POSTHOG_API_KEY": KEY}
    assert only(load(folder, env, project=9).remotes).name == "project-9"
    assert only(load(folder, env, project=9).remotes).host == EU
    assert only(load(folder, env, host="us").remotes).host == US
    assert only(load(folder, env, environment="8", project="9").remotes).name == "environment-8"


def test_flags_pick_the_configured_remote_of_that_number(folder: Path) -> None:
    (folder / "dssync.toml").write_text(FILE)
    assert only(load(folder, {}, environment="2").remotes).name == "prod"
    assert only(load(folder, {}, project="2").remotes).name == "project-2"
    other = only(load(folder, {}, environment="2", host="us").remotes)
    assert (other.name, other.host) == ("environment-2", US)


def test_an_ingestion_host_is_mapped_with_a_notice(folder: Path) -> None:
    env = {"POSTHOG_PROJECT_ID": "4", "POSTHOG_HOST": "https://eu.i.posthog.com"}
    settings = load(folder, env)
    assert only(settings.remotes).host == EU
    assert settings.notices == (f"eu.i.posthog.com only takes events; {EU} is used instead",)
    assert load(folder, {**env, "POSTHOG_HOST": "eu"}).notices == ()


@pytest.mark.parametrize(
    ("given", "host"),
    [
        ("us", US),
        ("EU", EU),
        ("https://us.posthog.com/", US),
        ("us.posthog.com", US),
        ("us.i.posthog.com", US),
        (" PostHog.Example.com:8443/sub/ ", "https://posthog.example.com:8443/sub"),
        ("http://localhost:8000", "http://localhost:8000"),
    ],
)
def test_hosts_are_written_in_one_way(given: str, host: str) -> None:
    assert normal_host(given) == host
    assert normal_host(host) == host


@pytest.mark.parametrize(
    "given", ["", "https://", "https://me:pw@us.posthog.com", "a?b", "a#b", "a:b", "https://[::1"]
)
def test_what_is_no_host_is_refused_without_its_password(given: str) -> None:
    with pytest.raises(ConfigError) as caught:
        normal_host(given)
    assert "pw" not in str(caught.value)


def test_what_the_command_line_saved_is_the_last_source(folder: Path, home: Path) -> None:
    log_in(home, host=EU, token=KEY, env_id="5")
    remote = only(load(folder, {}).remotes)
    assert (remote.name, remote.host) == ("environment-5", EU)
    assert find_key(remote, {}).reveal() == KEY


def test_host_and_number_come_from_where_the_key_does(folder: Path, home: Path) -> None:
    log_in(home, host=EU, token=KEY, env_id="5")
    env = {"POSTHOG_HOST": "https://evil.example"}
    assert only(load(folder, env).remotes).host == EU
    assert load(folder, {**env, "POSTHOG_PERSONAL_API_KEY": OTHER}).remotes == {}
    env |= {"POSTHOG_PERSONAL_API_KEY": OTHER, "POSTHOG_PROJECT_ID": "6"}
    remote = only(load(folder, env).remotes)
    assert (remote.name, remote.host) == ("project-6", "https://evil.example")
    assert find_key(remote, env).reveal() == OTHER


@pytest.mark.parametrize("text", ["", "[]", "{", '{"token": 5}', '"a"', "{}"])
def test_a_saved_file_of_another_kind_counts_as_none(text: str, home: Path, folder: Path) -> None:
    (home / ".posthog").mkdir()
    (home / ".posthog" / "credentials.json").write_text(text)
    assert load(folder, {}).remotes == {}


def test_a_remote_is_added_and_removed_and_comments_stay(folder: Path) -> None:
    file = folder / "dssync.toml"
    file.write_text(FILE)
    file.chmod(0o640)
    new = add_remote(
        load(folder, {}), "new", host="us", project=8, key=KeySource("key_command", "pass it")
    )
    assert file.read_text().startswith(FILE.strip())
    assert load(folder, {}).remotes["new"] == new
    assert new == Remote("new", US, "project", "8", KeySource("key_command", "pass it"))
    remove_remote(load(folder, {}), "prod")
    assert set(load(folder, {}).remotes) == {"stage", "new"}
    assert "# ours" in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o640
    assert [p.name for p in folder.iterdir()] == ["dssync.toml"]


def test_the_first_remote_makes_the_file(folder: Path) -> None:
    add_remote(load(folder, {}), "prod", environment="1")
    text = (folder / "dssync.toml").read_text()
    assert text == f'[remotes.prod]\nhost = "{US}"\nenvironment = 1\n'
    remove_remote(load(folder, {}), "prod")
    assert load(folder, {}).remotes == {}


ADDITIONS: list[tuple[str, Callable[[Path], object]]] = [
    ("already", lambda f: add_remote(load(f, {}), "prod", environment=5)),
    ("same environment", lambda f: add_remote(load(f, {}), "p2", host=EU, environment=2)),
    ("needs the number", lambda f: add_remote(load(f, {}), "new")),
    ("cannot name", lambda f: add_remote(load(f, {}), "a/b", environment=5)),
    ("not the number", lambda f: add_remote(load(f, {}), "new", environment="x")),
    ("no remote none", lambda f: remove_remote(load(f, {}), "none")),
]


@pytest.mark.parametrize(("words", "act"), ADDITIONS, ids=[a[0] for a in ADDITIONS])
def test_a_refused_edit_leaves_the_file_alone(
    words: str, act: Callable[[Path], object], folder: Path
) -> None:
    (folder / "dssync.toml").write_text(FILE)
    with pytest.raises(ConfigError, match=words):
        act(folder)
    assert (folder / "dssync.toml").read_text() == FILE


BAD_FILES = [
    ("mirror = ", "TOML"),
    ("miror = 'a'", "unknown entry miror"),
    ("mirror = 5", "in quotes"),
    ("remotes = 5", "NAME"),
    ("[remotes]\na = 5", "NAME"),
    ("[remotes.a]\nhost = 'us'", "needs an environment"),
    ("[remotes.a]\nproject = true", "not the number"),
    ("[remotes.a]\nproject = -1", "not the number"),
    ("[remotes.a]\nproject = 1\nkey = 'phx_abc'", "unknown entry key"),
    ("[remotes.a]\nproject = 1\nkey_env = 'A'\nkey_file = 'b'", "one source"),
    ("[remotes.'a b']\nproject = 1", "cannot name"),
    ("[remotes.a]\nproject = 1\n[remotes.b]\nproject = '01'", "the same project"),
]


@pytest.mark.parametrize(("text", "words"), BAD_FILES)
def test_a_file_that_cannot_be_used_is_refused(text: str, words: str, folder: Path) -> None:
    (folder / "dssync.toml").write_text(text)
    with pytest.raises(ConfigError, match=words) as caught:
        load(folder, {})
    assert "phx_abc" not in str(caught.value)


def test_a_file_that_is_no_text_is_refused(folder: Path) -> None:
    (folder / "dssync.toml").write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="cannot be read"):
        load(folder, {})


def test_the_mirror_is_given_by_flag_then_variable_then_file(folder: Path) -> None:
    (folder / "dssync.toml").write_text(FILE)
    env = {"DSSYNC_MIRROR": "of-variable.db"}
    assert load(folder, env, mirror="of-flag.db").mirror == f"sqlite:///{folder}/of-flag.db"
    assert load(folder, env).mirror == f"sqlite:///{folder}/of-variable.db"


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("m.db", "sqlite:////here/m.db"),
        ("/abs/m.db", "sqlite:////abs/m.db"),
        ("sqlite:///m.db", "sqlite:////here/m.db"),
        ("sqlite:////abs/m.db", "sqlite:////abs/m.db"),
        ("postgresql://host/db", "postgresql://host/db"),
    ],
)
def test_mirrors_are_absolute(given: str, url: str) -> None:
    assert mirror_url(given, Path("/here")) == url


LIMITS = (
    ('"30%"', Limit(share=0.3)),
    ("20", Limit(count=20)),
    ('"20"', Limit(count=20)),
    ("0", Limit(count=0)),
)


@pytest.mark.parametrize(("written", "limit"), LIMITS)
def test_a_remote_may_have_its_own_limit(tmp_path: Path, written: str, limit: Limit) -> None:
    file = tmp_path / "dssync.toml"
    file.write_text(f"[remotes.prod]\nproject = 1\nmax_delete = {written}\n")
    found = load(tmp_path, {}).remotes["prod"].max_delete
    assert found == limit
    assert str(found and found.origin) == "max_delete of [remotes.prod]"


@pytest.mark.parametrize("written", ["-1", '"half"', "0.3", "true", "[]", '"101%"', '""'])
def test_a_limit_that_is_none_is_refused_with_its_line(tmp_path: Path, written: str) -> None:
    file = tmp_path / "dssync.toml"
    file.write_text(
        "# ours\n[remotes.dev]\nproject = 1\nmax_delete = 5\n\n"
        f'[ remotes . "prod" ] # the real one\nproject = 2\n  max_delete = {written}\n'
    )
    with pytest.raises(ConfigError) as refused:
        load(tmp_path, {})
    assert refused.value.message.startswith(f"{file}:8: max_delete of the remote prod is ")
    assert '"30%"' in refused.value.message


def test_a_line_is_left_out_where_it_cannot_be_found(tmp_path: Path) -> None:
    (tmp_path / "dssync.toml").write_text("remotes.prod = {project = 2, max_delete = 'x'}\n")
    with pytest.raises(ConfigError, match=r"dssync\.toml: max_delete of the remote prod"):
        load(tmp_path, {})
