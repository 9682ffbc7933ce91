"""How far a model trained on the sample corpus and one trained on the real corpus agree.

`python -m benchmarks.agreement SAMPLE_RUN REAL_RUN [REAL_CORPUS]`: both models read the sample's test split (and the real dev split);
printed are their macro-F1 there, and how often the emotion that one finds most probable is among the other's three.
"""

from __future__ import annotations

import sys

import numpy as np

from trainer import Predictor, evaluate, load_corpus
from trainer.model.metrics import multi_hot, scores


def main(arguments: list[str]) -> int:
    """Print the table."""
    if len(arguments) not in (2, 3):
        print(__doc__, file=sys.stderr)
        return 2
    small, real = Predictor(arguments[0]), Predictor(arguments[1])
    for data, split in [("sample", "test"), *((corpus, "dev") for corpus in arguments[2:])]:
        rows = load_corpus(data).splits[split]
        truth = multi_hot(rows.labels, len(small.labels))
        ours, theirs = small.probabilities(rows.text), real.probabilities(rows.text)
        best_of_three = np.argsort(-theirs, axis=1)[:, :3]
        first = ours.argmax(1)
        print(f"{data} {split}, {len(rows.text):,} rows")
        print(f"  label frequencies alone   macro-F1 {scores(truth, np.ones_like(truth)).macro_f1:.3f}")
        print(f"  trained on the sample     macro-F1 {evaluate(small, data, split)['macro_f1']:.3f}")
        print(f"  trained on the real one   macro-F1 {evaluate(real, data, split)['macro_f1']:.3f}")
        print(
            f"  same first emotion        {(first == theirs.argmax(1)).mean():.1%} of rows (chance {1 / truth.shape[1]:.1%})"
        )
        print(f"  first among their three   {(best_of_three == first[:, None]).any(1).mean():.1%}")
        print(f"  correlation of scores     {np.corrcoef(ours.ravel(), theirs.ravel())[0, 1]:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
