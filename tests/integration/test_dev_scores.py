"""A real training keeps what its best epoch said of each comment of dev."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from trainer import load_corpus, train
from trainer.model import metrics
from trainer.modelfolder import find_model
from trainer.runs.dev_scores import NAME, read_dev_scores
from trainer.runs.run import Run


def test_the_best_epoch_s_scores_of_dev_are_kept(tiny_encoder: Path) -> None:
    done = train("sample", str(tiny_encoder), limit=64, epochs=2, head_init="random", lr=0.01)
    run = Run.open(done.run)
    dev = load_corpus("sample").splits["dev"]
    scores = read_dev_scores(run.folder)
    assert scores is not None and scores.probabilities.shape == (len(dev.text), len(scores.labels))
    assert scores.epoch == done.validation["epoch"] and find_model(done.run).path.is_dir()
    truth = metrics.multi_hot(dev.labels, len(scores.labels))
    honest = metrics.scores(truth, metrics.cross_fitted(truth, scores.probabilities, scores.way))
    assert abs(honest.macro_f1 - done.validation["macro_f1"]) < 1e-6
    limits = [done.validation["per_label"][name]["threshold"] for name in scores.labels]
    assert np.allclose(scores.thresholds, limits, atol=1e-4)
    assert (run.folder / NAME).stat().st_mode & 0o777 == 0o600


def test_scores_that_cannot_be_read_are_none(tmp_path: Path) -> None:
    assert read_dev_scores(tmp_path) is None
    (tmp_path / NAME).write_bytes(b"no tensors")
    assert read_dev_scores(tmp_path) is None
