"""Which comments something was fitted on, without keeping them: a hash of each text, so that they are known again in
another file, in another order, with other line ends, or as a part of more.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.uint64]]

MOST = 20_000
"""Hashes that are kept, the smallest: of a split with more rows, those below the largest kept one speak for all."""

ALTERED = b"-_"
"""In place of base64's + and /: what travels to the Hub is searched for paths."""

SMALL_SHARE = 0.05
"""Short comments ("thank you") stand in any two splits: up to this share of rows in common tells of no common origin."""


def row_hashes(texts: Iterable[str]) -> Array:
    """One uint64 a text, alike for texts that differ only in case or white space."""
    made = (
        hashlib.blake2b(" ".join(text.casefold().split()).encode("utf-8", "replace"), digest_size=8) for text in texts
    )
    return np.frombuffer(b"".join(one.digest() for one in made), dtype="<u8").astype(np.uint64)


@dataclass(frozen=True)
class RowHashes:
    """Sorted hashes of different texts; `below` is the largest hash that would have been kept, None where all were."""

    hashes: Array
    below: int | None = None

    @classmethod
    def of(cls, texts: Iterable[str], most: int = MOST) -> RowHashes:
        """Those of all `texts`, at most `most` of them."""
        found = np.unique(row_hashes(texts))
        return cls(found) if len(found) <= most else cls(found[:most], int(found[most - 1]))

    def known(self, texts: Iterable[str]) -> tuple[int, int]:
        """How many of `texts` are among these, and of how many that can be said."""
        asked = row_hashes(texts)
        if self.below is not None:
            asked = asked[asked <= np.uint64(self.below)]
        return int(np.isin(asked, self.hashes).sum()), len(asked)

    def told(self) -> dict[str, Any]:
        """As JSON values."""
        text = base64.b64encode(self.hashes.astype("<u8").tobytes(), ALTERED).decode("ascii")
        return {"hashes": text} if self.below is None else {"hashes": text, "below": f"{self.below:016x}"}

    @classmethod
    def read(cls, told: Any) -> RowHashes | None:
        """Of what `told` gave; None where it is something else."""
        text, below = (told.get("hashes"), told.get("below")) if isinstance(told, dict) else (None, None)
        if not isinstance(text, str) or not (below is None or isinstance(below, str)):
            return None
        try:
            found = np.frombuffer(base64.b64decode(text, ALTERED, validate=True), dtype="<u8").astype(np.uint64)
            return (
                cls(np.unique(found), None if below is None else int(below, 16) & 0xFFFF_FFFF_FFFF_FFFF)
                if len(found)
                else None
            )
        except (binascii.Error, ValueError):
            return None
