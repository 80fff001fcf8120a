"""Texts of a column replaced by others, each distinct one once; shapes and nulls stay."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from mailframe.frame.schema import TEXT
from mailframe.stats import vectors

if TYPE_CHECKING:
    from pandas.api.extensions import ExtensionArray

Way = Callable[[pa.Array], pa.Array]  # distinct texts to what stands for them


def replaced(arrays: list[pa.Array], way: Way) -> list[pa.Array]:
    """Send the distinct texts of some columns through ``way``, keeping their shapes and nulls."""
    flat = [pc.list_flatten(array) if vectors.is_list(array.type) else array for array in arrays]
    texts = [part.cast(TEXT) for part in flat]
    encoded = pa.chunked_array(texts, TEXT).combine_chunks().dictionary_encode()
    labels = way(encoded.dictionary)
    out, start = [], 0
    for array, part in zip(arrays, texts, strict=True):
        items = labels.take(encoded.indices.slice(start, len(part)))
        start += len(part)
        out.append(_relisted(array, items) if vectors.is_list(array.type) else items)
    return out


def _relisted(lists: pa.Array, items: pa.Array) -> pa.Array:
    """Put new items into the place of old ones."""
    lengths = vectors.numpy(pc.list_value_length(lists).fill_null(0))
    offsets = pa.array(np.concatenate([[0], np.cumsum(lengths)]), pa.int32())
    return pa.ListArray.from_arrays(offsets, items.cast(pa.string()), mask=lists.is_null())


def as_pandas(array: pa.Array, dtype: object) -> ExtensionArray:
    """Give a column its dtype; categories are of the new names, and in their order."""
    if vectors.is_list(array.type):
        return pd.arrays.ArrowExtensionArray(array)
    words = vectors.text(array)
    return pd.Categorical(words) if isinstance(dtype, pd.CategoricalDtype) else words
