from hypothesis import given
from hypothesis import strategies as st

from dssync.files.names import FOLDER, LONGEST, RESERVED, STEM, folders, slug, stems

names = st.text() | st.sampled_from(["..", "/", "CON", "aux", "NUL.txt", "é", "e\u0301", "A" * 99])


@given(st.dictionaries(st.text(min_size=1), names, max_size=8))
def test_stems_are_safe_and_differ_on_every_file_system(datasets: dict[str, str]) -> None:
    found = stems(datasets)
    assert found.keys() == datasets.keys()
    assert len({stem.casefold() for stem in found.values()}) == len(found)
    assert all(STEM.match(stem) and stem not in RESERVED for stem in found.values())


@given(st.lists(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]*\Z") | st.text(), unique=True, max_size=8))
def test_folders_are_safe_and_differ_on_every_file_system(remotes: list[str]) -> None:
    found = folders(remotes)
    assert len({folder.casefold() for folder in found.values()}) == len(remotes)
    assert all(FOLDER.match(folder) and folder not in RESERVED for folder in found.values())


@given(st.text())
def test_a_slug_is_short(text: str) -> None:
    assert len(slug(text)) <= LONGEST
    assert slug(slug(text)) == slug(text)


def test_names_people_see() -> None:
    first, second = "0199d001-aaaa-7000-8000-000000000001", "0199d001-bbbb-7000-8000-000000000002"
    assert slug("Support triage: Q4 (final)") == "support-triage-q4-final"
    assert slug("Kyōto ÄÖ") == "kyoto-ao"
    assert slug("日本語") == ""
    assert stems({first: "Eval"}) == {first: "eval-0199d001"}
    assert stems({first: "日本語"}) == {first: "dataset-0199d001"}
    assert stems({"new-0123456789abcdef": "Eval"}) == {"new-0123456789abcdef": "eval-01234567"}
    both = stems({first: "Eval", second: "eval"})
    assert {stem[:14] for stem in both.values()} == {"eval-0199d001-"}
    assert folders(["prod", "environment-123"]) == {
        "prod": "prod",
        "environment-123": "environment-123",
    }
