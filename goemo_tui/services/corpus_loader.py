"""What runs in threads for the Data screen: open a corpus, find its tokenizer, count tokens. Plain data out.

Each function is told by `cancelled` when nobody waits any more, and returns. Knows no widget.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from goemo_tui.services.corpus import SplitColumns, columns_of
from goemo_tui.services.freshness import Looks, look
from trainer.corpus import Corpus, language_warning, load_corpus
from trainer.corpus.interrupt import Cancelled
from trainer.errors import GoemoError
from trainer.paths import expanded


@dataclass(frozen=True)
class Opened:
    """A corpus with its splits as columns, and its files as they were when they were read."""

    corpus: Corpus
    splits: dict[str, SplitColumns]
    files: Looks = field(default_factory=dict)


def open_corpus(path: str, encoder: str) -> Opened:
    """Load `path` and make columns of every split that has rows. Raises GoemoError.

    A language that `encoder` (a name) was not trained on is one more of the corpus's warnings.
    """
    files = look(path)
    corpus = load_corpus(path)
    if corpus.path != expanded(path).absolute():  # a corpus by its name
        files = look(corpus.path)
    some = next((split.text for split in corpus.splits.values() if split.text), [])
    language = language_warning(some, encoder)
    if language:
        corpus = replace(corpus, warnings=(*corpus.warnings, language))
    return Opened(
        corpus, {name: columns_of(corpus, name) for name, split in corpus.splits.items() if len(split)}, files
    )


@dataclass(frozen=True)
class FoundTokenizer:
    """`tokenizer` is None where there is none; `note` then says what to do."""

    tokenizer: Any
    note: str = ""


def find_tokenizer(encoder: str) -> FoundTokenizer:
    """The tokenizer of an encoder that is on this disk. Nothing is downloaded."""
    from trainer.corpus.tokens import load_tokenizer
    from trainer.encoders import find_encoder

    try:
        return FoundTokenizer(load_tokenizer(find_encoder(encoder, allow_download=False).folder))
    except GoemoError as error:
        return FoundTokenizer(None, f"no tokenizer: {error}")


def count_all(
    splits: dict[str, SplitColumns], tokenizer: Any, cancelled: Callable[[], bool], done: Callable[[str, int], None]
) -> None:
    """Count the tokens of every split, train first; `done(split, rows so far)` after each chunk."""
    from goemo_tui.services.corpus import count_tokens

    try:
        for name, columns in splits.items():
            if not count_tokens(columns, tokenizer, cancelled, lambda n, name=name: done(name, n)):  # type: ignore[misc]
                return
    except Cancelled:
        return
