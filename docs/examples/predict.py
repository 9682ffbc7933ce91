"""Texts in, emotions out; which words it is because of; and the training comments most like it.

python docs/examples/predict.py [TEXT ...]
"""

from __future__ import annotations

import sys

from trainer import Predictor, because
from trainer.errors import GoemoError
from trainer.infer.like import build


def main(*texts: str, model: str = "starter") -> None:
    """Print what each text feels, by which words, and its nearest training comment."""
    predictor = Predictor(model, few=True)
    texts = texts or ("I'm so excited about this! But also a bit nervous...",)
    for prediction in predictor.predict(texts):
        print(prediction.text)
        for felt in prediction.emotions:
            print(f"  {felt.emotion:<16}{felt.probability:.2f} (over {felt.threshold:.2f})")
        top = max(prediction.scores, key=lambda name: prediction.scores[name])
        reasons = because(predictor, prediction.text).of(top)
        told = " ".join(f"{w.word}{w.weight:+.1f}" for w in reasons if w.weight is not None)
        print(f"  because ({top}): {told}")
    # shape (texts, labels), float32: the numbers without names
    print(predictor.probabilities(texts).shape, predictor.labels[:3])
    index = build(predictor, "sample")  # built once a model and corpus, then kept in the cache
    for neighbour in index.ask(texts[0], 1):
        print(f"like ({neighbour.similarity:.2f}): {neighbour.text} [{', '.join(neighbour.labels)}]")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except GoemoError as error:
        sys.exit(str(error))
