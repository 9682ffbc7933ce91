"""Text into Arrow and numbers out of it by their buffers: the usual ways would import pandas (0.6 s, 100 MB)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa


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
