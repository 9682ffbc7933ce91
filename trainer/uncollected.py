"""Large imports without the search for cycles among what they make: little of it ever goes away, and the search takes a tenth of the
time until a training or a prediction begins.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected(for_good: bool = False) -> Iterator[None]:
    """No search for cycles meanwhile. `for_good`: nor does any later one look at what was made by then, which is for a process
    that loads once what it keeps to its end."""
    searched = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if searched:
            if for_good:
                gc.freeze()
            gc.enable()
