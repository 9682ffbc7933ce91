"""`goemo-tui runs stop`, `resume`, `attach` and `rm` with a worker that learns nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from goemo_tui.commands import progress
from tests.unit import fake_worker
from tests.unit.command_line import SHOW_KEYS, cli, finished, one_document, use_worker
from tests.unit.fake_worker import until
from trainer.config import TrainConfig
from trainer.runs import lock, process
from trainer.runs.events import EventLog
from trainer.runs.lock import RunLock
from trainer.runs.run import Run, list_runs


@pytest.fixture(autouse=True)
def no_worker_stays() -> Iterator[None]:
    yield
    fake_worker.end_all()


# -- stop, resume, attach


def test_stop_and_resume(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    use_worker(monkeypatch, "works")
    run = Run.create(TrainConfig())
    process.start(run)
    assert cli("runs", "stop") == 0
    out, err = capsys.readouterr()
    assert out == "" and f"stopping {run.id}" in err and "was stopped" in err and run.state == "stopped"
    assert cli("runs", "stop", run.id) == 1
    err = capsys.readouterr().err
    assert "is stopped" in err and "stopping" not in err
    assert cli("runs", "resume", run.short) == 0
    assert capsys.readouterr().out == f"{run.id}\n"
    assert run.state == "running"
    assert cli("runs", "resume", run.id) == 1
    assert cli("runs", "stop", run.id, "--json") == 0
    assert one_document(capsys.readouterr().out)["state"] == "stopped"
    assert cli("runs", "resume", run.id, "--json") == 0
    document = one_document(capsys.readouterr().out)
    assert set(document) == SHOW_KEYS and document["pid"] == run.look().pid


def test_a_resume_without_a_checkpoint_says_first_that_it_starts_over(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said: list[str] = []
    monkeypatch.setattr(process, "resume", lambda run: said.append(capsys.readouterr().err))
    run = Run.create(TrainConfig())
    with RunLock(run.folder), EventLog(run.folder / "events.jsonl") as log:
        log.append("started", steps=10, epochs=2)
        log.append("step", step=5)
    assert cli("runs", "resume", run.id) == 0
    folder = run.folder / "checkpoints" / "step-000005"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text("{}")
    assert cli("runs", "resume", run.id) == 0
    assert said == [f"{run.id} has no checkpoint: it starts over from step 0\n", ""]


def test_a_stop_that_kills_is_exit_code_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use_worker(monkeypatch, "falls")
    run = Run.create(TrainConfig())
    process.start(run)
    until(lambda: run.snapshot().step > 2)
    with monkeypatch.context() as patch:
        patch.setattr(lock, "request_stop", lambda folder: None)
        assert cli("runs", "stop", run.id) == 1
    assert run.state == "died" and f"{run.id} died" in capsys.readouterr().err


def test_what_a_resume_may_mend_is_offered(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for how, offered in (("misses", True), ("fails", False)):
        use_worker(monkeypatch, how)
        run = Run.create(TrainConfig())
        process.start(run)
        assert cli("runs", "attach", run.id) == 1
        assert (f"goemo-tui runs resume {run.id}" in capsys.readouterr().err) is offered, how
        assert cli("runs", "resume", run.id) == (0 if offered else 1)
        capsys.readouterr()


def test_an_epoch_validated_again_after_a_crash_counts_once(capsys: pytest.CaptureFixture[str]) -> None:
    run = Run.create(TrainConfig(epochs=1))
    with RunLock(run.folder), EventLog(run.folder / "events.jsonl") as log:
        log.append("started", steps=10, epochs=1)
        log.append("checkpoint", step=10)
        log.append("validation", step=10, epoch=1, macro_f1=0.4, best=True)
        log.append("resumed", step=10, epoch=1, steps=10, epochs=1)
        log.append("validation", step=10, epoch=1, macro_f1=0.4, best=True)
        log.append("finished", step=10, epoch=1, seconds=61.0)
    assert cli("runs", "attach", run.id, "--json") == 0
    assert one_document(capsys.readouterr().out)["epochs"] == 1


def test_attach_follows_to_the_end(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    run = Run.create(TrainConfig())
    process.start(run, fake_worker.command(run, "works"))
    looks = 0

    def wait(seconds: float) -> None:
        nonlocal looks
        looks += 1
        if looks == 2:
            process.stop(run)

    follow = progress.follow
    monkeypatch.setattr(progress, "follow", lambda run: follow(run, wait))
    assert cli("runs", "attach", run.id, "--json") == 1  # stopped is not finished
    out, err = capsys.readouterr()
    assert one_document(out)["state"] == "stopped" and "was stopped" in err and run.short in err
    done = finished()
    assert cli("runs", "attach", done.id) == 0
    assert "macro-F1 .500" in capsys.readouterr().err


# -- rm


def test_rm_takes_the_folder_and_only_it(capsys: pytest.CaptureFixture[str]) -> None:
    run, other = finished(), finished()
    assert cli("runs", "rm") == 2
    assert cli("runs", "rm", run.id, "--yes") == 0
    assert not run.folder.exists() and other.folder.exists()
    assert [r.id for r in list_runs()] == [other.id]


def test_rm_asks_on_a_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    run = finished()

    class Terminal:
        answers = iter(["n\n", "", "y\n"])

        def isatty(self) -> bool:
            return True

        def readline(self) -> str:
            return next(self.answers)

    monkeypatch.setattr("sys.stdin", Terminal())
    for code in (1, 1, 0):
        assert run.folder.exists()
        assert cli("runs", "rm", run.id) == code
        out, err = capsys.readouterr()
        assert out == "" and run.id in err
    assert not run.folder.exists()


def test_rm_refuses_a_living_run(capsys: pytest.CaptureFixture[str]) -> None:
    run = Run.create(TrainConfig())
    with RunLock(run.folder):
        assert cli("runs", "rm", run.id, "--yes") == 1
        assert "runs stop" in capsys.readouterr().err
    assert run.folder.exists()
