"""The picture of who writes to whom, and the graph for other programs."""

import re
import xml.etree.ElementTree as ET

import pandas as pd
import pytest

import mailframe as mf
from mailframe.errors import ConfigurationError
from mailframe.widgets.contactmap import FONT, _apart, _chosen, _placed

nx = pytest.importorskip("networkx")
pytest.importorskip("sknetwork")
ME = "me@example.org"
SVG = "{http://www.w3.org/2000/svg}"


def mailbox(people=60, groups=4):
    """Everybody writes to me and to the next ones of their own group; a few to another group."""
    rows = []
    for number in range(people):
        own = number % groups
        others = [(number + groups * step) % people for step in (1, 2)]
        if number < groups:
            others.append((number + 1) % people)
        rows.append(
            {
                "from_addr": f"P{number}@example.net",
                "from_name": f"<Person & {number}>" if number else "A\x1b[31mB",
                "to": [ME, *(f"p{other}@example.net" for other in others)],
                "cc": [],
                "date": pd.Timestamp("2024-01-01", tz="UTC") + pd.Timedelta(hours=number),
                "message_id": f"{number}@{own}",
                "folder": "INBOX",
            }
        )
    return pd.DataFrame(rows)


MAIL = mailbox()


@pytest.mark.parametrize("ending", ["graphml", "gexf"])
def test_other_programs_read_the_graph_without_my_address(tmp_path, ending):
    path = mf.contact_map(MAIL, tmp_path / f"people.{ending}", me=ME)
    read = {"graphml": nx.read_graphml, "gexf": nx.read_gexf}[ending]
    graph = read(path)
    edges = MAIL.mail.contacts()
    edges = edges[(edges["source"] != ME) & (edges["target"] != ME)]
    assert {(a, b): data["messages"] for a, b, data in graph.edges(data=True)} == {
        (row.source, row.target): row.messages for row in edges.itertuples()
    }
    assert ME not in graph
    assert {data["community"] for _, data in graph.nodes(data=True)} == {0, 1, 2, 3}
    assert graph.nodes["p1@example.net"]["label"] == "<Person & 1>"


def test_a_picture_shows_everybody_once_and_names_that_do_not_overlap(tmp_path):
    path = mf.contact_map(MAIL, tmp_path / "people.svg", me=ME, title="<b>Us</b>")
    root = ET.parse(path).getroot()
    assert len(root.findall(f"{SVG}circle")) == 60
    assert root.find(f"{SVG}title").text == "<b>Us</b>"
    assert "\x1b" not in path.read_text()
    assert path.stat().st_mode & 0o077 == 0
    colours = {circle.get("fill") for circle in root.findall(f"{SVG}circle")}
    assert len(colours) == 4
    names = [text for text in root.findall(f"{SVG}text") if text.get("font-size") == str(FONT)]
    assert len(names) > 40
    assert ME not in path.read_text()
    again = mf.contact_map(MAIL, tmp_path / "again.svg", me=ME, title="<b>Us</b>")
    assert again.read_bytes() == path.read_bytes()


def test_three_hundred_of_many_people_stand_apart_each_community_by_itself(tmp_path):
    found = _chosen(mailbox(400, 8), 300, 1, ME)
    assert (len(found.address), found.total) == (300, 400)
    at, radius = _placed(found)
    assert (at.min(axis=0) > 0).all()
    assert (at.max(axis=0) < (1400, 1000)).all()
    assert abs(_apart(at, radius) - at).max() < 3
    assert mf.contact_map(MAIL, tmp_path / "p.png", me=ME).read_bytes().startswith(b"\x89PNG")


def test_what_cannot_be_drawn_is_told(tmp_path):
    with pytest.raises(ConfigurationError, match=r"\.svg or \.png"):
        mf.contact_map(MAIL, tmp_path / "people.pdf")
    with pytest.raises(ConfigurationError, match="1 to 500"):
        mf.contact_map(MAIL, tmp_path / "people.svg", people=501)
    alone = MAIL.assign(to=[[ME]] * len(MAIL))
    with pytest.raises(ConfigurationError, match="nobody here writes to anybody but you"):
        mf.contact_map(alone, tmp_path / "people.svg", me=ME)
    assert not list(tmp_path.iterdir())
    assert re.fullmatch(r".*extra.*graph.*", (mf.contact_map.__doc__ or "").split("\n")[0])
