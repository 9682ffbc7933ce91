"""Token ids of a corpus, kept from one training to the next: the same texts are not tokenized for each run anew.

Of other texts, another tokenizer or another length they are made again. No torch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from trainer import kept_arrays, paths
from trainer.corpus.tokens import TokenArrays, tokenize

FEWEST = 2_000
"""Fewer texts are tokenized faster than a file is looked for."""

KEPT = 12
"""Files, of about 4 MB for 43,000 comments: the least lately used go first."""

FORMAT = "1"


def tokenized(
    texts: Sequence[str], tokenizer: Tokenizer, max_length: int, cancelled: Callable[[], bool] | None = None
) -> TokenArrays:
    """What `tokenize` gives, from the cache where it is there. Raises Cancelled."""
    if len(texts) < FEWEST:
        return tokenize(texts, tokenizer, max_length, cancelled)
    key = kept_arrays.digest([FORMAT, max_length, tokenizer.to_str(), *texts])
    file = paths.cache_folder() / "tokens" / f"{key[:32]}.safetensors"
    found = _read(file, key, len(texts))
    if found is None:
        found = tokenize(texts, tokenizer, max_length, cancelled)
        kept_arrays.keep(file, key, {"ids": found.ids, "offsets": found.offsets}, KEPT)
    return found


def _read(file: Path, key: str, rows: int) -> TokenArrays | None:
    kept = kept_arrays.read(file, key)
    if kept is None or kept.keys() != {"ids", "offsets"}:
        return None
    ids, offsets = kept["ids"], kept["offsets"]
    fits = ids.dtype == np.int32 and offsets.dtype == np.int64 and len(offsets) == rows + 1
    if not fits or offsets[0] != 0 or offsets[-1] != len(ids) or (np.diff(offsets) < 0).any():
        return None
    return TokenArrays(ids, offsets)
