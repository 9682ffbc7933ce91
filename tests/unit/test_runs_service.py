"""The watch over the run folders: what changed is told once, what did not is not told at all."""

from __future__ import annotations

import os
import shutil
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from goemo_tui.app import going_on
from goemo_tui.services.runs import RunsChanged, RunWatch, Told, run_line, title_of, worker_log
from goemo_tui.widgets.live import progress_of
from goemo_tui.widgets.progress_line import ProgressLine
from trainer import paths
from trainer.config import TrainConfig
from trainer.runs.about import write_about
from trainer.runs.events import EventLog
from trainer.runs.lock import RunLock, request_stop
from trainer.runs.run import Run


def made(**settings: object) -> Run:
    return Run.create(TrainConfig(**settings))  # type: ignore[arg-type]


def begin(log: EventLog, steps: int = 100, epochs: int = 2) -> None:
    log.append("started", step=0, steps=steps, epochs=epochs, rows={"train": 10, "dev": 5}, device="cpu")


def step(log: EventLog, number: int, loss: float = 0.1, eta: float = 100.0) -> None:
    log.append("step", step=number, epoch=0.5, loss=loss, lr=1e-4, grad_norm=0.7, examples_per_s=50.0, eta_s=eta)


def checkpoint(run: Run, log: EventLog, number: int) -> None:
    folder = run.folder / "checkpoints" / f"step-{number:06d}"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text("{}")
    log.append("checkpoint", step=number)


def test_nothing_is_told_where_nothing_changed() -> None:
    heard: list[RunsChanged] = []
    watch = RunWatch()
    watch.subscribe(heard.append)
    assert heard[0].runs == ()
    assert watch.look() is None, "no folder, no message"
    run = made()
    with RunLock(run.folder), EventLog(run.folder / "events.jsonl") as log:
        begin(log)
        step(log, 1)
        first = watch.look()
        assert first is not None and first.changed == {run.id}
        assert [view.state for view in first.runs] == ["running"]
        assert watch.look() is None
        step(log, 2)
        second = watch.look()
        assert second is not None and second.runs[0].snapshot.step == 2
    assert len(heard) == 3


def test_a_run_is_told_to_its_end_and_then_left_in_peace(monkeypatch: pytest.MonkeyPatch) -> None:
    watch = RunWatch()
    run = made()
    with RunLock(run.folder), EventLog(run.folder / "events.jsonl") as log:
        begin(log)
        step(log, 61)
        watch.look()
        assert watch.runs[0].figure == "61%"
        log.append("validation", step=100, epoch=2, loss=0.1, macro_f1=0.531, best=True, per_label={})
        log.append("finished", step=100, epoch=2, seconds=3.0, macro_f1=0.531)
    watch.look()
    assert (watch.runs[0].state, watch.runs[0].figure) == ("finished", "F1 .531")

    def forbidden(self: Run) -> None:
        raise AssertionError("a settled run was read again")

    monkeypatch.setattr(Run, "look", forbidden)
    assert watch.look() is None


@pytest.mark.parametrize(
    ("event", "state", "figure"),
    [
        ({"kind": "failed", "error": "the loss is NaN", "reason": "nan"}, "failed", "NaN loss"),
        ({"kind": "failed", "error": "disk full", "reason": "error"}, "failed", "failed"),
        ({"kind": "stopped", "step": 1}, "stopped", "stopped"),
        (None, "died", "died"),
    ],
)
def test_each_end_has_its_own_word(event: dict[str, str] | None, state: str, figure: str) -> None:
    run = made()
    with RunLock(run.folder), EventLog(run.folder / "events.jsonl") as log:
        begin(log)
        step(log, 1)
        if event is not None:
            log.append(event.pop("kind"), **event)
    watch = RunWatch()
    watch.look()
    assert (watch.runs[0].state, watch.runs[0].figure) == (state, figure)


def test_a_stop_that_was_asked_for_shows() -> None:
    run, watch = made(), RunWatch()
    with RunLock(run.folder), EventLog(run.folder / "events.jsonl") as log:
        begin(log)
        step(log, 1)
        watch.look()
        request_stop(run.folder)
        told = watch.look()
        assert told is not None and told.runs[0].state == "stopping" and told.runs[0].figure == "stopping"


def test_runs_that_come_and_go_are_told() -> None:
    watch = RunWatch()
    first = made()
    watch.look()
    second = made()
    told = watch.look()
    assert told is not None and told.changed == {second.id} and {r.id for r in told.runs} == {first.id, second.id}
    with RunLock(first.folder), EventLog(first.folder / "events.jsonl") as log:
        begin(log)
        log.append("stopped", step=1)
    watch.look()
    first.delete()
    told = watch.look()
    assert told is not None and [r.id for r in told.runs] == [second.id] and told.changed == {first.id}


def test_a_run_that_goes_on_is_seen_again() -> None:
    run, watch = made(), RunWatch()
    with RunLock(run.folder), EventLog(run.folder / "events.jsonl") as log:
        begin(log)
        step(log, 10)
        log.append("stopped", step=10)
    watch.look()
    assert watch.runs[0].state == "stopped"
    with RunLock(run.folder), EventLog(run.folder / "events.jsonl") as log:
        log.append("resumed", step=5, epoch=1)
        watch.look()
        assert watch.runs[0].state == "running"
        assert watch.runs[0].snapshot.step == 5


def test_a_worker_that_has_not_begun_is_loading_and_old_figures_are_not_told() -> None:
    run, watch = made(), RunWatch()
    for died in (False, True):
        with RunLock(run.folder), EventLog(run.folder / "events.jsonl") as log:
            if not died:
                watch.look()
                assert (watch.runs[0].loading, watch.runs[0].figure) == (True, "loading")
                begin(log)
                checkpoint(run, log, 20)
            step(log, 29)
            watch.look()
            assert not watch.runs[0].loading and watch.runs[0].figure == "29%"
            if not died:
                log.append("stopped", step=29)
        with RunLock(run.folder), EventLog(run.folder / "events.jsonl") as log:
            watch.look()
            view = watch.runs[0]
            assert (view.state, view.loading, view.figure, view.resumes_at) == ("running", True, "loading", 20)
            assert run_line(watch.runs)[0] == f"● {run.short}  loading"
            log.append("resumed", step=20, epoch=1)
            watch.look()
            assert not watch.runs[0].loading and watch.runs[0].figure == "20%"


def test_a_run_that_does_not_go_on_says_from_where_it_would_and_why_it_died(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Run, "why_died", lambda self: "it was killed")
    run, watch = made(), RunWatch()
    with RunLock(run.folder), EventLog(run.folder / "events.jsonl") as log:
        begin(log)
        step(log, 30)
        watch.look()
        assert watch.runs[0].why == ""
    watch.look()
    assert (watch.runs[0].why, watch.runs[0].resumes_at, watch.runs[0].loses_steps) == ("it was killed", 0, True)
    with EventLog(run.folder / "events.jsonl") as log:
        checkpoint(run, log, 20)
    watch.look()
    assert (watch.runs[0].resumes_at, watch.runs[0].loses_steps) == (20, False)
    shutil.rmtree(run.folder / "checkpoints" / "step-000020")
    told = watch.look()
    assert told is not None and told.runs[0].loses_steps, "what is on disk counts, not what the log says"
    with RunLock(run.folder), EventLog(run.folder / "events.jsonl") as log:
        log.append("resumed", step=20)
        watch.look()
        assert watch.runs[0].why == ""


def test_a_run_that_waits_leaves_the_header_to_one_that_is_trained() -> None:
    older, watch = made(), RunWatch()
    with RunLock(older.folder), EventLog(older.folder / "events.jsonl") as log:
        begin(log)
        step(log, 50)
        newer = made()
        with RunLock(newer.folder), EventLog(newer.folder / "events.jsonl") as its_log:
            its_log.append("waiting", on="run calm-otter to end")
            watch.look()
            waiting = next(run for run in watch.runs if run.id == newer.id)
            assert (waiting.state, waiting.figure, waiting.waits_for) == ("waiting", "waiting", "run calm-otter to end")
            assert run_line(watch.runs)[1] == older.id
            log.append("finished", step=100)
            watch.look()
            assert run_line(watch.runs) == (f"◔ {newer.short}  waiting", newer.id)


def test_list_header_and_progress_line_round_the_same_way() -> None:
    run, watch = made(), RunWatch()
    with RunLock(run.folder), EventLog(run.folder / "events.jsonl") as log:
        begin(log, steps=7)
        step(log, 2)
        watch.look()
        line = ProgressLine()
        line.progress = progress_of(watch.runs[0])
        bar = "".join(text for text, _ in line.rows(100, 3)[0])
        assert watch.runs[0].figure == "29%" and " 29% " in run_line(watch.runs)[0] and " 29% " in bar


def test_what_is_no_run_or_cannot_be_read_hurts_nobody() -> None:
    run = made()
    (paths.runs_folder() / "notes").mkdir()
    (paths.runs_folder() / "file.txt").write_text("x")
    (run.folder / "config.toml").write_text("not = [toml")
    watch = RunWatch()
    watch.look()
    assert [view.id for view in watch.runs] == [run.id]
    assert watch.runs[0].config is None and "config.toml" in watch.runs[0].trouble


def test_the_header_tells_of_the_running_run() -> None:
    run, watch = made(), RunWatch()
    assert run_line(watch.runs) == ("", None)
    with RunLock(run.folder), EventLog(run.folder / "events.jsonl") as log:
        begin(log)
        step(log, 61)
        watch.look()
        text, run_id = run_line(watch.runs)
        assert run_id == run.id
        assert text == f"● {run.short}  epoch 2/2  61%  1m40s left"
        assert len(run_line(watch.runs, compact=True)[0]) < len(text)
    watch.look()
    assert run_line(watch.runs) == ("", None)


def test_events_in_words_come_once_and_without_steps() -> None:
    run = made()
    with EventLog(run.folder / "events.jsonl") as log:
        begin(log)
        step(log, 1)
        told = Told(run.folder)
        assert [words for _, words in told.lines()] == ["started on cpu: 10 train, 5 dev rows, 100 steps"]
        log.append("waiting", on="a GPU")
        assert told.lines()[-1][1] == "waits for a GPU"
        log.append("warning", text="odd \x1b[2J row")
        log.append("validation", step=50, epoch=1, loss=0.09, macro_f1=0.4, best=True)
        lines = told.lines()
        assert len(lines) == 4
        assert lines[3][1] == "epoch 1: dev macro-F1 .400, dev loss .090, kept as the best"


def test_only_the_tail_of_a_long_worker_log_is_read(tmp_path: Path) -> None:
    assert worker_log(tmp_path) == ""
    (tmp_path / "worker.log").write_text("".join(f"line {i}\n" for i in range(10_000)))
    tail = worker_log(tmp_path, limit=100)
    assert len(tail) <= 100 and tail.endswith("line 9999\n") and tail.startswith("line ")


def test_who_leaves_the_app_is_told_of_every_run_that_goes_on() -> None:
    watch, runs = RunWatch(), [made() for _ in range(6)]
    watch.look()
    ended = [replace(view, state="stopped") for view in watch.runs]
    assert going_on(ended) == ""
    one, two, *more = (replace(view, state="running") for view in watch.runs)
    waiting = replace(two, state="waiting")
    assert going_on([*ended, one]) == f"{one.id} goes on training; goemo-tui shows it again."
    assert going_on([waiting]) == f"{waiting.id} waits for its turn; goemo-tui shows it again."
    assert going_on([one, waiting]) == f"2 runs go on: {one.short}, {waiting.short} (waiting); goemo-tui runs list"
    assert len(runs) == 6 and going_on([one, two, *more]).endswith(f"{more[1].short} and 2 more; goemo-tui runs list")


def test_the_thread_ends_when_it_is_told_to() -> None:
    watch = RunWatch(interval=0.01, idle_interval=0.01)
    heard: list[RunsChanged] = []
    watch.subscribe(heard.append)
    watch.start()
    thread = watch._thread
    assert thread is not None and thread.daemon
    watch.stop()
    thread.join(5)
    assert not thread.is_alive()


def test_many_runs_are_told_newest_first_while_the_others_are_still_read() -> None:
    runs = [made() for _ in range(5)]
    watch, heard = RunWatch(), []
    watch.subscribe(heard.append)
    assert not watch.all_read
    told = watch.look(patience=-1.0)
    assert told is None and not watch.all_read, "no time, no run, and no word that there is none"
    told = watch.look(patience=60.0)
    assert told is not None and len(told.runs) == len(runs) and watch.all_read


def test_who_waits_for_the_runs_hears_that_there_are_none() -> None:
    watch = RunWatch(interval=0.01, idle_interval=0.01)
    heard, came = [], threading.Event()
    watch.subscribe(lambda message: (heard.append(watch.all_read), came.set() if watch.all_read else None))
    watch.start()
    assert came.wait(20) and heard == [False, True]
    watch.stop()


def test_a_name_shows_at_the_next_look_also_of_a_run_that_is_settled() -> None:
    run, watch = made(), RunWatch()
    with RunLock(run.folder), EventLog(run.folder / "events.jsonl") as log:
        begin(log)
        log.append("finished", step=100)
    watch.look()
    write_about(run, name="best so far", note="x")
    told = watch.look()
    assert told is not None and (told.runs[0].title, told.runs[0].about.note) == ("best so far", "x")
    assert title_of(told.runs[0]).startswith(f"best so far · {run.short} · finished")
    assert watch.look() is None


def test_a_living_run_has_its_pid_and_an_ended_one_none() -> None:
    run, watch = made(), RunWatch()
    with RunLock(run.folder), EventLog(run.folder / "events.jsonl") as log:
        begin(log)
        watch.look()
        assert watch.runs[0].pid == os.getpid()
        log.append("finished", step=100)
    watch.look()
    assert watch.runs[0].pid is None
