"""What holds for any mailbox: totals add up, and order, copies and parts change nothing else."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mailframe.stats  # noqa: F401 -- registers df.mail
from tests.stats.frames import ME, make_frame

# Of a few messages it may well be that none is mine.
pytestmark = pytest.mark.filterwarnings("ignore:none of these messages is from")

frames = st.builds(make_frame, st.integers(1, 80), seed=st.integers(0, 2**32 - 1))
zones = st.sampled_from(["UTC", "Europe/Berlin", "America/Sao_Paulo", "Asia/Kathmandu", "sender"])
periods = st.sampled_from(["h", "D", "W", "M", "Q", "Y", "90min"])
columns = st.sampled_from(["folder", "from_addr", "from_domain", "seen"])
seeds = st.integers(0, 2**32 - 1)
patient = settings(deadline=None, max_examples=30)  # a mailbox takes its time to make


@patient
@given(df=frames, tz=zones, freq=periods)
def test_every_message_is_in_one_period_one_hour_and_one_day(df, tz, freq):
    assert df.mail.volume(freq, tz=tz).sum() == len(df)
    assert df.mail.matrix(tz=tz).to_numpy().sum() == len(df)
    assert df.mail.calendar(tz=tz).sum() == len(df)
    assert df.mail.flow(freq, tz=tz, me=ME).to_numpy().sum() == len(df)


@patient
@given(df=frames, tz=zones, freq=st.sampled_from("DWMQY"), by=columns, top=st.integers(0, 5))
def test_a_volume_by_column_adds_up_to_the_volume(df, tz, freq, by, top):
    parts = df.mail.volume(freq, by=by, top=top, tz=tz).sum(axis=1)
    pd.testing.assert_series_equal(parts, df.mail.volume(freq, tz=tz), check_names=False)


@patient
@given(df=frames, tz=zones.filter(lambda tz: tz != "sender"))
def test_the_volume_is_what_pandas_counts(df, tz):
    local = df["date"].dt.tz_convert(tz)
    ours = df.mail.volume("M", tz=tz)
    theirs = local.dt.tz_localize(None).dt.to_period("M").value_counts().sort_index()
    assert ours[ours > 0].tolist() == theirs.tolist()
    days = local.dt.tz_localize(None).dt.floor("D").value_counts().sort_index()
    ours = df.mail.calendar(tz=tz)
    assert ours[ours > 0].to_dict() == days.to_dict()
    hours = df.groupby([local.dt.day_of_week, local.dt.hour]).size()
    grid = df.mail.matrix(tz=tz).to_numpy()
    assert all(grid[key] == count for key, count in hours.items())


@patient
@given(df=frames, by=columns)
def test_tables_by_column_are_what_pandas_groups(df, by):
    groups = df.groupby(df[by].astype("str"), observed=True)
    table = df.mail.sizes(by)
    names = table.index.astype("str")
    assert table["messages"].tolist() == groups.size()[names].tolist()
    assert table["bytes"].tolist() == groups["size"].sum()[names].tolist()
    read = df.mail.read_share(by)
    assert read["read"].tolist() == groups["seen"].sum()[read.index.astype("str")].tolist()


@patient
@given(df=frames)
def test_recipients_are_what_pandas_explodes(df):
    long = df.mail.recipients()
    for kind in ("to", "cc"):
        theirs = df[kind].explode().dropna()
        assert long[long["kind"] == kind]["address"].tolist() == theirs.tolist()
    assert df.mail.top("to", 99).sum() == len(df["to"].explode().dropna())


@patient
@given(df=frames, seed=seeds)
def test_the_order_of_the_rows_is_of_no_account(df, seed):
    mixed = df.sample(frac=1, random_state=seed)
    for name in ("senders", "domains", "people", "sizes", "lists", "contacts", "internal"):
        pd.testing.assert_frame_equal(getattr(df.mail, name)(), getattr(mixed.mail, name)())
    pd.testing.assert_series_equal(df.mail.volume(), mixed.mail.volume())
    threads = df.mail.thread_ids()
    again = mixed.mail.thread_ids().reindex(df.index)
    assert len(set(zip(threads, again, strict=True))) == threads.nunique() == again.nunique()


@patient
@given(df=frames, by=st.sampled_from(["folder", "from_domain"]))
def test_filtering_commutes_with_counting(df, by):
    counts = df.mail.top("from_addr", 999)
    parts = [part.mail.top("from_addr", 999) for _, part in df.groupby(by, observed=True)]
    assert pd.concat(parts).groupby(level=0).sum().to_dict() == counts.to_dict()
    seen = df[df["seen"]].mail.top("from_addr", 999)
    read = df.mail.read_share()["read"]
    assert seen.to_dict() == read[read > 0].to_dict()


@patient
@given(df=frames)
def test_threads_add_up_to_the_messages(df):
    table, ids = df.mail.threads(), df.mail.thread_ids()
    assert table["messages"].sum() == df["message_id"].nunique() == len(df)
    assert table["messages"].tolist() == ids.value_counts().sort_index().tolist()
    assert (table["depth"] <= table["messages"]).all()
    assert (table["participants"] <= table["messages"]).all()
    assert table["start"].tolist() == df.groupby(ids.to_numpy())["date"].min().tolist()
    assert table["end"].tolist() == df.groupby(ids.to_numpy())["date"].max().tolist()
    assert table["participants"].tolist() == df.groupby(ids)["from_addr"].nunique().tolist()
    # The made-up subjects name the topic that the replies were drawn from.
    topic = df["subject"].str.removeprefix("Re: ")
    assert not pd.DataFrame({"topic": topic, "id": ids}).drop_duplicates()["id"].duplicated().any()


@patient
@given(df=frames)
def test_threads_by_subject_are_never_finer(df):
    fine, coarse = df.mail.thread_ids(), df.mail.thread_ids(by_subject=True)
    assert not pd.DataFrame({"is": coarse, "was": fine}).drop_duplicates()["was"].duplicated().any()


@patient
@given(df=frames)
def test_copies_change_no_thread_and_are_found_as_duplicates(df):
    doubled = pd.concat([df, df.assign(folder="Copies")], ignore_index=True)
    before, after = df.mail.threads(), doubled.mail.threads()
    assert before["messages"].tolist() == after["messages"].tolist()
    assert before["depth"].tolist() == after["depth"].tolist()
    found = doubled.mail.duplicates()
    assert (found["copies"] == 2).all()
    assert found["wasted"].sum() == df["size"].sum()
    assert len(doubled.mail.response_times(me=ME)) == len(df.mail.response_times(me=ME))


@patient
@given(df=frames)
def test_every_reply_was_a_pair_of_me_and_somebody_else(df):
    table = df.mail.response_times(me=ME)
    mine = df["from_addr"].reindex(table.index) == ME
    assert (mine == (table["direction"] == "mine")).all()
    assert (table["hours"].dropna() >= 0).all()
    assert (table["business_hours"].dropna() <= table["hours"].dropna() + 1e-9).all()
    assert (table["person"] != ME).all()
    by_person = df.mail.response_summary(me=ME)
    by_domain = df.mail.response_summary("domain", me=ME)
    assert by_person["replies"].sum() == by_domain["replies"].sum()
    assert by_person["unanswered"].sum() == by_domain["unanswered"].sum()


@patient
@given(df=frames)
def test_contacts_add_up_to_what_was_written(df):
    edges = df.mail.contacts()
    written = edges.groupby("source")["messages"].sum()
    long = df.mail.recipients()
    pairs = pd.DataFrame({"by": df["from_addr"].reindex(long.index), "to": long["address"]})
    pairs = pairs[pairs["by"] != pairs["to"]].reset_index().drop_duplicates()
    assert written.to_dict() == pairs.groupby("by").size().to_dict()


@patient
@given(df=frames)
def test_delivery_shares_are_shares(df):
    full = make_frame(len(df), seed=int(df["size"].iloc[0]) % 2**32, delivery=True)
    table = full.mail.delivery()
    assert table["messages"].sum() == len(full)
    shares = table[["spf", "dkim", "dmarc", "tls"]].to_numpy()
    assert ((shares >= 0) & (shares <= 1)).all()
    one = full.mail.authentication()["spf"].eq("pass").mean()
    assert np.isclose((table["spf"] * table["checked"]).sum() / len(full), one)
