"""`goemo-tui runs list` and `show`: what is printed, where, and the exit codes."""

from __future__ import annotations

import os
import re

import pytest

from tests.unit.command_line import SHOW_KEYS, cli, finished, one_document
from trainer.config import TrainConfig
from trainer.runs.events import EventLog
from trainer.runs.lock import RunLock
from trainer.runs.run import Run

# -- list


def test_no_run_yet(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli("runs") == 0
    out, err = capsys.readouterr()
    assert out == "" and "goemo-tui train" in err
    assert cli("runs", "list", "--json") == 0
    assert one_document(capsys.readouterr().out) == []
    for action in ("show", "attach", "stop", "resume"):
        assert cli("runs", action) == 3, action


def test_the_list_is_plain_where_no_terminal_is(capsys: pytest.CaptureFixture[str]) -> None:
    run = finished(0.531)
    for arguments in (("runs",), ("runs", "list")):
        assert cli(*arguments) == 0
        rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
        assert [row[:4] for row in rows] == [[run.id, "finished", "2/2", ".531"]]
        assert rows[0][5:] == ["minilm", "sample", "", ""]
    assert cli("runs", "list", "--json") == 0
    (document,) = one_document(capsys.readouterr().out)
    assert set(document) == {*SHOW_KEYS, "eta_s", "age_s", "folder", "name", "note"} and document["run"] == run.id
    assert document["folder"] == str(run.folder) and document["age_s"] >= 0 and document["eta_s"] is None


def test_the_list_says_when_a_living_run_will_be_done(capsys: pytest.CaptureFixture[str]) -> None:
    run = Run.create(TrainConfig())
    with RunLock(run.folder), EventLog(run.folder / "events.jsonl") as log:
        log.append("started", steps=10, epochs=2)
        log.append("step", step=5, epoch=1, eta_s=42.0)
        assert cli("runs", "list", "--json") == 0
        (document,) = one_document(capsys.readouterr().out)
        assert (document["state"], document["eta_s"]) == ("running", 42.0)
        log.append("stopped", step=5)
    assert cli("runs", "list", "--json") == 0
    assert one_document(capsys.readouterr().out)[0]["eta_s"] is None


def test_lines_are_broken_at_blanks_on_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "a warning of many words that no terminal of eighty columns can hold on one of its lines, not even nearly"
    run = finished()
    with EventLog(run.folder / "events.jsonl") as log:
        log.append("warning", text=text)
    assert cli("runs", "show") == 0
    assert f"warning     {text}\n" in capsys.readouterr().out, "a pipe gets the line whole"
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    assert cli("runs", "show") == 0
    lines = capsys.readouterr().out.splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("warning"))
    assert all(len(line) <= 80 for line in lines[at : at + 2]) and lines[at + 1].startswith(" " * 12)
    assert " ".join((lines[at] + " " + lines[at + 1]).split()) == f"warning {text}"


def test_the_list_is_a_table_on_a_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    run = finished(0.531)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "120")
    assert cli("runs") == 0
    header, row = capsys.readouterr().out.splitlines()
    assert "macro-F1" in header and run.id in row and ".531" in row


def test_a_run_that_cannot_be_read_hides_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    broken, run = finished(), finished()
    (broken.folder / "config.toml").write_text("format = 99\n")
    assert cli("runs") == 0
    out, err = capsys.readouterr()
    assert run.id in out and f"{broken.id}\tunreadable" in out and "format 99" in err
    assert cli("runs", "--json") == 0
    assert {d["run"]: d["state"] for d in one_document(capsys.readouterr().out)}[broken.id] == "unreadable"
    assert cli("runs", "show", broken.id) == 1


def test_foreign_text_cannot_command_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    bad = "\x1b]52;c;aGk=\x07[red]\x9b31m"
    run = finished(data=bad, encoder=bad)
    with EventLog(run.folder / "events.jsonl") as log:
        log.append("warning", text=bad)
        log.append("validation", step=10, epoch=2, diagnosis=bad, macro_f1=0.1)
        log.append("failed", step=10, error=bad, reason="error")
    for arguments in (("runs",), ("runs", "show"), ("runs", "attach")):
        cli(*arguments)
        out, err = capsys.readouterr()
        assert not set("\x1b\x07\x9b") & set(out + err), arguments
        assert "[red]" in out + err


def test_the_list_takes_no_id(capsys: pytest.CaptureFixture[str]) -> None:
    run = finished()
    for name in (run.id, "anything"):
        assert cli("runs", "list", name) == 2
        out, err = capsys.readouterr()
        assert out == "" and f"goemo-tui runs show {name}" in err


# -- show


def test_show_is_the_contract(capsys: pytest.CaptureFixture[str]) -> None:
    run = finished()
    assert cli("runs", "show", run.short, "--json") == 0
    document = one_document(capsys.readouterr().out)
    assert set(document) == set(SHOW_KEYS)
    assert (document["state"], document["step"], document["steps"], document["pid"]) == ("finished", 10, 10, None)
    assert document["validation"]["macro_f1"] == 0.5 and document["config"] == TrainConfig(epochs=2).to_dict()
    assert cli("runs", "note", run.short, "a quick look") == 0
    capsys.readouterr()
    assert cli("runs", "show", run.short, "--json") == 0
    document = one_document(capsys.readouterr().out)
    assert set(document) == {*SHOW_KEYS, "note"} and document["note"] == "a quick look"


def test_show_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    run = finished(0.531, lr=3e-4)
    assert cli("runs", "show") == 0
    assert "worker.log" not in capsys.readouterr().out  # none is there: it was started by hand
    run.worker_log.touch()
    assert cli("runs", "show") == 0
    out = capsys.readouterr().out
    for part in (run.id, "finished", "macro-F1 .531", "fits well", "lr=0.0003", str(run.worker_log)):
        assert part in out


def test_an_unknown_run_is_exit_code_three(capsys: pytest.CaptureFixture[str]) -> None:
    finished()
    for name in ("no-such-run", "../outside", "/etc/passwd", ""):
        for action in ("show", "attach", "stop", "resume", "rm", "prune"):
            assert cli("runs", action, name) == 3, (action, name)
    assert capsys.readouterr().out == ""


def test_left_out_the_id_means_the_running_run_else_the_newest(capsys: pytest.CaptureFixture[str]) -> None:
    old, new = finished(), finished()
    os.utime(old.folder / "config.toml", (1000, 1000))
    assert cli("runs", "show", "--json") == 0
    assert one_document(capsys.readouterr().out)["run"] == new.id
    with RunLock(old.folder), EventLog(old.folder / "events.jsonl") as log:
        log.append("resumed", step=5)
        assert cli("runs", "show", "--json") == 0
    assert one_document(capsys.readouterr().out)["run"] == old.id


def test_one_that_waits_is_not_meant_while_another_is_trained(capsys: pytest.CaptureFixture[str]) -> None:
    running = finished()
    with RunLock(running.folder), EventLog(running.folder / "events.jsonl") as log:
        log.append("resumed", step=5)
        waiting = Run.create(TrainConfig())
        with RunLock(waiting.folder), EventLog(waiting.folder / "events.jsonl") as its_log:
            its_log.append("waiting", on="run calm-otter to end")
            assert cli("runs", "show", "--json") == 0
            assert one_document(capsys.readouterr().out)["run"] == running.id
            log.append("stopped", step=5)
            assert cli("runs", "show", "--json") == 0
            assert one_document(capsys.readouterr().out)["run"] == waiting.id


def test_show_says_what_is_waited_for(capsys: pytest.CaptureFixture[str]) -> None:
    run = Run.create(TrainConfig())
    with RunLock(run.folder), EventLog(run.folder / "events.jsonl") as log:
        log.append("waiting", on="a GPU\x1b[2J to be free")
        assert cli("runs", "show", run.id) == 0
        out = capsys.readouterr().out
        assert "waits for   a GPU␛[2J to be free" in out and "waiting" in out
        log.append("started", steps=10, epochs=2)
        assert cli("runs", "show", run.id) == 0
    assert "waits for" not in capsys.readouterr().out


def test_show_says_what_the_run_takes_on_disk(capsys: pytest.CaptureFixture[str]) -> None:
    run = finished()
    assert cli("runs", "show") == 0
    assert re.search(r"^disk        [\d.]+ k?B$", capsys.readouterr().out, re.M)
    for step in (10, 20):
        folder = run.folder / "checkpoints" / f"step-{step:06d}"
        folder.mkdir(parents=True)
        (folder / "model.safetensors").write_bytes(b"x" * 2_000_000)
    assert cli("runs", "show") == 0
    assert "4.0 MB, of which 2 checkpoints 4.0 MB" in capsys.readouterr().out


def long_run(best: int | None, epochs: int = 30) -> Run:
    run = Run.create(TrainConfig(epochs=40))
    with RunLock(run.folder), EventLog(run.folder / "events.jsonl") as log:
        log.append("started", steps=400, epochs=40)
        for epoch in range(1, epochs + 1):
            log.append("validation", step=epoch * 10, epoch=epoch, macro_f1=0.1, best=epoch == best)
        log.append("stopped", step=epochs * 10)
    return run


@pytest.mark.parametrize(
    ("best", "epochs", "said"),
    [
        (4, 30, ["… 26 earlier ones", "best 4", "28", "29", "30"]),
        (29, 30, ["… 27 earlier ones", "28", "best 29", "30"]),
        (1, 5, ["… 1 earlier one", "best 1", "3", "4", "5"]),
        (1, 4, ["best 1", "2", "3", "4"]),
        (1, 1, ["1"]),
    ],
)
def test_show_tells_the_last_validations_and_the_best(
    best: int, epochs: int, said: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    long_run(best, epochs)
    assert cli("runs", "show") == 0
    told = []
    for line in capsys.readouterr().out.splitlines():
        name, _, value = line.partition(" ")
        if name in ("validation", "best"):
            text = re.sub(r"epoch (\d+): .*", r"\1", value.strip())
            told.append(f"best {text}" if name == "best" else text)
    assert told == said


def test_show_says_how_a_run_can_go_on_if_it_can(capsys: pytest.CaptureFixture[str]) -> None:
    ends = [
        ("stopped", {}, True), ("failed", {"error": "x", "reason": "nan"}, True), (None, {}, True),
        ("failed", {"error": "x", "reason": "input"}, False), ("finished", {}, False),
    ]  # fmt: skip
    for kind, fields, offered in ends:
        run = Run.create(TrainConfig())
        with RunLock(run.folder), EventLog(run.folder / "events.jsonl") as log:
            log.append("started", steps=10, epochs=2)
            if kind:
                log.append(kind, step=5, **fields)
        assert cli("runs", "show", run.id) == 0
        assert (f"goemo-tui runs resume {run.id}" in capsys.readouterr().out) is offered, (kind, fields)


def test_show_tells_a_warning_that_came_often_once(capsys: pytest.CaptureFixture[str]) -> None:
    run = Run.create(TrainConfig())
    with RunLock(run.folder), EventLog(run.folder / "events.jsonl") as log:
        for text in ("odd rows", "step 5: not saved", "odd rows", "step 1,010: not saved", "alone", "odd rows"):
            log.append("warning", text=text)
    assert cli("runs", "show") == 0
    told = [line.split(maxsplit=1)[1] for line in capsys.readouterr().out.splitlines() if line.startswith("warning")]
    assert sorted(told) == ["alone", "odd rows (3 times)", "step 1,010: not saved (and 1 like it)"]
