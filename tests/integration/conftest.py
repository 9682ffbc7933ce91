"""Two real runs that several tests start from: one that was never interrupted, and one stopped half way."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration import worker
from trainer.runs.run import Run


@pytest.fixture(scope="session")
def whole_run(tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of `worker.SETTINGS` from its beginning to its end. Only to be looked at."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GOEMO_HOME", str(tmp_path_factory.mktemp("whole")))
        run = worker.create(tiny_encoder)
        assert worker.work(run) == 0, run.worker_log.read_text()
    return run


@pytest.fixture(scope="session")
def stopped_run(tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The same run, stopped at step 12 with the checkpoints of 6 and 12. Only to be copied."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GOEMO_HOME", str(tmp_path_factory.mktemp("stopped")))
        run = worker.create(tiny_encoder)
        assert worker.ended(run) == 0, run.worker_log.read_text()
        assert (run.state, run.snapshot().step) == ("stopped", 12)
        assert sorted(p.name for p in (run.folder / "checkpoints").iterdir()) == ["step-000006", "step-000012"]
    return run
