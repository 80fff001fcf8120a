"""The explorer as its users have it: a notebook in JupyterLab, run by hand, in a real browser."""

import json
import re
import time

import pandas as pd
import pytest

from tests.widgets import browser
from tests.widgets.frames import HOSTILE, make

COUNT = 20_000
MAIL = make(COUNT)
CELLS = (
    f"""
    import json, pathlib
    import mailframe as mf
    from tests.widgets.frames import make

    explorer = mf.explore(make({COUNT}))
    def note(change):
        seen = {{"query": explorer.query, "rows": change["new"].index.tolist()}}
        pathlib.Path("seen.part").write_text(json.dumps(seen))
        pathlib.Path("seen.part").rename("seen.json")
    explorer.observe(note, "data")
    explorer
    """,
)


class Screen:
    """The explorer on the screen, and what its ``data`` holds in the kernel."""

    def __init__(self, window, home):
        self.window = window
        self.page = window.page
        self.seen_file = home / "seen.json"

    def type_search(self, line):
        self.page.fill(".mf-search input", line)

    def count(self):
        return int(self.page.inner_text(".mf-said b").replace(",", ""))

    def chips(self):
        return [
            chip.removesuffix(" ✕")
            for chip in self.page.locator(".mf-chips button").all_inner_texts()
        ]

    def column(self, name):
        return [text.strip() for text in self.page.locator(f"td.mf-{name}").all_inner_texts()]

    def data(self, holds):
        """`explorer.data` once `holds(frame, query)`; the line of pandas must give the same."""
        until = time.monotonic() + browser.PATIENCE
        frame = query = None
        while time.monotonic() < until:
            if self.seen_file.exists():
                seen = json.loads(self.seen_file.read_text())
                frame, query = MAIL.loc[seen["rows"]], seen["query"]
                if holds(frame, query):
                    assert eval(query, {"df": MAIL, "pd": pd}).index.equals(frame.index)
                    self.page.wait_for_selector(f".mf-said b >> text='{len(frame):,}'")
                    return frame
            time.sleep(0.05)
        raise AssertionError(f"explorer.data never became that; last it was {query}")

    def clear(self):
        """Take back every filter: the last chip is "Clear all", or the only one."""
        if self.count() != COUNT:
            self.page.locator(".mf-chips button").last.click()
            self.page.wait_for_selector(f".mf-said b >> text='{COUNT:,}'")
        self.page.wait_for_selector(".mf-chips button", state="detached")
        self.seen_file.unlink(missing_ok=True)


@pytest.fixture(scope="module")
def running(open_window, tmp_path_factory):
    home = tmp_path_factory.mktemp("lab")
    browser.write_notebook(home / "mail.ipynb", *map(_dedent, CELLS))
    with browser.jupyterlab(home) as address:
        window = open_window()
        window.page.goto(f"{address}/lab/tree/mail.ipynb")
        window.page.wait_for_selector("text=Python 3 (ipykernel) | Idle")
        window.page.locator(".jp-CodeCell .cm-content").first.click()
        window.page.keyboard.press("Shift+Enter")
        window.page.wait_for_selector(".mailframe [data-ready=true]")
        window.page.wait_for_selector("td.mf-subject")
        yield Screen(window, home)


def _dedent(cell):
    return re.sub(r"(?m)^    ", "", cell).strip()


@pytest.fixture
def screen(running):
    running.clear()
    yield running
    assert running.window.outside == []
    assert running.window.errors == []
    assert running.page.title() != "owned"


def test_a_search_changes_count_chips_table_charts_and_data(screen):
    screen.type_search("from:ann plan is:unread")
    data = screen.data(lambda frame, _: 0 < len(frame) < COUNT / 10)
    assert screen.chips() == ["from:ann", "plan", "is:unread", "Clear all"]
    assert data["from_name"].str.contains("ann", case=False).all()
    screen.window.wait("() => document.querySelector('td.mf-subject').innerText.match(/plan/i)")
    newest = data.sort_values("date", ascending=False, kind="stable")
    assert screen.column("from") == newest["from_name"].head(12).tolist()
    top = screen.page.locator("[data-chart=senders] svg").text_content()
    assert data["from_name"].value_counts().index[0] in top


def test_a_chip_is_taken_away_with_a_click(screen):
    screen.type_search("is:unread is:flagged")
    both = screen.data(lambda frame, _: not frame["seen"].any() and frame["flagged"].all())
    screen.page.click(".mf-chips button >> text=is:unread")
    one = screen.data(lambda frame, _: frame["flagged"].all() and frame["seen"].any())
    assert len(one) > len(both)
    assert screen.page.input_value(".mf-search input") == "is:flagged"


def test_a_mistake_is_told_and_changes_nothing(screen):
    screen.type_search("is:flagged")
    flagged = screen.data(lambda frame, _: len(frame) < COUNT)
    screen.type_search("is:flagged before:2024-13")
    screen.page.press(".mf-search input", "Enter")
    screen.page.wait_for_selector(".mf-said [role=alert] >> text=2024-05-31")
    assert screen.count() == len(flagged)
    screen.type_search("is:flagged")
    screen.window.wait("() => !document.querySelector('.mf-said [role=alert]')")


def test_nobody_judges_a_term_that_is_still_being_typed(screen):
    field = screen.page.locator(".mf-search input")
    field.press_sequentially("is:unread bef", delay=30)
    unread = screen.data(lambda frame, _: not frame["seen"].any())
    field.press_sequentially("ore:2024-1", delay=30)
    screen.data(lambda frame, query: "Timestamp" in query and len(frame) < len(unread))
    field.press_sequentially("3", delay=30)
    screen.data(lambda frame, _: len(frame) == len(unread))
    assert screen.page.locator(".mf-said [role=alert]").count() == 0
    field.press("Enter")
    screen.page.wait_for_selector(".mf-said [role=alert] >> text=2024-05-31")
    assert field.input_value() == "is:unread before:2024-13"


def test_a_term_is_completed_by_the_keyboard(screen):
    field = screen.page.locator(".mf-search input")
    field.press_sequentially("is:unread in:in", delay=30)
    # Each letter brings offers of its own: these are of the last.
    offer = screen.page.locator(".mf-offers li:first-child:has-text('INBOX')")
    offer.wait_for()
    unread = MAIL[~MAIL["seen"]]
    count = f"{(unread['folder'] == 'INBOX').sum():,}"
    assert offer.inner_text().split() == ["INBOX", count]
    field.press("Tab")
    assert field.input_value() == "is:unread in:INBOX "
    data = screen.data(lambda frame, _: set(frame["folder"]) == {"INBOX"})
    assert not data["seen"].any()
    field.press_sequentially("-dom", delay=30)
    screen.page.wait_for_selector(".mf-offers li:only-child >> text=domain:")
    field.press("ArrowDown")
    field.press("Enter")
    assert field.input_value() == "is:unread in:INBOX -domain:"
    screen.page.wait_for_selector(".mf-offers li .mf-count")
    field.press("Escape")
    assert not screen.page.is_visible(".mf-offers")
    screen.page.click(".mf-ask")
    assert "newer_than:7d" in screen.page.inner_text(".mf-language")
    screen.page.keyboard.press("Escape")
    assert not screen.page.is_visible(".mf-language")


def test_a_heading_sorts_the_whole_result_and_pages_follow(screen):
    screen.page.click("th.mf-subject")
    subjects = MAIL["subject"].fillna("").str.lower()
    expected = sorted(subjects)
    wait = "text => document.querySelector('td.mf-subject').innerText.toLowerCase().trim() == text"
    screen.window.wait(wait, expected[0])
    screen.page.click("th.mf-subject")
    expected.reverse()
    screen.window.wait(wait, expected[0].strip())
    screen.page.click(".dt-paging button >> text='3'")
    screen.page.wait_for_selector(".dt-info >> text=25 to 36 of 20,000")
    assert [text.lower() for text in screen.column("subject")] == [
        t.strip() for t in expected[24:36]
    ]
    screen.page.click("th.mf-date")
    screen.page.click("th.mf-date")
    newest = MAIL["date"].max().strftime("%Y-%m-%d %H:%M")
    screen.window.wait("t => document.querySelector('td.mf-date').innerText == t", newest)


def test_a_click_on_a_row_shows_the_message_and_its_thread(screen):
    replies = MAIL[MAIL["references"].list.len() > 0]
    wanted = replies[replies["subject"].str.contains("#")].iloc[-1]
    screen.type_search(f'"{wanted["subject"]}"')
    screen.data(lambda frame, _: len(frame) == 1)
    screen.window.wait("() => document.querySelectorAll('td.mf-subject').length == 1")
    screen.page.click("td.mf-subject")
    screen.page.wait_for_selector(f".mf-message >> text={wanted['message_id']}")
    told = screen.page.inner_text(".mf-message")
    assert wanted["subject"] in told
    assert f"UID {wanted['uid']}" in told
    screen.page.click("text=Only this thread")
    thread = wanted["references"][0]
    data = screen.data(lambda _frame, query: thread in query)
    assert wanted.name in data.index


def test_a_brush_over_the_volume_becomes_a_period(screen):
    screen.window.drag("[data-chart=volume] svg", (0.3, 0.4), (0.5, 0.5))
    data = screen.data(lambda frame, query: len(frame) < COUNT / 2 and "Timestamp" in query)
    assert [chip.partition(":")[0] for chip in screen.chips()] == ["since", "before", "Clear all"]
    assert data["date"].notna().all()
    span = data["date"].max() - data["date"].min()
    assert pd.Timedelta(days=200) < span < pd.Timedelta(days=400)  # a fifth of four years
    spark = screen.page.locator(".mf-days input").first.input_value()
    assert spark == data["date"].min().strftime("%Y-%m-%d")


def test_a_brush_over_the_clock_becomes_weekdays_and_hours(screen):
    screen.window.drag("[data-chart=clock] svg", (0.5, 0.05), (0.6, 0.3))
    data = screen.data(lambda _frame, query: "day_of_week" in query and "hour" in query)
    assert set(data["date"].dt.day_of_week) <= {0, 1, 2, 3}  # to a pixel or two
    assert data["date"].dt.hour.between(8, 16).all()


def test_a_click_on_a_bar_chooses_that_sender(screen):
    top = MAIL["from_addr"].value_counts().index[0]
    bar = screen.page.locator("[data-chart=senders] path[aria-roledescription=bar]").first
    bar.click(force=True)
    data = screen.data(lambda _frame, query: top in query)
    assert data["from_addr"].str.contains(top).all()


def test_the_slider_moves_with_the_keyboard(screen):
    handle = screen.page.locator(".mf-range .noUi-handle-lower")
    handle.focus()
    for _ in range(6):
        screen.page.keyboard.press("ArrowRight")
    data = screen.data(lambda _frame, query: "2021-07-01" in query)
    assert data["date"].min() >= pd.Timestamp("2021-07-01", tz="UTC")


def test_folders_are_chosen_in_the_tree_with_what_is_under_them(screen):
    screen.page.click(".mf-folders label >> text=Lists")
    data = screen.data(lambda frame, _: len(frame) < COUNT)
    assert set(data["folder"]) == {"Lists/dev", "Lists/users"}
    assert screen.page.locator(".mf-folders input:checked").count() == 3


def test_markup_in_a_subject_is_text_everywhere(screen):
    screen.type_search('subject:"img src=x"')
    screen.data(lambda frame, _: 0 < len(frame) < COUNT / 10)
    screen.window.wait("text => document.querySelector('td.mf-subject').innerText == text", HOSTILE)
    screen.page.click("td.mf-subject >> nth=0")
    shown = "text => document.querySelector('.mf-message h3')?.innerText == text"
    screen.window.wait(shown, HOSTILE)
    assert screen.page.locator(".mailframe img").count() == 0


def test_files_are_saved_from_the_page(screen):
    screen.type_search("is:flagged from:ann")
    data = screen.data(lambda frame, _: 0 < len(frame) < COUNT / 10)
    with screen.page.expect_download() as download:
        screen.page.click(".mf-actions button >> text=CSV")
    assert len(pd.read_csv(download.value.path())) == len(data)
    with screen.page.expect_download() as download:
        screen.page.click(".mf-actions button >> text=Report")
    assert download.value.suggested_filename == "mail.html"
    assert f"{len(data):,}" in download.value.path().read_text()


def test_threads_are_rows_and_the_message_is_read_on_from_its_pane(screen):
    page = screen.page
    page.click(".mf-ways button >> text=Threads")
    threads = MAIL.mail.threads()
    page.wait_for_selector(f".dt-info >> text=1 to 12 of {len(threads):,} threads")
    for _ in range(2):  # up, then down
        page.click("th.mf-messages")
    longest = str(threads["messages"].max())
    screen.window.wait("n => document.querySelector('td.mf-messages').innerText == n", longest)
    page.locator("td.mf-subject").first.click()
    page.wait_for_selector(f".mf-message h4 >> text=Thread of {longest}")
    page.locator(".mf-message li button").nth(1).click()
    page.wait_for_selector(".mf-message li:nth-child(2)[aria-current]")
    page.click(".mf-bar button >> text=Next")
    page.wait_for_selector("tbody tr:nth-child(2).mf-open")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    for button, form in ((-1, r"<.+@.+>"), (0, r"/.+/;UID=\d+")):
        page.locator(".mf-message .mf-copy").nth(button).click()
        page.wait_for_selector(".mf-message .mf-copy >> text=Copied")
        copied = page.evaluate("navigator.clipboard.readText()")
        assert re.fullmatch(form, copied)
        page.wait_for_selector(".mf-message .mf-copy >> text=Copied", state="detached")
    page.keyboard.press("Escape")
    page.wait_for_selector(".mf-message h3", state="hidden")
    page.locator("td.mf-marks input").nth(3).click()
    ticked = int(page.locator("td.mf-messages").nth(3).inner_text())
    page.wait_for_selector(f".mf-said >> text={ticked:,} ticked")
    with page.expect_download() as download:
        page.click(".mf-actions button >> text=CSV")
    assert len(pd.read_csv(download.value.path())) == ticked
    page.locator("td.mf-marks input").nth(3).click()
    page.click(".mf-ways button >> text=Messages")
    page.wait_for_selector(f".dt-info >> text=of {COUNT:,} messages")
    page.click("th.mf-date")
    page.click("th.mf-date")


def test_columns_are_chosen_and_drawn_wider(screen):
    page = screen.page
    page.click(".mf-columns summary")
    page.get_by_label("To", exact=True).check()
    newest = MAIL.sort_values("date", ascending=False, kind="stable").iloc[0]
    shown = "text => document.querySelector('td.mf-to')?.innerText == text"
    screen.window.wait(shown, ", ".join(newest["to"]))
    page.get_by_label("To", exact=True).uncheck()
    page.wait_for_selector("td.mf-to", state="detached")
    page.keyboard.press("Escape")
    assert not page.is_visible(".mf-columns label")
    heading = page.locator("th.mf-from")
    before = heading.bounding_box()
    x, y = before["x"] + before["width"] - 3, before["y"] + 8
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 70, y)
    page.mouse.up()
    assert heading.bounding_box()["width"] == pytest.approx(before["width"] + 70, abs=3)
    assert page.locator("tr.mf-open").count() == 0
    page.locator("th.mf-from[tabindex], th.mf-from [tabindex]").first.focus()
    page.keyboard.press("Alt+ArrowLeft")
    assert heading.bounding_box()["width"] == pytest.approx(before["width"] + 50, abs=3)
    page.locator("th.mf-from .mf-grip").dblclick()
    assert heading.bounding_box()["width"] == pytest.approx(before["width"], abs=3)


def test_a_brush_counts_while_it_is_drawn_and_a_click_takes_the_month(screen):
    page = screen.page
    plot = page.locator("[data-chart=clock] svg")
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.1 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.3 * box["height"], steps=3)
    page.wait_for_selector("[data-chart=clock] .mf-counted >> text=/^[\\d,]+ messages$/")
    told = page.inner_text("[data-chart=clock] .mf-counted")
    page.mouse.up()
    data = screen.data(lambda _frame, query: "day_of_week" in query)
    assert told == f"{len(data):,} messages"
    page.click(".mf-actions button[aria-label^=Undo]")
    screen.data(lambda frame, _: len(frame) == COUNT)
    bar = page.locator("[data-chart=volume] path[aria-label*='Oct 2021']").first
    bar.click(force=True)
    data = screen.data(lambda _frame, query: "Timestamp" in query)
    assert screen.chips()[:2] == ["since:2021-10-01", "before:2021-11-01"]
    assert len(data) == (MAIL["date"].dt.strftime("%Y-%m") == "2021-10").sum()


def test_what_a_slider_says_moves_with_its_handle(screen):
    page = screen.page
    handle = page.locator(".mf-range .noUi-handle-lower").bounding_box()
    page.mouse.move(handle["x"] + 5, handle["y"] + 5)
    page.mouse.down()
    page.mouse.move(handle["x"] + 70, handle["y"] + 5, steps=5)
    screen.window.wait("() => document.querySelector('.mf-days input').value > '2021-06'")
    page.mouse.up()

    def agree(frame, _query):
        day = page.locator(".mf-days input").first.input_value()
        return len(frame) < COUNT and f"{frame['date'].min():%Y-%m}" == day[:7]

    screen.data(agree)
