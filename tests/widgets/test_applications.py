"""Dashboard, form and report, each where people meet it: Voilà, and a file opened from disk."""

import datetime as dt
import json
import re

import numpy as np
import pandas as pd
import pytest

import mailframe as mf
from mailframe.widgets.dashboard import contents
from tests.servers.dovecot import PASSWORD
from tests.servers.relay import Relay
from tests.stats import letters
from tests.widgets import browser
from tests.widgets.frames import HOSTILE, make

FOLDERS, MESSAGES = 24, 300  # a bar moves folder by folder
START = dt.datetime(2023, 1, 1, tzinfo=dt.UTC)
# Parts of an explorer that reach beyond its right edge.
SPILT = """() => {
    const edge = document.querySelector(".broad").getBoundingClientRect().right + 1;
    return [...document.querySelectorAll(".broad :is(.mf-figure, .mf-chip, table, svg, label, h3)")]
        .filter(part => part.getBoundingClientRect().right > edge).map(part => part.className);
}"""
SELECTED = ".mf-selection b"


def numbers(page, chart):
    """What a bar chart says, as a reader of the page sees it: label → count."""
    bars = page.locator(f"[data-chart={chart}] path[aria-roledescription=bar][opacity='0']")
    found = (
        re.search(r"label: (.*?); .*Messages: ([\d,]+)", text)
        for text in bars.evaluate_all("bars => bars.map(bar => bar.getAttribute('aria-label'))")
    )
    return {match[1]: int(match[2].replace(",", "")) for match in found}


# -- the report, from disk --------------------------------------------------------------------


@pytest.fixture(scope="module")
def mail():
    mail = make(4000)
    mail.loc[mail["from_addr"] == mail["from_addr"].mode()[0], "from_name"] = HOSTILE
    return mail


@pytest.fixture(scope="module")
def report(mail, tmp_path_factory):
    return mf.report(mail, tmp_path_factory.mktemp("report") / "mail.html", title=f"Mail {HOSTILE}")


@pytest.fixture
def opened(report, open_window):
    window = open_window()
    window.page.goto(report.as_uri())
    window.page.wait_for_selector("[data-ready=true]")
    yield window
    assert window.outside == []
    assert window.errors == []
    assert window.page.title() == f"Mail {HOSTILE}"
    window.page.close()


def test_a_report_says_the_numbers_that_matter_first(opened, mail):
    top = opened.page.inner_text(".mf-numerals")
    assert f"{len(mail):,}" in top
    assert f"{(~mail['seen']).sum():,}" in top
    assert f"{mail['from_addr'].nunique():,}" in top
    dates = mail["date"].dropna()
    assert f"{dates.min():%d %B %Y} to {dates.max():%d %B %Y}" in opened.page.inner_text("header")


def test_a_brush_in_a_report_moves_every_other_chart(opened, mail):
    before = numbers(opened.page, "domains")
    assert before == mail["from_domain"].value_counts().to_dict()
    opened.drag("[data-chart=volume] svg", (0.4, 0.4), (0.6, 0.5))
    opened.page.wait_for_selector(SELECTED)
    opened.wait(
        "() => !document.querySelector('[data-chart=domains] [aria-label*=\"Messages: 4,\"]')"
    )
    after = numbers(opened.page, "domains")
    share = sum(after.values()) / sum(before.values())
    assert 0.15 < share < 0.3
    opened.page.click("text=Show all")
    opened.page.wait_for_selector(".mf-selection >> text=Click a bar")
    assert numbers(opened.page, "domains") == before


def test_a_choice_ranks_every_name_anew_and_counts_all_others(opened, mail):
    page = opened.page
    page.locator("[data-chart=state] [aria-label*='label: unread']").first.click(force=True)
    unread = mail[~mail["seen"]]
    page.wait_for_selector(f".mf-selection >> text={len(unread):,} unread")
    opened.wait(
        "n => document.querySelector('[data-chart=senders] svg').textContent.includes(n)",
        f"{unread['from_addr'].value_counts().iloc[0]:,}",
    )
    told = numbers(page, "senders")
    counts = unread["from_addr"].value_counts()
    assert told.pop("all others") == counts.iloc[10:].sum()
    assert list(told.values()) == counts.head(10).tolist()
    before = len(unread)
    page.locator("[data-chart=senders] path[aria-label*='all others']").first.click(force=True)
    assert page.inner_text(SELECTED) == f"{before:,}"
    assert "Whole mailbox" in page.inner_text("header")
    page.click("text=Show all")


def test_a_click_chooses_and_a_second_one_takes_it_back(opened, mail):
    page = opened.page
    inbox = mail[mail["folder"] == "INBOX"]
    bar = page.locator("[data-chart=folders] [aria-label*='label: INBOX']").first
    bar.click(force=True)
    page.wait_for_selector(f"{SELECTED} >> text={len(inbox):,}")
    opened.wait(
        "n => document.querySelector('[data-chart=lists] svg').textContent.includes(n)",
        f"{inbox['list_id'].value_counts().iloc[0]:,}",
    )
    assert numbers(page, "lists") == inbox["list_id"].value_counts().to_dict()
    page.locator("[data-chart=folders] [aria-label*='label: INBOX']").first.click(force=True)
    page.wait_for_selector(".mf-selection >> text=Click a bar")


def test_markup_in_names_is_text_in_charts_tooltips_and_tables(opened):
    page = opened.page
    assert page.inner_text("h1") == f"Mail {HOSTILE}"
    page.locator("[data-chart=senders] path[aria-roledescription=bar]").first.hover(force=True)
    page.wait_for_selector("#vg-tooltip-element.visible")
    assert HOSTILE in page.inner_text("#vg-tooltip-element")
    page.locator("[data-chart=senders] summary").click()
    assert HOSTILE in page.inner_text("[data-chart=senders] table")
    assert page.locator("img").count() == 0


def test_each_chart_has_a_text_that_says_what_it_shows(opened, mail):
    texts = opened.page.locator("[role=img]").evaluate_all(
        "plots => plots.map(plot => plot.getAttribute('aria-label'))"
    )
    assert sorted(texts) == sorted(figure.text for figure in contents(mail).figures)
    told = [text for text in texts if re.search(r"Most: .+, [\d,]+ messages\.$", text)]
    assert len(told) == 11  # the linked ones; what stands still says of what it is
    top = mail["from_domain"].value_counts()
    assert any(f"Most: {top.index[0]}, {top.iloc[0]:,} messages" in text for text in texts)


@pytest.mark.parametrize("dark", [False, True])
def test_a_report_is_readable_in_light_dark_and_on_paper(report, open_window, dark):
    window = open_window(width=700, dark=dark)
    page = window.page
    page.goto(report.as_uri())
    page.wait_for_selector("[data-ready=true]")
    assert page.evaluate("document.documentElement.scrollWidth") <= 700
    assert contrast(page, "[data-chart=senders] text", "body") > 4.5
    assert contrast(page, "h1", "body") > 7
    assert window.barriers("main") == []
    page.emulate_media(media="print")
    assert contrast(page, "[data-chart=senders] text", "body") > 4.5
    assert page.pdf(format="A4").startswith(b"%PDF")
    page.close()


# Bar charts whose names reach into their bars.
CRAMPED = """() => {
    const edge = (chart, parts, side) => [...chart.querySelectorAll(parts)]
        .map(part => part.getBoundingClientRect()[side]);
    return [...document.querySelectorAll("[data-chart]")].filter(chart =>
        Math.max(...edge(chart, ".role-axis-label text", "right")) >
        Math.min(...edge(chart, "path[aria-roledescription=bar]", "left"))
    ).map(chart => chart.dataset.chart);
}"""


@pytest.mark.parametrize("width", [340, 420, 500, 700])
def test_a_report_leaves_room_for_names_and_bars_on_any_screen(report, open_window, width):
    window = open_window(width=width)
    window.page.goto(report.as_uri())
    window.page.wait_for_selector("[data-ready=true]")
    assert window.page.evaluate("document.documentElement.scrollWidth") <= width
    assert set(window.page.evaluate(CRAMPED)) <= {"volume"}  # its days stand below its bars
    window.page.close()


def contrast(page, front, back):
    """Contrast ratio of WCAG 2 between a text and what is behind it."""
    colours = page.evaluate(
        """([front, back]) => {
            const text = getComputedStyle(document.querySelector(front));
            return [text.fill.startsWith("rgb") && front.includes("text") ? text.fill : text.color,
                    getComputedStyle(document.querySelector(back)).backgroundColor];
        }""",
        [front, back],
    )
    light = sorted(_luminance(*map(int, re.findall(r"\d+", colour)[:3])) for colour in colours)
    return (light[1] + 0.05) / (light[0] + 0.05)


def _luminance(*rgb):
    parts = [c / 255 / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in rgb]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def test_a_report_holds_no_message_and_stays_small(report, mail):
    text = report.read_text()
    assert report.stat().st_size < 5_000_000
    assert report.stat().st_mode & 0o077 == 0
    assert mail["message_id"].iloc[0] not in text
    assert not any(
        subject in text for subject in mail["subject"].dropna().head(50) if "#" in subject
    )
    assert not re.search(r'(?:src|href)\s*=\s*["\']?(?:https?:)?//', text.partition("<script")[0])


def test_a_report_replaces_a_file_only_when_it_is_complete(tmp_path):
    target = tmp_path / "mail.html"
    target.write_text("before")
    with pytest.raises(mf.ConfigurationError):
        mf.report(pd.DataFrame({"a": [1]}), target)
    assert target.read_text() == "before"
    mf.report(make(10), target)
    assert "<!doctype html>" in target.read_text()
    assert [path.name for path in tmp_path.iterdir()] == ["mail.html"]


@pytest.mark.parametrize("count", [0, 1])
def test_a_tiny_mailbox_makes_a_report_without_a_fault(count, open_window, tmp_path):
    window = open_window()
    window.page.goto(mf.report(make(count), tmp_path / "mail.html").as_uri())
    window.page.wait_for_selector("[data-ready=true]")
    assert window.errors == []
    said = window.page.locator(".mf-numerals div").all_inner_texts()
    assert said[0].split("\n") == [str(count), "message" if count == 1 else "messages"]
    window.page.close()


def test_the_numbers_above_are_those_of_the_statistics():
    question = letters.mail("q", "bob", "me", 0)
    late = letters.mail("late", "BOB", "me", 10) | {"date": pd.Timestamp("9999", tz="UTC")}
    df = letters.frame(
        question,
        question | {"folder": "Archive"},
        letters.mail("a", "me", "bob", 120, under="q"),
        letters.mail("n", "cara", "me", 5, auto=True),
        letters.mail("f", "me", "cara", 6, under="n"),
        late,
    )
    numbers = {name: number for number, name in contents(df, tz="UTC").numbers}
    assert numbers["messages (6 with copies)"] == "5"
    assert numbers["median time of your 1 reply"] == "2 h"
    assert numbers["senders"] == "3"
    assert numbers["message with an impossible date, by arrival"] == "1"
    assert numbers["a day on average"] == "6.0"
    period = "03 June 2024; the charts count a mail in every folder that it lies in"
    assert contents(df, tz="UTC").period == period
    assert ("\N{EN DASH}", "median time of your replies") in contents(df, me="x@y.org").numbers


def test_a_mailbox_without_a_date_has_no_messages_a_day():
    shown = contents(make(10).assign(date=pd.NaT, internaldate=pd.NaT))
    assert ("\N{EN DASH}", "a day on average") in shown.numbers


def test_a_cube_crosses_every_two_charts_exactly():
    mail = make(800)
    cube = contents(mail).cube
    folders = [row["key"] for row in cube["rows"]["folders"]]
    domains = [row["key"] for row in cube["rows"]["domains"]]
    packed = cube["pairs"]["domains folders"]
    crossed = np.concatenate([np.zeros(-n) if n < 0 else [n] for n in packed])
    crossed = crossed.reshape(len(domains), len(folders))
    expected = pd.crosstab(mail["from_domain"], mail["folder"]).loc[domains, folders]
    assert (crossed == expected.to_numpy()).all()


def test_a_cube_stays_small_however_large_the_mailbox():
    sizes = [len(json.dumps(contents(make(count)).cube)) for count in (5_000, 50_000)]
    assert sizes[1] < 2 * sizes[0]
    assert sizes[1] < 1_000_000


# -- Voilà ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def application(tmp_path_factory, dovecot):
    """Voilà with a dashboard, and a form on a server whose first connections fall silent."""
    user = "connecting"
    for number in range(FOLDERS):
        dovecot.deliver(user, f"Archive{number}", map(_message, range(MESSAGES)))
    dovecot.deliver(user, "INBOX", map(_message, range(40)))
    home = tmp_path_factory.mktemp("voila")
    # The listing is one connection, the fetch at most four: those stall, what comes after does not.
    with Relay(dovecot.port, stall_after=200_000, stall=600, faulty=5) as relay:
        notebook = browser.write_notebook(
            home / "application.ipynb",
            "import mailframe as mf\nfrom tests.widgets.frames import broad, make",
            "mf.dashboard(make(3000))",
            f'mf.connect("imap://127.0.0.1:{relay.port}", "{user}")',
            'mf.explore(broad(), search="example").add_class("broad")',
        )
        with browser.voila(home, notebook) as address:
            yield address


def _message(number):
    date = START + dt.timedelta(hours=number)
    return (
        f"From: Person {number % 9} <p{number % 9}@example.org>\r\nTo: c@example.org\r\n"
        f"Subject: note {number}\r\nDate: {date:%d %b %Y %H:%M:%S} +0000\r\n"
        f"Message-ID: <{number}@example.org>\r\n\r\nHello\r\n"
    ).encode()


def test_dashboard_and_form_work_as_an_application(application, open_window):
    window = open_window()
    page = window.page
    page.goto(application)
    page.wait_for_selector("[data-ready=true]")

    before = numbers(page, "state")
    page.locator("[data-chart=folders] path[aria-roledescription=bar]").first.click(force=True)
    page.wait_for_selector(SELECTED)
    chosen = int(page.inner_text(SELECTED).replace(",", ""))
    assert sum(numbers(page, "state").values()) == chosen < sum(before.values())

    page.wait_for_selector(".broad [data-ready=true]")
    page.wait_for_selector(".broad td.mf-subject")
    page.locator(".broad td.mf-subject").first.click()
    page.wait_for_selector(".broad .mf-message h3")
    for width in (1400, 700):
        page.set_viewport_size({"width": width, "height": 1000})
        window.wait("width => document.querySelector('.broad').clientWidth <= width", width)
        assert page.evaluate(SPILT) == []

    page.fill("input[type=password]", "mistaken")
    page.click("button >> text=List folders")
    page.wait_for_selector(".mf-told [role=alert]")
    assert "mistaken" not in page.inner_text(".mf-told [role=alert]")

    page.fill("input[type=password]", PASSWORD)
    page.click("button >> text=List folders")
    page.wait_for_selector(f".mf-connect .mf-count >> text={MESSAGES} >> nth={FOLDERS - 1}")
    page.click("button >> text=Fetch")
    page.wait_for_selector(f".mf-told >> text=/[1-9][0-9,]* of {FOLDERS * MESSAGES + 40:,}/")
    page.click("button >> text=Cancel")
    page.wait_for_selector(".mf-told >> text=Cancelled")

    page.click(".mf-connect .mf-folders label >> text=INBOX")
    page.click("button >> text=Fetch")
    page.wait_for_selector(".mf-explorer .mf-said >> text=40 of 40 messages")
    page.wait_for_selector("td.mf-subject >> text='note 39'")

    assert window.outside == []
    assert window.errors == []
    page.close()
