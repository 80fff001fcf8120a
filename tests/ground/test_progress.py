"""Who sees what of a reading's progress: on a pty, in a kernel, through a function."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import termios
import threading
from pathlib import Path

import pytest

from mailframe.ground.progress import open_progress

ROOT = Path(__file__).parent.parent
READING = """
from mailframe.ground.progress import open_progress
with open_progress(None, unit="B", desc="Inbox") as progress:
    progress.update(512)
    progress.total = 2048
    progress.update(1536)
print("result")
"""


def run_on_terminal(code: str, columns: int = 80) -> tuple[str, str]:
    """Run code whose standard error is a terminal; give its (stdout, terminal)."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, columns))
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", code],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
    )
    os.close(theirs)
    out, _ = process.communicate(timeout=60)
    seen = b""
    while True:
        try:
            chunk = os.read(ours, 65536)
        except OSError:  # the other end is closed and drained
            break
        if not chunk:
            break
        seen += chunk
    os.close(ours)
    assert process.returncode == 0, seen.decode()
    return out, seen.decode()


def run_in_kernel(code: str) -> list[tuple[str, dict]]:
    """Run a cell in a fresh kernel; give the (type, content) of the messages it sent."""
    manager = pytest.importorskip("jupyter_client.manager")
    with manager.run_kernel(cwd=str(ROOT)) as client:
        messages = []
        client.execute_interactive(
            code,
            timeout=60,
            output_hook=lambda m: messages.append((m["msg_type"], m["content"])),
        )
    return messages


def test_a_terminal_shows_a_bar_and_standard_output_stays_clean():
    out, seen = run_on_terminal(READING)
    assert out == "result\n"
    assert "Inbox: 100%" in seen
    assert "2.05k/2.05k" in seen


@pytest.mark.parametrize("columns", [20, 40, 63])
def test_a_narrow_terminal_shows_a_whole_line_with_a_bar(columns):
    _, seen = run_on_terminal(READING.replace("Inbox", "ann.lee@imap.example.org"), columns)
    lines = [line for line in re.split(r"[\r\n]+", seen) if line.strip()]
    assert lines[-1].startswith("100%|█")
    assert lines[-1].endswith("| 2.05k/2.05k")
    assert max(map(len, lines)) <= columns


def test_a_long_name_leaves_room_for_bar_and_rate():
    _, seen = run_on_terminal(READING.replace("Inbox", "ann.lee" * 8 + "@imap.example.org"))
    assert "…: 100%|█" in seen
    assert "B/s]" in seen


def test_a_total_that_was_right_does_not_make_the_bar_start_again():
    reading = """
from mailframe.ground.progress import open_progress
with open_progress(None, unit="messages", total=2000) as progress:
    progress.update(2000)
    progress.total = 2000
"""
    _, shown = run_on_terminal(reading)
    assert shown.count(" 0/2,000") == 1
    assert re.search(r" 2,000/2,000 \[.*, [\d,]+ messages/s\]", shown)


def test_no_bar_where_standard_error_is_a_file():
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", READING + "import sys; print('tqdm' in sys.modules)"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stderr == ""
    assert done.stdout == "result\nFalse\n"


@pytest.mark.parametrize("error_stream", ["None", "open(os.devnull, 'w').close() or sys.stderr"])
def test_no_bar_and_no_error_without_standard_error(error_stream):
    code = f"import os, sys; sys.stderr = {error_stream}{READING}"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "result\n"


def test_a_notebook_shows_a_widget():
    messages = run_in_kernel(READING)
    shown = [content["data"] for kind, content in messages if kind == "display_data"]
    assert any("application/vnd.jupyter.widget-view+json" in data for data in shown)
    assert [c["text"] for kind, c in messages if kind == "stream"] == ["result\n"]


def test_a_notebook_without_ipywidgets_shows_text_and_never_a_warning():
    code = "import sys, warnings; sys.modules['ipywidgets'] = None; warnings.simplefilter('error')"
    messages = run_in_kernel(code + READING)
    assert not [content for kind, content in messages if kind == "error"]
    texts = [(c["name"], c["text"]) for kind, c in messages if kind == "stream"]
    assert "Inbox: 100%" in "".join(text for name, text in texts if name == "stderr")
    assert [text for name, text in texts if name == "stdout"] == ["result\n"]


def test_a_function_hears_the_start_every_total_and_the_end():
    heard = []
    with open_progress(lambda *state: heard.append(state), unit="messages") as progress:
        progress.update(2)
        progress.total = 5
        progress.update(3)
    assert heard[0] == (0, None)
    assert (2, 5) in heard
    assert heard[-1] == (5, 5)
    progress.close()
    assert heard.count((5, 5)) == 1


def test_a_function_is_not_called_for_every_step():
    heard = []
    with open_progress(lambda *state: heard.append(state), unit="B", total=100_000) as progress:
        for _ in range(100_000):
            progress.update(1)
    assert heard[-1] == (100_000, 100_000)
    assert len(heard) < 1000


def test_an_error_of_the_function_reaches_the_caller():
    def stop(done, total):
        if done:
            raise KeyboardInterrupt

    progress = open_progress(stop, unit="B", total=9)
    progress.update(9)
    with pytest.raises(KeyboardInterrupt):
        progress.close()


def test_false_is_silent_and_true_is_a_bar_anywhere(capsys):
    with open_progress(progress=False, unit="messages", total=3) as progress:
        progress.update(3)
    assert capsys.readouterr().err == ""
    with open_progress(progress=True, unit="messages", total=3) as progress:
        progress.update(3)
    captured = capsys.readouterr()
    assert "3/3" in captured.err
    assert captured.out == ""


def test_steps_of_several_threads_all_count():
    with open_progress(lambda *_: None, unit="B") as progress:
        threads = [
            threading.Thread(target=lambda: [progress.update() for _ in range(2000)])
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert progress.done == 16_000
