"""What each row of a file feels, into another file; counted by a column.

python docs/examples/score.py FILE OUT [COLUMN]       such as reviews.csv felt.parquet review
"""

from __future__ import annotations

import sys

from trainer import Predictor, score_file
from trainer.errors import GoemoError
from trainer.infer.score import Progress, Scored


def main(source: str, to: str, column: str | None = None) -> Scored:
    """Score `source` into `to` with the starter."""

    def tell(progress: Progress) -> None:
        print(f"{progress.rows:,} rows, {progress.rows_per_s:.0f} a second", file=sys.stderr)

    predictor = Predictor("starter")
    found = score_file(source, to, predictor, column=column, overwrite=True, tell=tell)
    print(f"{found.rows:,} rows, {found.errors} not judged, in {found.seconds:.1f} s")
    counts = dict(zip(predictor.labels, found.counts["labels"], strict=True))
    for emotion in sorted(counts, key=lambda name: -counts[name])[:5]:
        print(f"  {emotion:<16}{counts[emotion]:>6,}")
    return found


if __name__ == "__main__":
    if not 3 <= len(sys.argv) <= 4:
        sys.exit("usage: python docs/examples/score.py FILE OUT [COLUMN]")
    try:
        main(*sys.argv[1:])
    except GoemoError as error:
        sys.exit(str(error))
