"""Comments in: read a corpus, look at what is in it and what is wrong with it. No torch is loaded.

python docs/examples/corpus.py [sample | goemotions | FOLDER | FILE]
"""

from __future__ import annotations

import sys
from collections import Counter

from trainer import Corpus, load_corpus
from trainer.errors import GoemoError


def most_frequent(corpus: Corpus, split: str, number: int = 5) -> list[tuple[str, int]]:
    """The emotions that occur in the most rows of a split."""
    rows = corpus.splits[split]
    counts = Counter(dict(zip(corpus.labels.names, rows.label_counts(len(corpus.labels)), strict=True)))
    return counts.most_common(number)


def main(data: str = "sample") -> None:
    """Print sizes, the first row with its multi-hot vector, the most frequent emotions and the rows left out."""
    corpus = load_corpus(data)
    for name, split in corpus.splits.items():
        print(f"{name:<6}{len(split):>7,} rows, {len(split.problems)} left out")
    train = corpus.splits["train"]
    names = [corpus.labels.names[i] for i in train.labels[0]]
    print(f"\n{train.text[0]}\n  {', '.join(names)}\n  {corpus.labels.multi_hot(train.labels[0])}\n")
    for emotion, rows in most_frequent(corpus, "train"):
        print(f"{emotion:<16}{rows:>6,}")
    for problem in corpus.problems:
        print(f"{problem.file}:{problem.line}: {problem.what}")
    grouped = corpus.under("ekman")  # the 28 as Ekman's six and neutral
    print(f"\nas Ekman's: {', '.join(grouped.labels.names)}")


if __name__ == "__main__":
    if len(sys.argv) > 2:
        sys.exit("usage: python docs/examples/corpus.py [sample | goemotions | FOLDER | FILE]")
    try:
        main(*sys.argv[1:])
    except GoemoError as error:
        sys.exit(str(error))
