"""The rows of a corpus that a filter finds, without a screen: what `data show` and `data export` share."""

from __future__ import annotations

from dataclasses import dataclass

from goemo_tui.services.corpus import Rows, SplitColumns, columns_of, count_tokens, find
from goemo_tui.services.corpus_loader import find_tokenizer
from goemo_tui.services.query import QueryError, conditions, parse
from trainer.corpus import load_corpus
from trainer.errors import ConfigError, NotFoundError


@dataclass(frozen=True)
class FoundRows:
    """`rows` of `columns`, in file order. `note` is what to know about the filter ("" where there is nothing)."""

    columns: SplitColumns
    rows: Rows
    note: str = ""


def found_rows(path: str, split: str | None, filter_text: str, encoder: str) -> FoundRows:
    """Open the corpus at `path` and answer the filter in one split (None: the first it has).

    `encoder` is whose tokenizer counts, for filters with `tokens:`. Raises GoemoError.
    """
    corpus = load_corpus(path)
    there = [name for name, one in corpus.splits.items() if len(one)]
    if not there:
        raise NotFoundError(f"{path} has no usable row: goemo-tui data check {path} says why")
    if split is not None and split not in there:
        raise NotFoundError(f"{path} has no {split} split: there are {', '.join(there)}")
    columns = columns_of(corpus, split or there[0])
    try:
        query = parse(filter_text, columns.labels)
    except QueryError as error:
        raise ConfigError(f"--filter {filter_text!r}: {error}", key="filter") from None
    if any(term.kind == "tokens" for term, _ in conditions(query.expression)):
        found = find_tokenizer(encoder)
        if found.tokenizer is None:
            raise NotFoundError(f"tokens: cannot be counted: {found.note}")
        count_tokens(columns, found.tokenizer, lambda: False, lambda rows: None)
    answer = find(columns, filter_text)
    if answer.rows is None:
        raise ConfigError(f"--filter {filter_text!r}: {answer.error}", key="filter")
    return FoundRows(columns, answer.rows, answer.note)
