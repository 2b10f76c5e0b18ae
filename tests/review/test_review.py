"""The review: every section, nothing invented, nobody named, and the same bytes for the same record."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import threading
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bot.incident.document import Document
from bot.incident.incident import SYSTEM
from bot.incident.timeline import Happened
from bot.incident.visible import visible
from bot.review.about import About
from bot.review.compose import compose
from bot.review.data import plain
from bot.review.documents import makers, review_files
from bot.review.html import html
from bot.review.markdown import escaped, markdown
from bot.review.page import Facts, Page, Section, Table, Text
from bot.review.told import span
from bot.store import Store
from tests.conftest import START, Clock
from tests.opened import playbook
from tests.review import told

GOLDEN = Path(__file__).parent / "golden"
BLANK = "NOT PROVIDED"


def files(about: About) -> dict[str, str]:
    return {one.name: one.content.decode() for one in review_files(about, "AMBER")}


async def test_the_same_record_makes_the_same_bytes_as_the_golden_files(store: Store, clock: Clock) -> None:
    number = await told.whole(store, clock)
    made = files(await told.about(store, number))
    assert sorted(made) == ["inc-1-review.html", "inc-1-review.json", "inc-1-review.md", "inc-1-timeline.csv"]
    assert made == files(await told.about(store, number))
    for name, text in made.items():
        kept = (GOLDEN / name).read_bytes().decode() if (GOLDEN / name).exists() else ""
        assert text == kept, f"{name} differs; `python -m tests.review.golden` writes the golden files anew"


async def test_every_section_of_the_template_is_there_and_blanks_say_so(store: Store) -> None:
    number = await told.bare(store)
    text = files(await told.about(store, number))["inc-1-review.md"]
    for section in playbook().review.sections:
        assert f"## {escaped(section.title)}\n" in text
    for question in playbook().review.questions:
        assert f"### {escaped(question.text)}\n\n{BLANK}" in text
    assert f"| Impact | {BLANK} |" in text and f"| Detected (UTC) | {BLANK} |" in text
    for item in playbook().review.action_items:
        assert escaped(item.text) in text
    assert "No containment was proposed" in text and "was not replayed" in text


async def test_the_narrative_names_roles_and_only_the_timeline_names_people(store: Store, clock: Clock) -> None:
    number = await told.whole(store, clock)
    page = compose(await told.about(store, number), label="AMBER")
    narrative = markdown(Page("", "", "", [one for one in page.sections if one.id != "timeline"], BLANK))
    assert told.ALICE not in narrative and told.BOB not in narrative
    assert "approved by commander" in narrative and "a responder" in narrative
    assert f"{told.ALICE} (commander)" in markdown(page).replace("\\", "")
    named = markdown(compose(await told.about(store, number, names=True), label="AMBER"))
    assert f"approved by commander ({told.ALICE})" in named.replace("\\", "")


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


async def test_hostile_text_is_shown_and_never_obeyed_in_any_form(store: Store, clock: Clock) -> None:
    number = await told.whole(store, clock, text=told.HOSTILE)
    made = files(await told.about(store, number))
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(made["inc-1-review.md"])
    inline = [child for token in tokens for child in token.children or ()]
    kinds = {token.type for token in [*tokens, *inline]}
    assert not kinds & {"link_open", "image", "html_block", "html_inline", "code_inline", "fence", "code_block"}
    assert not kinds & {"s_open", "bullet_list_open", "ordered_list_open", "blockquote_open", "lheading_open"}
    rows = [token for token in tokens if token.type == "tr_open"]
    assert rows and "⟨U+202E⟩" in made["inc-1-review.md"] and "\u202e" not in "".join(made.values())
    page = Tags()
    page.feed(made["inc-1-review.html"])
    assert not {tag for tag, _ in page.seen} & {"script", "img", "iframe", "link", "form", "object", "b"}
    assert all(
        str(value).startswith("#") for _, attrs in page.seen for key, value in attrs.items() if key in {"href", "src"}
    )
    assert "<script>alert(1)</script>" in "".join(page.text)
    for row in csv.reader(io.StringIO(made["inc-1-timeline.csv"])):
        assert len(row) == 7 and not any(cell.startswith(("=", "+", "-", "@")) for cell in row)
    assert json.loads(made["inc-1-review.json"])["format"] == "firsthour-review/1"


def test_no_hostile_cell_becomes_two_and_none_a_formula() -> None:
    page = Page("t", "l", "r", [Section("s", "S", "", [Table(("a", "b"), [(told.HOSTILE, "|x|"), (None, "")])])], BLANK)
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(markdown(page))
    assert sum(token.type == "td_open" for token in tokens) == 4
    assert html(page).count(BLANK) == 2
    assert plain("=1+1") == "'=1+1" and plain("\t=1") == "' =1" and plain("fine") == "fine"


def test_the_page_needs_nothing_from_outside_and_can_be_read_by_everybody() -> None:
    shown = html(Page("t", "TLP:RED", "r", [Section("s", "S", "", [Facts([("a", None)]), Text("x")])], BLANK))
    assert "default-src 'none'" in shown and 'lang="en"' in shown and "prefers-color-scheme: dark" in shown
    assert (
        '<th scope="row">' in shown and "@media print" in shown and "http://" not in shown and "https://" not in shown
    )


def test_times_out_of_order_are_said_and_are_no_duration() -> None:
    assert span(START, START - timedelta(hours=1)) == "unknown: the times are out of order"
    assert span(None, START) is None


async def test_a_review_of_times_out_of_order_says_so(store: Store, clock: Clock) -> None:
    number = await told.bare(store)
    clock.advance(hours=-2)
    async with store.unit() as unit:
        incident = await unit.incident(number)
        incident.detected_at, incident.contained_at = START, START - timedelta(hours=1)
        unit.record(incident, Happened.NOTE, SYSTEM, text="the clock was set back")
    text = files(await told.about(store, number))["inc-1-review.md"]
    assert "the clock had been set back" in text and "out of order" in text


async def test_an_incident_of_ninety_days_is_short_to_read_and_whole_in_the_csv(
    sqlite_store: Store, clock: Clock
) -> None:
    number = await told.lasting(sqlite_store, clock, entries=8_000)
    made = files(await told.about(sqlite_store, number))
    assert len(made["inc-1-review.md"]) < 60_000 and "alert attached × 1999" in made["inc-1-review.md"]
    assert made["inc-1-timeline.csv"].count("\n") == 8_002
    assert made["inc-1-review.md"].count("changed the severity") == 4, "what people decided is told one by one"


async def test_a_review_asked_for_again_knows_what_it_knew(store: Store, clock: Clock) -> None:
    number = await told.whole(store, clock)
    about = await told.about(store, number)
    before = files(about)
    async with store.unit() as unit:
        unit.record(await unit.incident(number), Happened.DOCUMENT_WRITTEN, SYSTEM, document="review", sha256="b" * 64)
    assert files(await told.about(store, number, upto=about.record.head)) == before
    assert files(await told.about(store, number)) != before


@pytest.mark.parametrize(
    "text", ["1. x", "- x", "# x", "> x", "    x", "a_b*c*", "http://x.y", "a|b", "\\|", "&amp;", "<!-- x"]
)
def test_escaped_text_reads_as_it_was_written(text: str) -> None:
    [paragraph] = [
        one for one in MarkdownIt("gfm-like", {"linkify": False}).parse(escaped(text)) if one.type == "inline"
    ]
    read = "".join(child.content for child in paragraph.children or ())
    assert read.strip() == text.strip()


@given(st.text(max_size=60))
@settings(max_examples=300, deadline=None)
def test_whatever_is_written_is_one_line_of_plain_text(text: str) -> None:
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(f"x {escaped(text)} x")
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    children = tokens[1].children or []
    assert {child.type for child in children} <= {"text", "text_special"}
    assert "".join(child.content for child in children).split() == f"x {visible(text)} x".split()


async def test_an_attempt_that_is_cut_short_leaves_its_work_to_the_next(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = await told.bare(sqlite_store)
    begun, go_on = [], threading.Event()

    def slow(about: About, label: str) -> tuple[Document, ...]:
        begun.append(label)
        go_on.wait(10)
        return review_files(about, label)

    monkeypatch.setattr("bot.review.documents.review_files", slow)
    make = makers(told.desk(sqlite_store))["review"]
    first = asyncio.ensure_future(make({"incident": number}))
    while not begun:
        await asyncio.sleep(0.001)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    go_on.set()
    assert len(await make({"incident": number})) == 4 and begun == ["AMBER"]


async def test_a_waiver_is_printed_with_who_waived_and_why(store: Store) -> None:
    number = await told.bare(store)
    async with store.unit() as unit:
        incident = await unit.incident(number)
        incident.validation_waived_at, incident.validation_waived_by = unit.now, told.ALICE
        incident.validation_waiver = "there was nothing to replay"
        unit.record(incident, Happened.ROLE_TAKEN, SYSTEM, person=told.ALICE, role="commander")
    text = files(await told.about(store, number))["inc-1-review.md"]
    assert "| Why | there was nothing to replay |" in text and "| Waived by | commander |" in text
    assert "The proof of the fix was waived" in text
