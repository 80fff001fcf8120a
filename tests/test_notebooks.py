"""Notebooks are kept without outputs; `tests/run` executes them with nbmake."""

import json
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_outputs(path):
    cells = json.loads(path.read_text("utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert code
    assert all(not cell["outputs"] and cell["execution_count"] is None for cell in code)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_charts_of_a_notebook_are_pictures_and_need_no_network(path):
    """Altair's own way draws in the browser, with scripts that most frontends ask a CDN for."""
    text = path.read_text("utf-8")
    assert ("alt.Chart" in text) == ("alt.renderers.enable" in text)
