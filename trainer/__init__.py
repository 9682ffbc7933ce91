"""The core of goemo-tui: corpus in, trained model out, emotions of a text. Usable alone, without a terminal.

Names are resolved on first use (PEP 562), so that `import trainer` costs milliseconds and never loads torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trainer.config import TrainConfig as TrainConfig
    from trainer.corpus import Corpus as Corpus
    from trainer.corpus import Problem as Problem
    from trainer.corpus import Split as Split
    from trainer.corpus import load_corpus as load_corpus
    from trainer.errors import ConfigError as ConfigError
    from trainer.errors import CorpusError as CorpusError
    from trainer.errors import GoemoError as GoemoError
    from trainer.errors import ModelError as ModelError
    from trainer.errors import NotFoundError as NotFoundError
    from trainer.errors import RunError as RunError
    from trainer.infer.evaluate import evaluate as evaluate
    from trainer.infer.explain import Reasons as Reasons
    from trainer.infer.explain import Word as Word
    from trainer.infer.explain import because as because
    from trainer.infer.predictor import Emotion as Emotion
    from trainer.infer.predictor import Prediction as Prediction
    from trainer.infer.predictor import Predictor as Predictor
    from trainer.infer.score_file import score_file as score_file
    from trainer.labels import EMOTIONS as EMOTIONS
    from trainer.labels import LabelSet as LabelSet
    from trainer.learn.train import TrainResult as TrainResult
    from trainer.learn.train import resume as resume
    from trainer.learn.train import train as train
    from trainer.runs.run import Run as Run
    from trainer.runs.run import list_runs as list_runs

__version__ = "0.1.0"

_HOME = {
    "EMOTIONS": "trainer.labels",
    "LabelSet": "trainer.labels",
    "load_corpus": "trainer.corpus",
    "Corpus": "trainer.corpus",
    "Split": "trainer.corpus",
    "Problem": "trainer.corpus",
    "TrainConfig": "trainer.config",
    "train": "trainer.learn.train",
    "resume": "trainer.learn.train",
    "TrainResult": "trainer.learn.train",
    "Run": "trainer.runs.run",
    "list_runs": "trainer.runs.run",
    "Predictor": "trainer.infer.predictor",
    "Prediction": "trainer.infer.predictor",
    "Emotion": "trainer.infer.predictor",
    "because": "trainer.infer.explain",
    "Reasons": "trainer.infer.explain",
    "Word": "trainer.infer.explain",
    "score_file": "trainer.infer.score_file",
    "evaluate": "trainer.infer.evaluate",
    "GoemoError": "trainer.errors",
    "ConfigError": "trainer.errors",
    "NotFoundError": "trainer.errors",
    "CorpusError": "trainer.errors",
    "RunError": "trainer.errors",
    "ModelError": "trainer.errors",
}
"""Public name -> the module it is of, in the order of the pipeline; docs/api.md is written from it."""

__all__ = [  # noqa: RUF022 - in the order of the pipeline
    "EMOTIONS", "LabelSet", "load_corpus", "Corpus", "Split", "Problem", "TrainConfig", "train", "resume", "TrainResult",
    "Run", "list_runs", "Predictor", "Prediction", "Emotion", "because", "Reasons", "Word", "score_file", "evaluate",
    "GoemoError", "ConfigError", "NotFoundError", "CorpusError", "RunError", "ModelError",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module 'trainer' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
