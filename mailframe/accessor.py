"""``df.mail``: there as soon as pandas is, yet pandas is not loaded for its sake.

pandas takes half a second to load, which ``mailframe --help`` and the rooms that need no frames
should not pay. So where it is not loaded yet, a finder waits for it at the front of the import
system (PEP 451), lets it load as ever, and imports ``mailframe.stats`` right afterwards.
"""

from __future__ import annotations

import importlib
import sys
from importlib.abc import MetaPathFinder
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

_REGISTERING = "mailframe.stats"  # importing it registers the accessor


def register() -> None:
    """Register ``df.mail`` now, or when pandas is loaded."""
    if "pandas" in sys.modules:
        importlib.import_module(_REGISTERING)
    elif not any(isinstance(finder, _WhenPandasLoads) for finder in sys.meta_path):
        sys.meta_path.insert(0, _WhenPandasLoads())


class _WhenPandasLoads(MetaPathFinder):
    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        if fullname != "pandas":
            return None
        # It stays: who asks may only want to know whether there is a pandas, as polars does.
        others = [finder for finder in sys.meta_path if finder is not self]
        found = (finder.find_spec(fullname, path, target) for finder in others)
        spec = next(filter(None, found), None)
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module

            def load_and_register(module: ModuleType) -> None:
                load(module)
                if self in sys.meta_path:
                    sys.meta_path.remove(self)
                importlib.import_module(_REGISTERING)

            spec.loader.exec_module = load_and_register  # type: ignore[method-assign]  # of this loader only, which loads nothing else
        return spec
