"""Score a model on a split whose labels are known, and hold a second one against it on the same resamples.

python docs/examples/evaluate.py [MODEL [OTHER]]
"""

from __future__ import annotations

import sys
from typing import Any

from trainer import evaluate
from trainer.errors import GoemoError


def main(model: str = "starter", other: str | None = None) -> dict[str, Any]:
    """Print macro-F1 with its interval, the best and the worst emotion, and the difference if two are given."""
    report = evaluate(model, "sample", split="test", bootstrap=200, against=other)
    told = report["bootstrap"]["macro_f1"]
    low, high = told["low"], told["high"]
    print(f"{report['model']} on {report['n']} rows: macro-F1 {report['macro_f1']:.3f} (95%: {low:.3f} to {high:.3f})")
    ranked = sorted(report["per_label"].items(), key=lambda item: item[1]["f1"])
    for name, scores in (ranked[-1], ranked[0]):
        print(f"  {name:<16}F1 {scores['f1']:.3f}, {scores['support']} rows")
    for note in report["notes"]:
        print(f"  {note}")
    if other:
        told = report["difference"]["macro_f1"]
        print(f"{other}: {told['difference']:+.3f} macro-F1 ({'clear' if told['clear'] else 'not clear'})")
    return report


if __name__ == "__main__":
    if len(sys.argv) > 3:
        sys.exit("usage: python docs/examples/evaluate.py [MODEL [OTHER]]")
    try:
        main(*sys.argv[1:])
    except GoemoError as error:
        sys.exit(str(error))
