"""`goemo-tui runs stop`, `resume`, `attach` and `rm` with a worker that learns nothing."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import pytest

from goemo_tui.commands import progress
from goemo_tui.services import resume
from tests.unit import fake_worker
from tests.unit.command_line import SHOW_KEYS, cli, finished, one_document, use_worker
from tests.unit.fake_worker import until
from trainer import surroundings
from trainer.config import TrainConfig
from trainer.runs import lock, process
from trainer.runs.events import EventLog
from trainer.runs.lock import RunLock
from trainer.runs.queue import Queue
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
    monkeypatch.setattr(process, "resume", lambda run, anyway: said.append(capsys.readouterr().err))
    monkeypatch.setattr(resume, "warnings", lambda run: ())
    run = Run.create(TrainConfig())
    with RunLock(run.folder), EventLog(run.folder / "events.jsonl") as log:
        log.append("started", steps=10, epochs=2)
        log.append("step", step=5)
    assert cli("runs", "resume", run.id) == 0
    folder = run.folder / "checkpoints" / "step-000005"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text("{}")
    assert cli("runs", "resume", run.id) == 0
    assert said[0] == f"{run.id} has no checkpoint: it starts over from step 0\n"
    assert said[1] == f"{run.id} starts over from step 0\n  watch it: goemo-tui runs attach {run.id}\n"
    assert capsys.readouterr().err == f"{run.id} goes on from step 5\n  watch it: goemo-tui runs attach {run.id}\n"


def test_without_an_id_the_newest_that_can_go_on_is_resumed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    taken: list[str] = []
    monkeypatch.setattr(process, "resume", lambda run, anyway: taken.append(run.id))
    monkeypatch.setattr(resume, "warnings", lambda run: ())
    older, stopped, refused = (Run.create(TrainConfig()) for _ in range(3))
    for run, kind, fields in (
        (older, "stopped", {}), (stopped, "stopped", {}), (refused, "failed", {"error": "no rows", "reason": "input"}),
    ):  # fmt: skip
        with RunLock(run.folder), EventLog(run.folder / "events.jsonl") as log:
            log.append("started", steps=10, epochs=2)
            log.append(kind, step=5, **fields)
    unreadable, done, living = finished(), finished(), Run.create(TrainConfig())
    (unreadable.folder / "config.toml").write_text("format = 99\n")
    for second, run in enumerate((older, stopped, refused, unreadable, done, living)):
        os.utime(run.folder / "config.toml", (1000 + second, 1000 + second))
    with RunLock(living.folder), EventLog(living.folder / "events.jsonl") as log:
        log.append("started", steps=10, epochs=2)
        assert cli("runs", "resume") == 0
        assert capsys.readouterr().out == f"{stopped.id}\n" and taken == [stopped.id]
        stopped.delete()
        assert cli("runs", "resume", "--json") == 0
        assert one_document(capsys.readouterr().out)["run"] == older.id == taken[-1]
        older.delete()
        assert cli("runs", "resume") == 3
        out, err = capsys.readouterr()
        assert out == "" and "no run can be resumed" in err and f"{living.id}, is running" in " ".join(err.split())
    assert len(taken) == 2 and done.state == "finished"


def test_a_resume_of_a_run_that_never_began_says_that_it_waits_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(process, "resume", lambda run, anyway: None)
    for extra, said in ((Queue(gpu=True).record(), "waits for its turn again"), ({}, "begins at step 0")):
        run = Run.create(TrainConfig(), extra)
        with RunLock(run.folder), EventLog(run.folder / "events.jsonl") as log:
            log.append("stopped", step=0)
        assert cli("runs", "resume", run.id) == 0
        out, err = capsys.readouterr()
        assert out == f"{run.id}\n" and err.startswith(f"{run.id} {said}\n")


def test_a_resume_warns_as_a_start_does(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    said: list[str] = []
    monkeypatch.setattr(surroundings, "logout", lambda: surroundings.Logout(True, "logout ends it"))
    monkeypatch.setattr(surroundings, "network_warning", lambda folder: f"{folder.name} is far away")
    monkeypatch.setenv("SLURM_JOB_ID", "4711")
    monkeypatch.setattr(process, "resume", lambda run, anyway: said.append(capsys.readouterr().err))
    run = Run.create(TrainConfig())
    with RunLock(run.folder), EventLog(run.folder / "events.jsonl") as log:
        log.append("stopped", step=0)
    assert cli("runs", "resume", run.id) == 0
    for text in ("warning: logout ends it", f"warning: {run.id} is far away", "warning: this is inside SLURM job 4711"):
        assert text in said[0], text
    monkeypatch.undo()
    done = finished()
    monkeypatch.setattr(surroundings, "logout", lambda: pytest.fail("a run that cannot go on"))
    assert cli("runs", "resume", done.id) == 1


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


def test_attach_is_over_when_the_worker_has_let_go() -> None:
    """Whoever is told that a run has finished may use it at once: `runs show` names no pid, `runs rm` does not refuse."""
    run = Run.create(TrainConfig())
    held = RunLock(run.folder)
    held.__enter__()
    with EventLog(run.folder / "events.jsonl") as log:
        log.append("finished", step=1, epochs=1)
    waited = 0

    def wait(seconds: float) -> None:
        nonlocal waited
        waited += 1
        if waited == 3:
            held.__exit__(None, None, None)

    look = progress.follow(run, wait)
    assert look.state == "finished" and look.pid is None and waited == 3
    assert run.summary()["pid"] is None


def test_a_run_that_is_taken_up_again_says_so_once_and_why(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run, looks = Run.create(TrainConfig()), 0
    with RunLock(run.folder), EventLog(run.folder / "events.jsonl") as log:
        log.append("started", steps=500, epochs=2)

        def wait(seconds: float) -> None:
            nonlocal looks
            looks += 1
            if looks == 1:
                log.append("resumed", step=140, steps=500, epochs=2, after="the worker (pid 5) was \x1b[2Jkilled")
            elif looks == 2:
                log.append("resumed", step=150, steps=500, epochs=2)
            elif looks == 4:
                log.append("stopped", step=150)

        follow = progress.follow
        monkeypatch.setattr(progress, "follow", lambda run: follow(run, wait))
        assert cli("runs", "attach", run.id) == 1
        told = [line for line in capsys.readouterr().err.splitlines() if "taken up" in line]
        assert told == [
            f"{run.short}  taken up again from step 140: the worker (pid 5) was ␛[2Jkilled",
            f"{run.short}  taken up again from step 150",
        ]
        assert cli("runs", "attach", run.id) == 1
        again = [line for line in capsys.readouterr().err.splitlines() if "taken up" in line]
        assert again == told[1:], "of what lies behind only the last"


def test_a_worker_that_died_before_its_first_checkpoint_is_told_of(capsys: pytest.CaptureFixture[str]) -> None:
    for first in (True, False):
        run = Run.create(TrainConfig())
        with RunLock(run.folder), EventLog(run.folder / "events.jsonl") as log:
            if not first:
                log.append("started", steps=500, epochs=2)
            log.append("started", steps=500, epochs=2, **({"after": "it was killed"} if first else {}))
            log.append("stopped", step=1)
        assert cli("runs", "attach", run.id) == 1
        assert f"taken up again from step 0{': it was killed' if first else ''}\n" in capsys.readouterr().err


def test_attach_tells_no_more_than_the_last_of_what_lies_behind(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = Run.create(TrainConfig(epochs=40))
    with RunLock(run.folder), EventLog(run.folder / "events.jsonl") as log:
        log.append("started", steps=400, epochs=40)
        for epoch in range(1, 31):
            log.append("warning", text=f"step {epoch}0: not saved")
            log.append("validation", step=epoch * 10, epoch=epoch, macro_f1=0.1)

        def wait(seconds: float) -> None:
            if run.snapshot().step == 300:
                for epoch in range(31, 36):
                    log.append("validation", step=epoch * 10, epoch=epoch, macro_f1=0.1)
            else:
                log.append("stopped", step=350)

        follow = progress.follow
        monkeypatch.setattr(progress, "follow", lambda run: follow(run, wait))
        assert cli("runs", "attach", run.id) == 1
    err = capsys.readouterr().err
    assert [int(n) for n in re.findall(r"epoch (\d+): macro-F1", err)] == list(range(28, 36))
    assert "… 27 earlier ones" in err and err.count("not saved") == 1


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
    kept = finished()
    monkeypatch.setattr(Terminal, "readline", lambda self: "n\n")
    assert cli("runs", "rm", kept.id, "--json") == 1
    assert one_document(capsys.readouterr().out) == {"run": kept.id, "removed": False} and kept.folder.exists()


def test_rm_refuses_a_living_run(capsys: pytest.CaptureFixture[str]) -> None:
    run = Run.create(TrainConfig())
    with RunLock(run.folder):
        assert cli("runs", "rm", run.id, "--yes") == 1
        assert "runs stop" in capsys.readouterr().err
    assert run.folder.exists()


def test_who_may_not_remove_a_run_is_not_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Terminal:
        def isatty(self) -> bool:
            return True

        def readline(self) -> str:
            pytest.fail("it was asked")

    monkeypatch.setattr("sys.stdin", Terminal())
    run, foreign = Run.create(TrainConfig()), finished()
    with RunLock(run.folder):
        assert cli("runs", "rm", run.id) == 1
    assert "Remove" not in (err := capsys.readouterr().err) and f"runs stop {run.id}" in err
    with monkeypatch.context() as patch:
        patch.setattr(Run, "writable", False)
        assert cli("runs", "rm", foreign.id) == 1
    assert "Remove" not in (err := capsys.readouterr().err) and "belongs to" in err
    log = foreign.folder / "events.jsonl"
    log.write_text(log.read_text().replace('"finished"', '"over"').replace('"v":1', '"v":99'))
    assert cli("runs", "rm", foreign.id) == 1
    assert "Remove" not in (err := capsys.readouterr().err) and "format 99" in err
    assert run.folder.exists() and foreign.folder.exists()
