"""A day that is said in words, wherever the command line takes one."""

from __future__ import annotations

import pandas as pd
import pytest
from click.testing import CliRunner

from mailframe.cli.main import cli
from mailframe.cli.source import dated

MBOX = """From ann@example.org {date:%a %b %d %H:%M:%S %Y}
Date: {date:%a, %d %b %Y %H:%M:%S} +0000
From: ann@example.org
Subject: {name}
Message-ID: <{name}@example.org>

Hello.

"""


def test_words_become_the_first_day_of_what_they_name(monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    today = pd.Timestamp.now("UTC").tz_localize(None).normalize()
    last = (today.replace(day=1) - pd.DateOffset(months=1)).date().isoformat()
    assert dated({"since": "last month"}) == {"since": last}
    assert dated({"before": "2024-02"}) == {"before": "2024-02-01"}
    kept = {"since": "2024-02-29", "before": "soon", "newest": 3}
    assert dated(kept) == kept


@pytest.mark.parametrize("command", ["fetch", "report"])
def test_a_file_is_read_from_last_month_on(command, tmp_path, monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    today = pd.Timestamp.now("UTC")
    mails = [(today - pd.DateOffset(years=1), "old"), (today, "new")]
    mbox = tmp_path / "mail.mbox"
    mbox.write_text("".join(MBOX.format(date=date, name=name) for date, name in mails))
    target = tmp_path / ("page.html" if command == "report" else "mail.csv")
    asked = [command, str(mbox), "--since", "last month", "-o", str(target)]
    done = CliRunner().invoke(cli, asked)
    assert done.exit_code == 0, done.output
    assert "1 message" in done.output
