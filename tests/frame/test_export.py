import csv
import gzip
import io
import json
import os
import resource
import shutil
import signal
import stat
import subprocess
import threading
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailframe.errors import ConfigurationError, MailframeError
from mailframe.frame.adapter import to_frame
from mailframe.frame.export import open_writer, to_csv, to_jsonl, to_parquet
from mailframe.frame.schema import SCHEMA, TEXTS
from tests.children import python
from tests.frame.batches import FULL, batch, run

REPORT = {"account": "ann@example.org", "messages": 2, "problems": []}
LISTS = [field.name for field in SCHEMA if field.type == TEXTS]


def frame(*rows):
    return to_frame([batch(*rows)], SCHEMA, report=REPORT)


def cells(text):
    header, *rows = csv.reader(io.StringIO(text))
    return [dict(zip(header, row, strict=True)) for row in rows]


def csv_of(df, **options):
    out = io.BytesIO()
    to_csv(df, out, **options)
    return cells(out.getvalue().decode())


def jsonl_of(df):
    out = io.BytesIO()
    to_jsonl(df, out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_csv_says_every_value_as_text():
    (row,) = csv_of(frame(FULL))
    assert row | {"subject": FULL["subject"]} == {
        "account": "ann@example.org",
        "folder": "Lists/Größe",
        "uid": "4294967295",
        "date": "2024-02-29T12:00:01Z",
        "date_offset": "-210",
        "internaldate": "2024-02-29T12:00:05Z",
        "from_name": 'Zoë "Z" O\'Hara, PhD',
        "from_addr": "zoe@example.com",
        "from_domain": "example.com",
        "to": "ann@example.org; bob@example.org",
        "cc": "",
        "subject": FULL["subject"],
        "message_id": "1@example.com",
        "in_reply_to": "0@example.com",
        "references": "a@example.com; 0@example.com",
        "list_id": "list.example.com",
        "bulk": "true",
        "auto": "false",
        "size": "5000000000",
        "seen": "true",
        "answered": "false",
        "flagged": "true",
        "draft": "false",
        "deleted": "false",
        "keywords": "$Junk",
        "defects": "2",
    }
    assert row["subject"] == FULL["subject"]


def test_pandas_reads_the_csv_back(tmp_path):
    df = frame(FULL, {"uid": 7})
    to_csv(df, tmp_path / "headers.csv", formulas="keep")
    back = pd.read_csv(tmp_path / "headers.csv", parse_dates=["date", "internaldate"])
    for column in ("uid", "subject", "date", "seen", "size"):
        assert back[column].dropna().tolist() == df[column].dropna().tolist(), column
        assert back[column].isna().tolist() == df[column].isna().tolist(), column


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d"])
def test_what_a_spreadsheet_would_run_is_neutralised(first):
    evil = first + 'HYPERLINK("http://example.com")'
    df = frame({"subject": evil, "to": [evil, "b"], "folder": evil}).assign(**{evil: 1})
    (row,) = csv_of(df)
    assert row["subject"] == row["folder"] == "'" + evil
    assert row["to"] == "'" + evil + "; b"
    assert row["'" + evil] == "1"
    (row,) = csv_of(df, formulas="keep")
    assert row["subject"] == row["folder"] == evil
    assert row["to"] == evil + "; b"


SEPARATORS = [",", ";", "\t"]
HIDDEN = (
    "\ufeff\u200b\u2060\u00ad\u202e\u2066\u200f\u034f\ufe0f\u3164\u115f\u180e\x01\x7f\U000e0020"
)
ATTACKS = [
    *(f"x{mark}{blank}=1+1{mark}y" for mark in SEPARATORS for blank in ("", " ", '"')),
    *("x\n=1+1", "a;+1+1", 'x;"=1+1";y', ";=1+1;=1+1", '",=1+1,"', '";"=1+1', "x\r\n@SUM(1;1)"),
    *(" =1+1", "\uff1d1+1", "x;\uff1d1+1", '""=1+1', "'=1+1", "x;\t=1+1"),
    # What is not seen: marks of the encoding, of direction, joiners, fillers, controls.
    *(f"{hidden}=1+1" for hidden in HIDDEN),
    *(f"x;{hidden}=1+1;y" for hidden in HIDDEN),
]


def starts_a_formula(cell):
    return cell.strip().lstrip(HIDDEN).strip().startswith(("=", "+", "-", "@", "\uff1d"))


@pytest.mark.parametrize("own", SEPARATORS)
@pytest.mark.parametrize("read_by", SEPARATORS)
def test_no_separator_makes_a_cell_that_runs(own, read_by):
    """Whatever a spreadsheet is set to: each text is tried at the start of a line and within it."""
    for attack in ATTACKS:
        df = pd.DataFrame({"a": [attack, "x"], "b": ["x", attack], "c": [attack, attack]})
        out = io.BytesIO()
        to_csv(df, out, separator=own)
        read = csv.reader(io.StringIO(out.getvalue().decode(), newline=""), delimiter=read_by)
        ran = [cell for row in read for cell in row if starts_a_formula(cell)]
        assert not ran, (attack, out.getvalue())


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_libreoffice_runs_nothing_whatever_its_separator(tmp_path):
    df = pd.DataFrame({"a": ["x"] * len(ATTACKS), "b": ATTACKS, "c": ATTACKS})
    for number, own in enumerate(SEPARATORS):
        to_csv(df, tmp_path / f"{number}.csv", separator=own)
    (tmp_path / "runs.csv").write_text("x;=1+1;y\n")  # shows that it would
    for read_by in map(ord, SEPARATORS):
        command = ["soffice", f"-env:UserInstallation=file://{tmp_path}/profile", "--headless"]
        command += [f"--infilter=CSV:{read_by},34,76,1,,0,false,true", "--convert-to", "fods"]
        command += ["--outdir", tmp_path / str(read_by), *sorted(tmp_path.glob("*.csv"))]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
        for number in range(len(SEPARATORS)):
            sheet = (tmp_path / str(read_by) / f"{number}.fods").read_text()
            assert "1+1" in sheet
            assert "table:formula" not in sheet, (SEPARATORS[number], chr(read_by))
    assert "table:formula" in (tmp_path / str(ord(";")) / "runs.fods").read_text()


@pytest.mark.parametrize("separator", SEPARATORS)
def test_a_file_has_the_mark_that_excel_knows_utf_8_by(tmp_path, separator):
    df = frame(FULL)
    to_csv(df, tmp_path / "a.csv", separator=separator, formulas="keep")
    raw = (tmp_path / "a.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf" + b'"account"' + separator.encode())
    assert pd.read_csv(tmp_path / "a.csv", sep=separator)["subject"].tolist() == [FULL["subject"]]
    out = io.BytesIO()
    to_csv(df, out, separator=separator, formulas="keep")
    assert raw == b"\xef\xbb\xbf" + out.getvalue()
    to_csv(df, tmp_path / "b.csv", bom=False)
    assert (tmp_path / "b.csv").read_bytes().startswith(b'"account"')


def test_a_separator_that_a_spreadsheet_does_not_know_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="separator"):
        to_csv(frame(FULL), tmp_path / "a.csv", separator="x")
    assert not list(tmp_path.iterdir())


def test_numbers_are_no_formulas():
    assert csv_of(frame({"date_offset": -60}))[0]["date_offset"] == "-60"


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(TEXT, st.lists(TEXT, max_size=3)), min_size=1, max_size=5))
def test_any_text_survives_json_and_csv(values):
    df = pd.DataFrame({"n": range(len(values))})
    df["text"] = pd.Series([text for text, _ in values], dtype="str")
    df["list"] = pd.Series([texts for _, texts in values], dtype=pd.ArrowDtype(TEXTS))
    assert [(row["text"], row["list"]) for row in jsonl_of(df)] == values
    kept = csv_of(df, formulas="keep")
    assert [row["text"] for row in kept] == [text for text, _ in values]
    joined = ["; ".join(texts) if texts != [""] else "\\" for _, texts in values]  # [] is empty
    assert [row["list"] for row in kept] == joined
    assert not any(row["text"].startswith(tuple("=+-@\t\r")) for row in csv_of(df))


def test_json_lines_name_every_column_and_keep_the_types():
    full, bare = jsonl_of(frame(FULL, {"folder": "zzz"}))
    assert list(full) == SCHEMA.names
    instants = {"date": "2024-02-29T12:00:01Z", "internaldate": "2024-02-29T12:00:05Z"}
    assert full == FULL | instants
    assert bare["subject"] is None
    assert bare["to"] == []
    assert bare["seen"] is False


def test_parquet_gives_pandas_the_dtypes_and_the_report_back(tmp_path):
    df = frame(FULL, {"uid": 7})
    to_parquet(df, tmp_path / "headers.parquet")
    back = pd.read_parquet(tmp_path / "headers.parquet")
    assert back.attrs == df.attrs == {"mailframe": REPORT}
    for column in LISTS:  # the one dtype that pandas cannot name in a file
        assert back[column].map(list).tolist() == df[column].map(list).tolist()
    pd.testing.assert_frame_equal(back.drop(columns=LISTS), df.drop(columns=LISTS))


def test_parquet_keeps_the_schema_for_other_readers(tmp_path):
    to_parquet(frame(FULL), tmp_path / "headers.parquet")
    assert pq.read_schema(tmp_path / "headers.parquet").remove_metadata().equals(SCHEMA)


def test_a_streamed_file_is_the_same_as_a_frame_s(tmp_path):
    batches = [run("INBOX", range(n, n + 10), subject=f"=s{n}") for n in range(1, 101, 10)]
    df = to_frame(batches, SCHEMA, report=REPORT)
    for name, export in {"a.csv": to_csv, "a.jsonl": to_jsonl}.items():
        with open_writer(tmp_path / name, SCHEMA) as writer:
            for part in batches:
                writer.write(part)
        export(df, tmp_path / "whole")
        assert (tmp_path / name).read_bytes() == (tmp_path / "whole").read_bytes()
    with open_writer(tmp_path / "a.parquet", SCHEMA) as writer:
        for part in batches:
            writer.write(part)
        writer.attrs = {"mailframe": REPORT}  # known only now
    back = pd.read_parquet(tmp_path / "a.parquet")
    assert back.attrs == {"mailframe": REPORT}
    assert back["subject"].tolist() == df["subject"].tolist()
    assert pq.ParquetFile(tmp_path / "a.parquet").num_row_groups == 1


def test_an_empty_mailbox_gives_files_with_columns_only(tmp_path):
    df = to_frame([], SCHEMA, report=REPORT)
    assert csv_of(df) == []
    assert jsonl_of(df) == []
    to_parquet(df, tmp_path / "a.parquet")
    assert list(pd.read_parquet(tmp_path / "a.parquet")) == SCHEMA.names


def test_any_frame_can_be_written(tmp_path):
    df = pd.DataFrame(
        {
            "when": pd.to_datetime(["2024-01-01 10:00:00.5", None]),
            "share": [0.5, float("inf")],
            "kind": pd.Categorical([1, 2]),
            "lists": [[1, None], [2]],
            "bytes": [b"\xff", b"a"],
            "nothing": [None, None],
        },
        index=pd.Index(["a", "b"], name="key"),
    )
    assert csv_of(df)[0] == {
        "key": "a",
        "when": "2024-01-01T10:00:00.500000",
        "share": "0.5",
        "kind": "1",
        "lists": "1; ",
        "bytes": "\\xff",
        "nothing": "",
    }
    first, second = jsonl_of(df)
    assert first["when"] == "2024-01-01T10:00:00.500000"
    assert second["when"] is None
    assert second["share"] is None
    assert second["lists"] == [2.0]
    to_parquet(df, tmp_path / "a.parquet")
    assert pd.read_parquet(tmp_path / "a.parquet")["key"].tolist() == ["a", "b"]


TWO = [frame(*({**FULL, "account": name, "uid": uid} for uid in (1, 2, 3))) for name in "ab"]
BOTH = pd.concat(TWO)
HALF = pd.Series("\ud800", BOTH.index, dtype=object)  # of a pair: no UTF-8 can tell it
DERIVED = {
    "concatenated": BOTH,
    "under keys": pd.concat(dict(zip("ab", TWO, strict=True)), names=["account", None]),
    "with an empty one": pd.concat([TWO[0], TWO[1].iloc[:0]], ignore_index=True),
    "of unlike columns": pd.concat([TWO[0].assign(x=1), TWO[1].drop(columns=["to", "bulk"])]),
    "queried": BOTH.query("uid > 1"),
    "copied": BOTH.copy(),
    "sliced": BOTH.iloc[1:6:2],
    "reindexed": pd.concat(TWO, ignore_index=True).reindex([0, 3, 99]),
    "indexed by a column that is kept": BOTH.set_index(["folder", "uid"], drop=False),
    "an index called as a column": BOTH.rename_axis("uid"),
    "merged": TWO[0].merge(TWO[1], on="uid", suffixes=("", "_b")),
    "grouped": BOTH.groupby("uid").first(),
    "exploded": BOTH.explode("to"),
    "of objects": BOTH.astype(object),
    "columns of numbers": BOTH.rename(columns={"uid": 3}),
    "intervals and periods": BOTH.assign(
        cut=lambda df: pd.cut(df["uid"], 2), month=pd.Period("2024-02", "M")
    ),
    "all sorts of objects": BOTH.assign(
        some=[1, "a", None, 2.5, b"x", 1j], big=2**80, where=Path("x"), half=HALF
    ),
}


@pytest.mark.parametrize("kind", DERIVED)
def test_a_frame_can_be_written_whatever_was_done_to_it(kind):
    df = DERIVED[kind]
    addresses = df["from_addr"].dropna().tolist()
    texts = [row["from_addr"] for row in csv_of(df)]
    assert [text for text in texts if text] == addresses
    rows = jsonl_of(df)
    assert len(rows) == len(texts) == len(df)
    out = io.BytesIO()
    to_parquet(df, out)
    back = pd.read_parquet(out)
    assert back["from_addr"].dropna().tolist() == addresses
    if "to" in df:
        assert [row["to"] for row in rows] == [
            None if to is None else to if isinstance(to, str) else list(to) for to in back["to"]
        ]


def test_an_index_called_as_a_column_keeps_both():
    first = jsonl_of(DERIVED["an index called as a column"])[1]
    assert (first["index_uid"], first["uid"]) == (1, 2)
    assert "index_uid" not in jsonl_of(DERIVED["indexed by a column that is kept"])[0]


def test_what_no_type_fits_goes_out_as_text():
    rows = jsonl_of(DERIVED["all sorts of objects"])
    assert [row["some"] for row in rows] == ["1", "a", None, "2.5", "b'x'", "1j"]
    assert rows[0]["big"] == str(2**80)
    assert jsonl_of(DERIVED["intervals and periods"])[0]["month"] == "2024-02"


@pytest.mark.parametrize("df", [pd.DataFrame(), BOTH[[]], BOTH[["uid", "uid"]]])
def test_a_frame_that_no_file_could_tell_is_refused(tmp_path, df):
    for name in ("a.csv", "a.jsonl", "a.parquet"):
        with pytest.raises(ConfigurationError, match=r"no columns|two columns"):
            {"v": to_csv, "l": to_jsonl, "t": to_parquet}[name[-1]](df, tmp_path / name)
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="limits files by setrlimit")
@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.jsonl", "a.parquet"])
def test_a_disk_that_is_full_is_named_and_nothing_stays(tmp_path, name):
    part = run("INBOX", range(1, 20_001), subject="s" * 200)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 13, before[1]))
        with (
            pytest.raises(MailframeError, match=rf"{name} cannot be written: File too large"),
            open_writer(tmp_path / name, SCHEMA) as writer,
        ):
            writer.write(part)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert not list(tmp_path.iterdir())


def test_a_file_is_for_its_owner_only(tmp_path):
    path = tmp_path / "headers.csv"
    path.write_text("old")
    path.chmod(0o644)
    to_csv(frame(FULL), path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.jsonl", "a.parquet"])
def test_a_failure_leaves_what_was_there_and_nothing_else(tmp_path, name):
    path = tmp_path / name
    path.write_text("old")

    def fail():
        with open_writer(path, SCHEMA) as writer:
            writer.write(batch(FULL))
            assert path.read_text() == "old"
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert [file.name for file in tmp_path.iterdir()] == [name]
    assert path.read_text() == "old"


KILLED = """
import os, signal, sys
if sys.argv[3] == "hidden":
    del os.O_TMPFILE
from mailframe.ground.whole import replacing
with replacing(sys.argv[1]) as file:
    file.write(b"mail" * 5000)
    file.flush()
    os.kill(os.getpid(), getattr(signal, sys.argv[2]))
    signal.pause()
"""


@pytest.mark.skipif(not hasattr(os, "O_TMPFILE"), reason="files without a name are Linux's")
@pytest.mark.parametrize("ending", ["SIGTERM", "SIGHUP", "SIGKILL"])
@pytest.mark.parametrize("kind", ["nameless", "hidden"])
def test_whatever_ends_the_process_no_mail_stays_beside_the_file(tmp_path, ending, kind):
    path = tmp_path / "headers.csv"
    path.write_text("old")
    with python("-c", KILLED, path, ending, kind) as process:
        assert process.wait() == -getattr(signal, ending)
    left = [each for each in tmp_path.iterdir() if each != path]
    if kind == "hidden" and ending == "SIGKILL":
        (part,) = left
        os.utime(part, (0, 0))  # the next one to the same place removes it
        others = [tmp_path / name for name in (".headers.csv.mine", ".other.csv.abcd0123")]
        for other in others:
            other.touch(0o600)
            os.utime(other, (0, 0))
        to_csv(frame(FULL), path)
        left = [each for each in tmp_path.iterdir() if each not in {path, *others}]
        assert all(other.exists() for other in others)
    else:
        assert path.read_text() == "old"
    assert left == []


def test_a_file_that_another_process_is_writing_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    path = tmp_path / "headers.csv"
    with open_writer(path, SCHEMA) as writer:
        writer.write(batch(FULL))
        (part,) = tmp_path.iterdir()
        os.utime(part, (0, 0))
        to_csv(frame(FULL, FULL), path)
        assert part.exists()
    assert len(pd.read_csv(path)) == 1, "who ends last, wins"
    assert list(tmp_path.iterdir()) == [path]


NO_FILES_LEFT = """
import resource, sys
import pandas as pd
import mailframe as mf
path, write = sys.argv[1], getattr(mf, sys.argv[2])
write(pd.DataFrame({"a": ["x"]}), path + ".first" + path[path.rindex("."):])  # all is imported
held = []
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
try:
    while True:
        held.append(open("/dev/null"))
except OSError:
    pass
try:
    write(pd.DataFrame({"a": ["x"]}), path)
except mf.MailframeError as error:
    told = str(error)
    held.clear()
    print(told)
"""


@pytest.mark.parametrize("write", ["to_csv", "to_jsonl", "to_parquet", "to_excel"])
def test_too_many_open_files_are_named_and_nothing_stays(tmp_path, write):
    path = tmp_path / f"mail.{write.removeprefix('to_').replace('excel', 'xlsx')}"
    with python("-c", NO_FILES_LEFT, path, write) as process:
        told, error = process.communicate()
    assert b"cannot be written: Too many open files" in told, error
    assert [each.name for each in tmp_path.iterdir()] == [f"{path.name}.first{path.suffix}"]


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    to_csv(frame(FULL), tmp_path / "link.csv")
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real.csv").read_text("utf-8-sig").startswith('"account"')


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_written_through(tmp_path):
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    read = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    to_csv(frame(FULL), pipe)
    reader.join(10)
    assert read[0].startswith('"account"')
    assert pipe.is_fifo()


def test_text_is_compressed_by_the_name_s_ending(tmp_path):
    with open_writer(tmp_path / "a.csv.gz", SCHEMA) as writer:
        writer.write(batch(FULL))
    with gzip.open(tmp_path / "a.csv.gz", "rt") as file:
        assert cells(file.read())[0]["subject"] == FULL["subject"]


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("a.xlsx", "csv, .parquet or .jsonl"),
        ("a", "csv, .parquet or .jsonl"),
        ("a.parquet.gz", "compressed inside"),
        ("missing/a.csv", "No such file or directory"),
        (".", "csv, .parquet or .jsonl"),
    ],
)
def test_a_bad_place_is_told_before_anything_is_read(tmp_path, name, hint):
    with pytest.raises(ConfigurationError, match=hint), open_writer(tmp_path / name, SCHEMA):
        pass


def test_a_folder_is_not_replaced(tmp_path):
    (tmp_path / "a.csv").mkdir()
    with pytest.raises(ConfigurationError, match="is a folder"):
        to_csv(frame(FULL), tmp_path / "a.csv")


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads memory from /proc")
@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.parquet"])
def test_memory_does_not_grow_with_what_is_streamed(tmp_path, name):
    part = run("INBOX", range(1, 10_001), subject="s" * 200, to=["a@example.org"] * 3)
    table = pa.BufferOutputStream()
    with pa.ipc.new_stream(table, SCHEMA) as stream:
        stream.write_batch(part)
    serialised = table.getvalue().to_pybytes()

    def another():
        return pa.ipc.open_stream(bytearray(serialised)).read_next_batch()

    def memory():
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    levels = []
    with open_writer(tmp_path / name, SCHEMA) as writer:
        for _ in range(40):
            writer.write(another())
            levels.append(memory())
    assert max(levels) - max(levels[:10]) < 8 * part.nbytes
