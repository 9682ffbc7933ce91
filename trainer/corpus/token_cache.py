"""Token ids of a corpus, kept from one training to the next: the same texts are not tokenized for each run anew.

A file that is damaged, or of other texts, another tokenizer or another length, is made again. No torch.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file
from tokenizers import Tokenizer

from trainer import paths
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
    key = _key(texts, tokenizer, max_length)
    file = paths.cache_folder() / "tokens" / f"{key[:32]}.safetensors"
    found = _read(file, key, len(texts))
    if found is None:
        found = tokenize(texts, tokenizer, max_length, cancelled)
        _keep(file, key, found)
    return found


def _key(texts: Sequence[str], tokenizer: Tokenizer, max_length: int) -> str:
    """sha256 in hex; each text with its length before it, so that no two lists look alike."""
    digest = hashlib.sha256(f"{FORMAT} {max_length} {len(texts)}\0{tokenizer.to_str()}\0".encode("utf-8", "replace"))
    digest.update("".join(f"{len(text)}:{text}" for text in texts).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _read(file: Path, key: str, rows: int) -> TokenArrays | None:
    try:
        with safe_open(file, framework="numpy") as found:
            if (found.metadata() or {}).get("of") != key:
                return None
            ids, offsets = found.get_tensor("ids"), found.get_tensor("offsets")
    except (OSError, SafetensorError):
        return None
    fits = ids.dtype == np.int32 and offsets.dtype == np.int64 and len(offsets) == rows + 1
    if not fits or offsets[0] != 0 or offsets[-1] != len(ids) or (np.diff(offsets) < 0).any():
        return None
    with suppress(OSError):
        os.utime(file)
    return TokenArrays(ids, offsets)


def _keep(file: Path, key: str, tokens: TokenArrays) -> None:
    with suppress(
        OSError, SafetensorError
    ):  # a disk that is full, or a folder that is not ours: tokenized again next time
        part = paths.private_folder(file.parent) / f".{file.name}.{os.getpid()}"
        try:
            save_file({"ids": tokens.ids, "offsets": tokens.offsets}, part, {"of": key})
            part.chmod(0o600)
            part.replace(file)
        finally:
            part.unlink(missing_ok=True)
        for old in sorted(file.parent.iterdir(), key=lambda f: f.stat().st_mtime, reverse=True)[KEPT:]:
            old.unlink()
