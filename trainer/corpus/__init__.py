"""Comments in: read, locate, download, count and tokenize a corpus. Never imports torch, transformers or pandas.

Importing this loads neither numpy nor Arrow nor tokenizers; `stats`, `tokens` and `download` are imported by name.
"""

from __future__ import annotations

from trainer.corpus.corpus import Corpus
from trainer.corpus.language import language_warning
from trainer.corpus.locate import CorpusInfo, list_corpora, load_corpus
from trainer.corpus.read import read_split
from trainer.corpus.split import Problem, Split

__all__ = [
    "Corpus",
    "CorpusInfo",
    "Problem",
    "Split",
    "language_warning",
    "list_corpora",
    "load_corpus",
    "read_split",
]
