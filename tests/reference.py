"""The API reference, one HTML page made of the docstrings: ``python -m tests.reference [FILE]``.

The page needs no network. It is made when somebody wants it and kept nowhere.
"""

import sys
import warnings
from pathlib import Path

import pdoc

import mailframe


def page() -> str:
    """Give the page: every public name of mailframe, with its docstring and its signature."""
    pdoc.render.configure(docformat="numpy", search=False, footer_text=mailframe.__version__)
    with warnings.catch_warnings():
        # Types of optional packages are not there to be resolved: they are shown as written.
        warnings.simplefilter("ignore")
        module = pdoc.doc.Module(mailframe)
        return pdoc.render.html_module(module, all_modules={"mailframe": module})


if __name__ == "__main__":
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "mailframe.html")
    target.write_text(page(), "utf-8")
    print(target.resolve())
