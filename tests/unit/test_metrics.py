"""Prometheus's own parser reads what is written, and what is not known stays."""

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from dssync.core.metrics import each, exposition, one


def read(text: str) -> dict[str, list[tuple[dict[str, str], float]]]:
    return {
        family.name: [(sample.labels, sample.value) for sample in family.samples]
        for family in text_string_to_metric_families(text)
    }


@given(st.text(st.characters(exclude_categories=["Cs"])), st.floats(allow_nan=False), st.text())
def test_a_real_parser_reads_it_back(label: str, value: float, said: str) -> None:
    said = said.encode("utf-8", "replace").decode()
    text = exposition([each("dssync_x", said, [({"remote": label}, value)])])
    assert read(text) == {"dssync_x": [({"remote": label}, value)]}


def test_whole_numbers_look_whole() -> None:
    assert exposition([one("dssync_a", "A.", 7.0)]).splitlines()[-1] == "dssync_a 7"


def test_what_is_not_known_now_stays() -> None:
    before = exposition(
        [
            one("dssync_success", "When.", 5),
            one("dssync_code", "How.", 0),
            each("dssync_records", "How many.", [({"kind": "item"}, 3), ({"kind": "dataset"}, 1)]),
        ]
    )
    after = exposition([one("dssync_code", "How.", 11)], before)
    assert read(after) == read(before) | {"dssync_code": [({}, 11)]}
    assert exposition([], "somebody else's file\n") == ""
