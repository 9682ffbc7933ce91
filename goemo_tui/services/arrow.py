"""Text into Arrow and numbers out of it by their buffers: the usual ways would import pandas (0.6 s, 100 MB)."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from trainer.corpus.interrupt import Cancelled


def texts_of(texts: Sequence[str]) -> Any:
    """An Arrow large_string array. A lone surrogate, as a JSON escape can bring one, becomes a question mark."""
    encoded = [text.encode("utf-8", "replace") for text in texts]
    offsets = np.zeros(len(encoded) + 1, dtype=np.int64)
    np.cumsum(np.fromiter(map(len, encoded), dtype=np.int64, count=len(encoded)), out=offsets[1:])
    buffers = pa.py_buffer(offsets.tobytes()), pa.py_buffer(b"".join(encoded))
    return pa.LargeStringArray.from_buffers(len(encoded), *buffers)


def values_of(array: Any, dtype: type[np.generic]) -> npt.NDArray[Any]:
    """The values of an Arrow array of numbers without nulls; `dtype` is what it holds."""
    return np.frombuffer(
        array.buffers()[1], dtype=dtype, count=len(array), offset=array.offset * np.dtype(dtype).itemsize
    )


CHUNK = 200_000
"""Rows of a chunk, where it is for us to say."""


def column_of(texts: Sequence[str]) -> Any:
    """An Arrow chunked array of strings. What is columns already (`Texts`) is taken as it is."""
    chunks = getattr(texts, "chunks", None)
    if chunks:
        return pa.chunked_array(chunks)
    whole = texts_of(texts)
    return pa.chunked_array([whole.slice(start, CHUNK) for start in range(0, max(1, len(whole)), CHUNK)])


def by_chunk(
    column: Any,
    function: Callable[[Any], Any],
    done: Callable[[int, int], None] = lambda chunks, of: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> list[Any]:
    """`function` of each chunk of a column, in several threads where there are several: Arrow lets go of the lock.

    `done(chunks, of)` is told as they come. Raises Cancelled, and what `function` raises.
    """
    chunks = column.chunks
    if len(chunks) < 2:
        return [function(chunk) for chunk in chunks]
    found = []
    with ThreadPoolExecutor(max(1, min(4, os.cpu_count() or 1))) as pool:
        try:
            for result in pool.map(lambda chunk: None if cancelled() else function(chunk), chunks):
                found.append(result)
                if cancelled():
                    raise Cancelled("nobody waits for it")
                done(len(found), len(chunks))
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
    return found
