"""``df.mail``: there as soon as pandas is, yet neither is loaded for the other's sake.

pandas takes half a second to load, which ``mailframe --help`` and the rooms that need no frames
should not pay. So where it is not loaded yet, a finder waits for it at the front of the import
system (PEP 451), lets it load as ever, and registers the accessor right afterwards. The statistics
take a tenth of that, which who only reads mail should not pay: they are loaded when somebody asks.
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

_NAME = "mail"
_HOME = "mailframe.stats.accessor"


def register() -> None:
    """Register ``df.mail`` now, or when pandas is loaded."""
    if "pandas" in sys.modules:
        _register_at(sys.modules["pandas"])
    elif not any(isinstance(finder, _WhenPandasLoads) for finder in sys.meta_path):
        sys.meta_path.insert(0, _WhenPandasLoads())


def _register_at(pandas: ModuleType) -> None:
    frames = pandas.DataFrame
    if not isinstance(vars(frames).get(_NAME), _WhenAsked):
        # So that pandas knows the name of an accessor in it, which a column of that name is not.
        pandas.api.extensions.register_dataframe_accessor(_NAME)(_WhenAsked)
        setattr(frames, _NAME, _WhenAsked())


class _WhenAsked:
    """What pandas' own descriptor does, with a class that is loaded when it is needed."""

    def __get__(self, frame: object, kind: type) -> object:
        accessor = importlib.import_module(_HOME).MailAccessor
        return accessor if frame is None else accessor(frame)


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
                _register_at(module)

            spec.loader.exec_module = load_and_register  # type: ignore[method-assign]  # of this loader only, which loads nothing else
        return spec
