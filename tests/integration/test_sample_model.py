"""A model trained on the sample corpus has learned something: it beats what label frequencies alone can say."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from trainer import load_corpus
from trainer.model.metrics import multi_hot, scores


def frequency_baseline() -> float:
    """The best macro-F1 on test of anything that looks at label frequencies and not at the text.

    Saying a label everywhere is the best that such a rule can do for its F1.
    """
    rows = load_corpus("sample").splits["test"]
    truth = multi_hot(rows.labels, 28)
    return scores(truth, np.ones_like(truth)).macro_f1


@pytest.mark.timeout(1500)  # a minute on one processor, ten on another that others use too
def test_it_beats_the_label_frequencies_clearly() -> None:
    environment = {**os.environ, "OMP_NUM_THREADS": "2"}
    command = [sys.executable, "-m", "goemo_tui"]
    train = [*command, "train", "--set", "epochs=4", "--set", "head_lr=0.003", "--json"]
    done = subprocess.run(train, capture_output=True, text=True, env=environment, timeout=1200)
    assert done.returncode == 0, done.stderr
    report = subprocess.run(
        [*command, "eval", "--split", "test", "--json"], capture_output=True, text=True, env=environment, check=True
    )
    found = json.loads(report.stdout)
    assert found["n"] == 280
    assert found["macro_f1"] > 2.5 * frequency_baseline()
