"""Several widgets on one page, in the programs that people open notebooks with.

What a widget does to the page around it, to its neighbours, and to who uses it without a mouse.
"""

import re

import pytest

from tests.widgets import browser

CELLS = (
    """import mailframe as mf
from tests.widgets.frames import make
mf.explore(make(900), tz="UTC", search="is:flagged")""",
    "explorer = mf.explore(make(2000, seed=7), tz='UTC'); explorer",
    "mf.dashboard(make(2000, seed=8), tz='UTC')",
    "def ask(): return explorer.set(folders=['nowhere'])\nask()",
)
# Notebook 7 raises this before there is anything of ours on its page.
OF_NOTEBOOK = "Cannot read properties of undefined (reading 'schema')"
# Of each chart of counts the bars: number, length as drawn, and whether another picture clips it.
BARS = """() => [...document.querySelectorAll("[data-chart]")].filter(chart =>
    chart.querySelector("path[aria-roledescription=bar][opacity='0']")).map(chart =>
    [...chart.querySelectorAll("path[aria-roledescription=bar]:not([opacity='0'])")].map(bar => {
        const said = bar.getAttribute("aria-label").match(/Messages: ([\\d,]+)/)[1];
        const clipped = bar.closest("[clip-path]")?.getAttribute("clip-path").match(/#(.*)\\)/)[1];
        const by = clipped && document.getElementById(clipped)?.closest("svg");
        return {
            count: Number(said.replace(/,/g, "")),
            width: bar.getBoundingClientRect().width,
            foreign: Boolean(by) && by !== bar.closest("svg"),
        };
    })).filter(bars => bars.length)"""
IDS = "() => [...document.querySelectorAll('svg [id]')].map(each => each.id)"


@pytest.fixture(scope="module", params=["lab", "notebook"])
def window(request, open_window, tmp_path_factory):
    home = tmp_path_factory.mktemp(request.param)
    browser.write_notebook(home / "mail.ipynb", *CELLS)
    program, address, first = {
        "lab": (browser.jupyterlab, "lab/tree", ".jp-NotebookPanel"),
        "notebook": (browser.notebook7, "notebooks", ".jp-NotebookPanel"),
    }[request.param]
    with program(home) as server:
        window = open_window(height=5000)  # JupyterLab draws what is in sight
        page = window.page
        page.goto(f"{server}/{address}/mail.ipynb")
        page.wait_for_selector(f"{first} .jp-CodeCell .cm-content")
        browser.run_cells(page, len(CELLS))
        window.wait("() => document.querySelectorAll('[data-ready=true]').length == 3")
        window.wait("() => document.querySelectorAll('.mf-explorer td.mf-subject').length == 24")
        yield window
        assert [error for error in window.errors if error != OF_NOTEBOOK] == []
        assert window.outside == []


@pytest.fixture
def page(window):
    return window.page


def test_bars_are_as_long_as_their_numbers_in_every_widget(page):
    charts = page.evaluate(BARS)
    assert len(charts) > 8
    for chart in charts:
        most = max(chart, key=lambda bar: bar["count"])
        for bar in chart:
            assert not bar["foreign"]
            expected = most["width"] * bar["count"] / most["count"]
            assert bar["width"] == pytest.approx(expected, abs=1.5)
    ids = page.evaluate(IDS)
    assert len(ids) == len(set(ids))


def test_a_letter_typed_in_the_table_or_on_a_button_stays_in_the_widget(page):
    cells = page.locator(".jp-CodeCell").count()
    explorer = page.locator(".mf-explorer").first
    explorer.locator("td.mf-subject").first.click()
    page.keyboard.press("x")
    explorer.locator(".mf-actions button:enabled").first.focus()
    for key in ("x", "d", "d", "a", "z"):
        page.keyboard.press(key)
    assert page.locator(".jp-CodeCell").count() == cells
    assert page.locator(".mf-explorer").count() == 2
    page.keyboard.press("Escape")


def test_the_table_is_used_by_keys_alone_and_a_question_mark_tells_them(page):
    explorer = page.locator(".mf-explorer").nth(1)
    subject = "() => document.activeElement.querySelector('.mf-subject')?.innerText"
    explorer.locator("tbody tr[tabindex='0']").focus()
    shown = explorer.locator("td.mf-subject").all_inner_texts()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert page.evaluate(subject) == shown[2]
    page.keyboard.press("End")
    assert page.evaluate(subject) == shown[-1]
    page.keyboard.press("ArrowDown")  # on to the next page
    explorer.locator(".dt-info >> text=13 to 24").wait_for()
    assert page.evaluate(subject) == explorer.locator("td.mf-subject").first.inner_text()
    page.keyboard.press("Enter")
    explorer.locator(".mf-message h3").wait_for(state="visible")
    page.keyboard.press("Escape")
    explorer.locator(".mf-message h3").wait_for(state="hidden")
    page.keyboard.press("Home")
    page.keyboard.press("?")
    page.wait_for_selector("dialog.mf-keys[open] >> text=Close the message")
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog.mf-keys[open]", state="detached")
    explorer.locator(".mf-search input").focus()
    page.keyboard.type("?")
    assert explorer.locator(".mf-search input").input_value() == "?"
    page.keyboard.press("Backspace")


def test_a_chart_is_ticked_and_takes_the_place_of_the_oldest(page, window):
    explorer = page.locator(".mf-explorer").nth(1)
    explorer.locator(".mf-choose summary").click()
    explorer.locator(".mf-choose label", has_text="Domains").click()
    explorer.locator("[data-chart=domains] path[aria-roledescription=bar]").first.wait_for(
        state="attached"
    )
    explorer.locator("[data-chart=volume]").wait_for(state="detached")
    assert explorer.locator("[data-chart]").count() == 4
    assert (
        not explorer.locator(".mf-choose label", has_text="Over time").locator("input").is_checked()
    )


def test_nothing_in_the_widgets_keeps_people_out_in_light_or_dark(page, window, request):
    dark = "notebook" in request.node.name
    assert page.evaluate("document.body.dataset.jpThemeLight") == str(not dark).lower()
    assert window.barriers(".mf-explorer") == []
    assert window.barriers(".mf-dashboard") == []


def test_a_refused_call_shows_the_line_and_the_sentence(page):
    told = page.locator(".jp-CodeCell").nth(3).locator(".jp-OutputArea").inner_text()
    lines = [line for line in told.splitlines() if line.strip()]
    assert len(lines) <= 4
    assert re.search(r"In ?\[\d+\], line 1", lines[0])
    assert "explorer.set(folders=['nowhere'])" in lines[1]
    assert lines[2].startswith(
        "ConfigurationError: no folder 'nowhere' here; there are 'Archive/2023'"
    )
