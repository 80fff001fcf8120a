"""What is kept for the browser runs there: it is read only where it is whole and nobody else's."""

import os

import pytest

from mailframe.widgets import assets

EVIL = b"alert(1)"


def emptied(path):
    path.write_bytes(b"")


def damaged(path):
    path.write_bytes(path.read_bytes()[:-1])


def replaced(path):
    path.write_bytes(EVIL)


def a_link(path):
    (path.parent / "other").write_bytes(assets._sealed(EVIL))
    path.unlink()
    path.symlink_to(path.parent / "other")


def open_to_all(path):
    path.write_bytes(assets._sealed(EVIL))
    path.chmod(0o666)


def another_users(path):
    if os.geteuid():
        pytest.skip("only root can give files away")
    path.write_bytes(assets._sealed(EVIL))
    os.chown(path, 12345, 12345)


@pytest.mark.skipif(os.name == "nt", reason="owners and modes of POSIX")
@pytest.mark.parametrize("spoil", [emptied, damaged, replaced, a_link, open_to_all, another_users])
def test_a_kept_script_is_made_anew_on_any_doubt(tmp_path, monkeypatch, spoil):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    made = assets.vega.__wrapped__()
    (kept,) = (tmp_path / "mailframe").iterdir()
    assert assets._trusted(kept) == made
    spoil(kept)
    with pytest.raises((OSError, ValueError)):
        assets._trusted(kept)
    assert assets.vega.__wrapped__() == made
