"""What is attached, counted by hand."""

import pandas as pd
import pytest

from mailframe.errors import ConfigurationError
from mailframe.frame.schema import ATTACHMENTS
from tests.stats.frames import make_frame

KB, MB = 1000, 1_000_000
FILES = [
    ("ann@example.org", [("plan.pdf", "application/pdf", 2 * MB), ("", "image/png", 50 * KB)]),
    ("bob@example.org", []),
    ("ann@example.org", [("plan.pdf", "application/pdf", 2 * MB)]),
    ("carol@example.net", [("x.bin", "application/octet-stream", None)]),
    ("carol@example.net", None),
]


def frame():
    df = make_frame(len(FILES)).assign(from_addr=[sender for sender, _ in FILES])
    lists = [None if files is None else list(zip(*files, strict=True)) for _, files in FILES]
    empty = ((), (), ())
    for place, name in enumerate(("names", "types", "sizes")):
        kind = ATTACHMENTS.field(f"attachment_{name}").type
        values = [None if one is None else list((one or empty)[place]) for one in lists]
        df[f"attachment_{name}"] = pd.array(values, dtype=pd.ArrowDtype(kind))
    return df


def test_every_attachment_is_a_row_that_leads_back_to_its_message():
    found = frame().mail.attachments()
    assert found.index.tolist() == [0, 2, 0, 3]
    assert found.index.name == "message"
    assert found["name"].fillna("-").tolist() == ["plan.pdf", "plan.pdf", "-", "x.bin"]
    assert found["bytes"].fillna(-1).tolist() == [2 * MB, 2 * MB, 50 * KB, -1]
    assert found["type"].iloc[2] == "image/png"


def test_they_are_added_up_by_type_size_and_sender():
    df = frame()
    by_type = df.mail.attachments("type")
    assert by_type.index.tolist() == ["application/pdf", "image/png", "application/octet-stream"]
    assert by_type.loc["application/pdf"].tolist()[:3] == [2, 2, 4 * MB]
    by_size = df.mail.attachments("size")
    assert by_size["attachments"].to_dict() == {"below 100 kB": 1, "below 10 MB": 2, "unknown": 1}
    by_sender = df.mail.attachments("from_addr")
    assert by_sender.index.tolist() == ["ann@example.org", "carol@example.net"]
    assert by_sender.loc["ann@example.org", ["attachments", "messages"]].tolist() == [3, 2]
    assert by_sender["share"].sum() == pytest.approx(1)


def test_a_part_of_a_frame_and_an_empty_one_are_counted_too():
    df = frame()
    assert df.iloc[2:3].mail.attachments().index.tolist() == [2]
    assert df.iloc[:0].mail.attachments().empty
    assert df.iloc[4:].mail.attachments("type").empty


def test_a_frame_without_them_says_how_to_read_them():
    with pytest.raises(ConfigurationError, match="attachments=True"):
        make_frame(1).mail.attachments()
