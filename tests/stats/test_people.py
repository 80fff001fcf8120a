"""Who writes and who is written to, on the mailbox worked out by hand."""

from __future__ import annotations

import pytest

import mailframe.stats  # noqa: F401 -- registers df.mail
from mailframe.errors import ConfigurationError
from mailframe.stats import contacts
from tests.stats.frames import make_frame
from tests.stats.mailbox import hand_mailbox

DF = hand_mailbox()


def test_addresses_that_differ_in_case_are_one_person():
    assert DF.mail.top("from_addr").to_dict() == {
        "ann@example.org": 5,
        "bot@ci.example": 3,
        "cara@example.com": 3,
        "bob@example.net": 2,
        "eve@example.net": 2,
        "dan@example.net": 1,
    }


def test_top_takes_any_column_and_orders_ties():
    assert DF.mail.top("to", 2).to_dict() == {"ann@example.org": 8, "bob@example.net": 4}
    assert DF.mail.top("folder").index.tolist() == ["INBOX", "Sent", "Archive", "Lists/dev"]
    assert DF.mail.top("seen").to_dict() == {True: 12, False: 4}
    assert DF.mail.top("from_addr").index.name == "from_addr"
    with pytest.raises(ConfigurationError, match="'x_spam'"):
        DF.mail.top("x_spam")


def test_senders_are_told_with_name_mass_and_time():
    cara = DF.mail.senders().loc["cara@example.com"]
    assert (cara["name"], cara["names"], cara["messages"], cara["bytes"]) == ("Cara", 1, 3, 1200)
    assert cara["read"] == pytest.approx(1 / 3)
    assert (str(cara["first"])[:16], str(cara["last"])[:16]) == (
        "2024-06-07 16:00",
        "2024-06-11 12:00",
    )


def test_the_commonest_name_of_an_address_is_its_name():
    df = DF.copy()
    df.loc[[0, 1], "from_name"] = ["Bobby", None]
    df.loc[11, ["from_addr", "from_name"]] = ["BOB@example.net", "Robert"]
    df.loc[12, ["from_addr", "from_name"]] = ["bob@example.net", "Robert"]
    counts = df.mail.names()["bob@example.net"]
    assert counts.to_dict() == {"Robert": 2, "Bobby": 1}
    bob = df.mail.senders().loc["bob@example.net"]
    assert (bob["name"], bob["names"], bob["messages"]) == ("Robert", 2, 4)


def test_domains_count_their_senders():
    table = DF.mail.domains()
    assert table.loc["example.net", ["messages", "senders", "bytes"]].tolist() == [5, 3, 1650]
    assert table.loc["example.org", "senders"] == 1  # Ann, in two spellings


def test_recipients_in_long_form():
    table = DF.mail.recipients()
    assert len(table) == 20  # 18 in To, 2 in Cc
    assert table.loc[1].to_dict("list") == {
        "kind": ["to", "cc"],
        "name": ["Ann", "Cara"],
        "address": ["ann@example.org", "cara@example.com"],
        "domain": ["example.org", "example.com"],
    }
    assert table.loc[6, "name"] != table.loc[6, "name"]  # the list itself never writes
    assert table.index.name == "message"


def test_people_are_everyone_in_any_field():
    table = DF.mail.people()
    cara = table.loc["cara@example.com"]
    assert cara[["messages", "wrote", "addressed"]].tolist() == [7, 3, 4]
    assert str(cara["first"])[:10] == "2024-06-04"  # in copy, before her own first mail
    assert table.loc["dev@lists.example", "wrote"] == 0


def test_newcomers_stand_in_the_period_of_their_first_mail():
    table = DF.mail.newcomers("M", tz="UTC")
    assert table.groupby(level=0).size().tolist() == [4, 1]  # Eve came in July
    assert table["address"].tolist() == [
        "bob@example.net",
        "ann@example.org",
        "cara@example.com",
        "bot@ci.example",
        "eve@example.net",
    ]  # nobody knows when Dan's undated mail came


def test_internal_against_external():
    table = DF.mail.internal()
    assert table["messages"].to_dict() == {"internal": 5, "external": 11}
    table = DF.mail.internal(["example.net", "EXAMPLE.com"])
    assert table["messages"].to_dict() == {"internal": 8, "external": 8}
    assert DF.mail.internal("example.org").equals(DF.mail.internal(["example.org"]))


def test_contacts_are_edges_from_writer_to_reader():
    edges = DF.mail.contacts().set_index(["source", "target"])
    assert edges.loc[("ann@example.org", "cara@example.com"), "messages"] == 3
    assert edges.loc[("cara@example.com", "bob@example.net"), "messages"] == 1
    first = edges.loc[("bob@example.net", "ann@example.org"), "first"]
    assert str(first)[:16] == "2024-06-03 08:00"
    assert (DF.mail.contacts(least=3)["messages"] >= 3).all()


def test_nobody_is_a_contact_of_oneself_and_a_message_counts_once_a_pair():
    df = DF.iloc[[0]].copy()
    df["to"] = df["to"].map(lambda _: ["bob@example.net", "ann@example.org"])
    df["cc"] = df["cc"].map(lambda _: ["Ann@example.org"])
    edges = df.mail.contacts()
    assert edges[["source", "target", "messages"]].to_numpy().tolist() == [
        ["bob@example.net", "ann@example.org", 1]
    ]


def test_the_graph_has_centrality_and_communities():
    pytest.importorskip("networkx")
    graph = DF.mail.contact_graph()
    assert graph["ann@example.org"]["bob@example.net"]["messages"] == 3
    ranks = DF.mail.contact_ranks()
    assert ranks.index[0] == "ann@example.org"
    assert ranks["betweenness"].idxmax() == "ann@example.org"
    # The build bot and its list talk to nobody else.
    assert ranks.loc["bot@ci.example", "community"] == ranks.loc["dev@lists.example", "community"]
    assert ranks.loc["bot@ci.example", "community"] != ranks.loc["ann@example.org", "community"]


def test_ranks_are_those_that_networkx_counts():
    networkx = pytest.importorskip("networkx")
    graph = make_frame(2_000, seed=3).mail.contact_graph()
    assert len(graph) <= contacts.SOURCES  # so none is an estimate
    degree = networkx.degree_centrality(graph.to_undirected())
    assert dict(graph.nodes("degree")) == pytest.approx(degree)
    assert dict(graph.nodes("betweenness")) == pytest.approx(
        networkx.betweenness_centrality(graph), abs=1e-12
    )


@pytest.mark.parametrize(
    ("lacking", "verb"),
    [("networkx", "contact_graph"), ("sknetwork.clustering", "contact_ranks")],
)
def test_without_the_extra_the_edges_are_offered_instead(monkeypatch, lacking, verb):
    monkeypatch.setitem(__import__("sys").modules, lacking, None)
    with pytest.raises(ConfigurationError, match=r"mailframe\[graph\].*contacts\(\) gives"):
        getattr(DF.mail, verb)()
