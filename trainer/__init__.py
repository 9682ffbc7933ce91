"""The core of goemo-tui: corpus in, trained model out, emotions of a text. Usable alone, without a terminal.

Names are resolved on first use (PEP 562), so that `import trainer` costs milliseconds and never loads torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trainer.config import TrainConfig as TrainConfig
    from trainer.corpus import Corpus as Corpus
    from trainer.corpus import Split as Split
    from trainer.corpus import load_corpus as load_corpus
    from trainer.errors import GoemoError as GoemoError
    from trainer.infer.evaluate import evaluate as evaluate
    from trainer.infer.predictor import Predictor as Predictor
    from trainer.labels import EMOTIONS as EMOTIONS
    from trainer.labels import LabelSet as LabelSet
    from trainer.learn.train import train as train

__version__ = "0.1.0"

_HOME = {
    "EMOTIONS": "trainer.labels",
    "LabelSet": "trainer.labels",
    "TrainConfig": "trainer.config",
    "Corpus": "trainer.corpus",
    "Split": "trainer.corpus",
    "load_corpus": "trainer.corpus",
    "GoemoError": "trainer.errors",
    "Predictor": "trainer.infer.predictor",
    "evaluate": "trainer.infer.evaluate",
    "train": "trainer.learn.train",
}

__all__ = [  # noqa: RUF022 - in the order of the pipeline
    "EMOTIONS", "LabelSet", "load_corpus", "Corpus", "Split", "TrainConfig", "train", "Predictor", "evaluate", "GoemoError",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module 'trainer' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
