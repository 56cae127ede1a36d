"""A plan as Markdown: nothing that anybody wrote comes to life in it, and it fits a comment."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from dssync.cli.render.markdown import LONGEST_LINE, MOST_LINES, code, plan_markdown
from dssync.core.merge import Conflict, Reason
from dssync.core.plan import Change, Conflicted, Delta, Plan

EVIL = (
    "```\n# heading\n",
    "`" * 12,
    "~~~\n~~~",
    "| a | b |\n|---|---|",
    "<script>alert(1)</script>",
    "</code></summary></details><img src=x onerror=alert(1)>",
    "@everyone #1 GH-1 https://evil.example",
    "[click](https://evil.example) ![x](https://evil.example/x.png)",
    "\n\n---\n\n* a\n\n> b",
    "&lt;b&gt; &#64;ana",
    "\\` \\",
    "` `` ```",
    " ",
    "",
    "\u202e\u200b\x1b[31m",
    "<!-- ",
    "$$x$$ :smile:",
)
SUMMARY = re.compile(
    r"(<details><summary><b>[~+^!-] [a-z]+</b> (dataset|item)[ ()]*</summary>|</details>)\n?"
)
LIVELY = {
    "link_open",
    "image",
    "table_open",
    "bullet_list_open",
    "hr",
    "blockquote_open",
    "em_open",
}


def update(before: str, after: str, **facts: str) -> Change:
    change = Change(
        "prod", "dataset", "k" * 12, "i", "update", (Delta("description", before, after),)
    )
    return replace(change, **facts)  # type: ignore[arg-type]


def text_of(plan: Plan) -> str:
    return "\n".join(plan_markdown(plan))


def check_dead(text: str) -> None:
    """Parse as GitHub does, and look for anything alive that did not come from the program."""
    parser = MarkdownIt("gfm-like", {"linkify": False, "html": True})
    headings = 0
    for token in parser.parse(text):
        inner = token.children or []
        assert not LIVELY & {token.type, *(child.type for child in inner)}, token
        headings += token.type == "heading_open"
        for child in inner:
            assert child.type != "html_inline", child.content
            if child.type == "text":
                assert not re.search(r"@|https?:|#\d|\$|<|&", child.content), child.content
        if token.type == "html_block":
            bare = re.sub(r"<code>[^<>]*</code>", "", token.content)
            assert SUMMARY.fullmatch(bare), token.content
    assert headings == 1 + len({line for line in text.splitlines() if line.startswith("### ")})


@pytest.mark.parametrize("evil", EVIL)
@pytest.mark.parametrize("folded", [False, True])
def test_what_people_wrote_stays_text(evil: str, folded: bool) -> None:
    long = "\n".join(f"{n} {evil}" for n in range(20 if folded else 1))
    clash = Conflict("description", evil, long, None, Reason.BOTH_CHANGED)
    create = Delta("metadata", None, '{"@a": "`"}')
    plan = Plan.of(
        [
            update(evil, long, label=evil),
            Change("prod", "item", evil or "x", None, "create", (create,), "", evil),
            Change("prod", "item", "y", "y", "delete", (Delta("deleted", 0, 1),), evil, evil),
        ],
        [Conflicted("prod", "dataset", "c", "c", (clash,), evil)],
    )
    check_dead(text_of(plan))


@given(st.text(alphabet="`~|<>@#*_[]()!\\&\n \u202ea-", max_size=60), st.text(max_size=20))
def test_no_text_leaves_its_place(evil: str, other: str) -> None:
    plan = Plan.of([update(evil, other, label=evil), update(other, evil, key="2", label=other)])
    check_dead(text_of(plan))
    [paragraph] = MarkdownIt().parse(f"x{code(evil)}x")[1:2]
    assert [child.type for child in paragraph.children or []] == ["text", "code_inline", "text"]


def test_a_long_plan_fits_and_says_what_it_leaves_out() -> None:
    items = [
        Change("prod", "item", f"{n:05}", f"{n:05}", "update",
               (Delta("input", f'"{"a" * 90} {n}"', f'"{"b" * 90} {n}"'),), "", "Support")
        for n in range(3_000)
    ]  # fmt: skip
    plan = Plan.of(items)
    text = text_of(plan)
    assert 50_000 < len(text) < 65_536
    shown = text.count("<details>")
    assert f"**Not shown, for want of room: {3_000 - shown:,} updates.**" in text
    assert text.splitlines()[-1].startswith(f"Digest `{plan.digest}`.")
    check_dead(text)


def test_one_huge_change_is_cut_and_the_cut_is_counted() -> None:
    plan = Plan.of([update("a", "x" * 1_000_000), update("y", "\n".join("abc" * 500), key="2")])
    text = text_of(plan)
    assert len(text) < 3 * LONGEST_LINE + MOST_LINES * LONGEST_LINE
    assert re.search(r"… \(999,\d\d\d more characters\)", text)


def test_words_inside_long_text_are_shown_with_some_around_them() -> None:
    long = " ".join(f"word{n}" for n in range(200))
    after = long.replace("word50 ", "changed ").replace("word150 ", "")
    text = text_of(Plan.of([update(long, after)]))
    minus = [line for line in text.splitlines() if line.startswith("-")]
    plus = [line for line in text.splitlines() if line.startswith("+")]
    assert len(minus) == len(plus) == 2
    assert "word50" in minus[0]
    assert "changed" in plus[0]
    assert "word150" in minus[1]
    assert "word150" not in plus[1]
    assert all(line.count("word") < 20 for line in minus)


def test_keys_inside_json_are_shown_by_their_path() -> None:
    delta = Delta("metadata", '{"a": {"b": 1}, "c": 2}', '{"a": {"b": 3}, "d": null}')
    change = Change("prod", "item", "i", "i", "update", (delta,))
    lines = text_of(Plan.of([change])).splitlines()
    at = lines.index("```diff")
    assert lines[at + 1 : lines.index("```")] == [
        "@@ /metadata/a/b @@", "-1", "+3",
        "@@ /metadata/c @@", "-2",
        "@@ /metadata/d @@", "+null",
    ]  # fmt: skip


def test_a_plan_of_nothing_says_so() -> None:
    assert text_of(Plan(())) == "## dssync plan: no changes"
