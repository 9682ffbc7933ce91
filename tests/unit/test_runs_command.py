"""`goemo-tui runs` and `train` with a worker that learns nothing: what is printed, where, and the exit codes."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from goemo_tui.cli import main
from goemo_tui.commands import progress
from tests.unit import fake_worker
from tests.unit.fake_worker import until
from trainer import devices, paths
from trainer.config import TrainConfig
from trainer.runs import lock, process
from trainer.runs.events import EventLog
from trainer.runs.lock import RunLock
from trainer.runs.run import Run, list_runs

SHOW_KEYS = {"run", "state", "step", "steps", "epoch", "loss", "validation", "pid", "config"}
TRAIN_KEYS = {
    "run", "state", "model", "epochs", "steps", "train_loss", "validation", "examples_per_s", "seconds",
}  # fmt: skip


@pytest.fixture(autouse=True)
def no_worker_stays() -> Iterator[None]:
    yield
    fake_worker.end_all()


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A corpus that can be trained on, in the official layout."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    for split in ("train", "dev", "test"):
        rows = [
            f"{split} comment {n}, I {'love' if n % 2 else 'hate'} it\t{18 if n % 2 else 2}\tid{n}" for n in range(40)
        ]
        (folder / f"{split}.tsv").write_text("\n".join(rows) + "\n")
    return folder


@pytest.fixture
def encoder(tmp_path: Path) -> Path:
    """A folder that looks like an encoder from outside: its config, and the header of its weights."""
    folder = tmp_path / "encoder"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"model_type": "bert", "hidden_size": 768, "num_hidden_layers": 2}))
    header = json.dumps({"w": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}}).encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + b"\0" * 16)
    return folder


def use_worker(monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    monkeypatch.setattr(process, "worker_command", lambda run: fake_worker.command(run, how))


def finished(score: float = 0.5, **settings: Any) -> Run:
    run = Run.create(TrainConfig(epochs=2, **settings))
    with RunLock(run.folder), EventLog(run.folder / "events.jsonl") as log:
        log.append("started", steps=10, epochs=2)
        log.append("step", step=10, epoch=2, loss=0.25, examples_per_s=40.0)
        log.append("validation", step=10, epoch=2, macro_f1=score, micro_f1=0.6, diagnosis="fits well", best=True)
        log.append("finished", step=10, epoch=2, seconds=61.0, best_epoch=2, macro_f1=score, reason=None)
    return run


def cli(*arguments: str) -> int:
    return main(arguments)


def one_document(text: str) -> Any:
    """stdout as strict JSON: one document and nothing else."""
    assert text.count("\n") == 1 and text.endswith("\n")

    def refuse(name: str) -> None:
        raise AssertionError(name)

    return json.loads(text, parse_constant=refuse)


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
        line = capsys.readouterr().out.splitlines()
        assert [cell.split("\t")[:4] for cell in line] == [[run.id, "finished", "2/2", ".531"]]
        assert line[0].split("\t")[5:] == ["minilm", "sample"]
    assert cli("runs", "list", "--json") == 0
    (document,) = one_document(capsys.readouterr().out)
    assert set(document) == SHOW_KEYS and document["run"] == run.id


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
    assert set(document) == SHOW_KEYS
    assert (document["state"], document["step"], document["steps"], document["pid"]) == ("finished", 10, 10, None)
    assert document["validation"]["macro_f1"] == 0.5 and document["config"] == TrainConfig(epochs=2).to_dict()


def test_show_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    run = finished(0.531, lr=3e-4)
    assert cli("runs", "show") == 0
    out = capsys.readouterr().out
    for part in (run.id, "finished", "macro-F1 .531", "fits well", "lr=0.0003", str(run.worker_log)):
        assert part in out


def test_an_unknown_run_is_exit_code_three(capsys: pytest.CaptureFixture[str]) -> None:
    finished()
    for name in ("no-such-run", "../outside", "/etc/passwd", ""):
        for action in ("show", "attach", "stop", "resume", "rm"):
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


# -- train


def test_train_to_its_end(
    corpus: Path, encoder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use_worker(monkeypatch, "finishes")
    monkeypatch.chdir(corpus.parent)
    assert cli("train", "--data", "corpus", "--encoder", "./encoder", "--set", "epochs=2", "--json") == 0
    out, err = capsys.readouterr()
    document = one_document(out)
    (run,) = list_runs()
    assert set(document) == TRAIN_KEYS
    assert (document["run"], document["state"], document["epochs"], document["steps"]) == (run.id, "finished", 2, 2)
    assert document["train_loss"] == 0.15 and document["seconds"] == 1.5 and document["examples_per_s"] == 40.0
    assert document["validation"]["macro_f1"] == 0.5 and document["model"] is None
    assert not {"v", "seq", "kind", "wall", "mono"} & set(document["validation"])
    assert "epoch 1: macro-F1 .250" in err and "epoch 2: macro-F1 .500" in err and "still learning" in err
    config = run.config
    assert (config.data, config.encoder) == (str(corpus), str(encoder)) and config.epochs == 2
    assert config.lr == 3e-5  # a wide encoder's
    assert set(run.record["corpus"]["sha256"]) == {"train", "dev", "test"} and run.record["versions"]["python"]


def test_a_set_rate_wins_over_the_recipes(
    corpus: Path, encoder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use_worker(monkeypatch, "finishes")
    assert cli("--data", str(corpus), "train", "--encoder", str(encoder), "--set", "lr=0.001", "--set", "limit=8") == 0
    out, err = capsys.readouterr()
    assert out == "" and " 8 comments" in err
    assert list_runs()[0].config.lr == 1e-3


def test_detach_prints_the_id_alone(
    corpus: Path, encoder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use_worker(monkeypatch, "works")
    assert cli("train", "--data", str(corpus), "--encoder", str(encoder), "--detach") == 0
    (run,) = list_runs()
    assert capsys.readouterr().out == f"{run.id}\n" and run.state == "running"
    assert cli("train", "--data", str(corpus), "--encoder", str(encoder), "--detach", "--json") == 0
    document = one_document(capsys.readouterr().out)
    assert set(document) == TRAIN_KEYS and document["state"] == "running" and document["validation"] is None


@pytest.mark.parametrize(("how", "part"), [("fails", "the corpus has no dev split"), ("refuses", "not to my liking")])
def test_a_failed_training_is_exit_code_one_and_names_its_log(
    how: str,
    part: str,
    corpus: Path,
    encoder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    use_worker(monkeypatch, how)
    assert cli("train", "--data", str(corpus), "--encoder", str(encoder)) == 1
    out, err = capsys.readouterr()
    assert out == "" and part in err and str(list_runs()[0].worker_log) in err


def test_nothing_is_made_when_something_is_missing(
    corpus: Path, encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = ("train", "--data", str(corpus), "--encoder", str(encoder))
    assert cli("train", "--data", str(corpus), "--encoder", str(tmp_path / "none")) == 3
    assert cli("train", "--data", str(tmp_path / "none"), "--encoder", str(encoder)) == 3
    assert cli(*good, "--set", "epochs=0") == 2
    assert cli(*good, "--set", "colour=red") == 2
    assert cli(*good, "--recipe", "grandma") == 2
    (corpus / "dev.tsv").write_text("no columns here\n" * 5)
    assert cli(*good) == 1
    assert not paths.runs_folder().exists()
    assert capsys.readouterr().out == ""


def test_a_busy_device_is_said_before_the_start(
    corpus: Path, encoder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use_worker(monkeypatch, "finishes")
    busy = devices.Device("cuda:1", "Big GPU", 80 * 2**30, 9 * 2**30, 87, 1, True, ("alice (pid 123)",))
    idle = devices.Device("cuda:0", "Small GPU", 8 * 2**30, 0, 0, 0, False)
    monkeypatch.setattr(devices, "list_devices", lambda: [idle, busy])
    good = ("train", "--data", str(corpus), "--encoder", str(encoder))
    assert cli(*good, "--set", "device=cuda:1") == 0
    assert "Big GPU" in (err := capsys.readouterr().err) and "busy" in err and "alice (pid 123)" in err
    assert cli(*good, "--set", "device=cuda") == 0
    assert "GPU" not in capsys.readouterr().err
    assert cli(*good, "--set", "device=cuda:5") == 0
    assert "cuda:5 is not among" in capsys.readouterr().err


ROOT = str(Path(fake_worker.__file__).parent.parent.parent)
DRIVER = (
    "import sys; from tests.unit import fake_worker; from trainer.runs import process; from goemo_tui.cli import main\n"
    "process.worker_command = lambda run: fake_worker.command(run, sys.argv[1]); sys.exit(main(sys.argv[2:]))"
)


def drive(how: str, arguments: Sequence[str], stderr: int) -> subprocess.Popen[bytes]:
    """`goemo-tui …` as a process of its own, with a fake worker that works in this way."""
    return subprocess.Popen(
        [sys.executable, "-c", DRIVER, how, *arguments], stdout=subprocess.PIPE, stderr=stderr, start_new_session=True,
        env={**os.environ, "PYTHONPATH": ROOT, "TERM": "xterm"},
    )  # fmt: skip


def test_ctrl_c_leaves_the_run_going_and_says_how_to_stop_it(corpus: Path, encoder: Path) -> None:
    child = drive("works", ["train", "--data", str(corpus), "--encoder", str(encoder)], subprocess.PIPE)
    try:
        until(lambda: list_runs() and list_runs()[0].snapshot().step > 3)
        assert child.stderr is not None
        until(lambda: b"Ctrl-c leaves it running" in child.stderr.readline())  # type: ignore[union-attr]
        os.killpg(child.pid, signal.SIGINT)  # as a terminal does it
        out, err = child.communicate(timeout=fake_worker.PATIENCE)
    finally:
        child.kill()
        child.wait()
    (run,) = list_runs()
    assert child.returncode == 130 and out == b""
    assert f"runs attach {run.id}" in err.decode() and f"runs stop {run.id}" in err.decode()
    before = run.snapshot().step
    until(lambda: run.snapshot().step > before + 3)
    assert run.state == "running"


def test_on_a_terminal_there_is_a_bar(corpus: Path, encoder: Path) -> None:
    screen, terminal = pty.openpty()
    child = drive("finishes", ["train", "--data", str(corpus), "--encoder", str(encoder), "--json"], terminal)
    os.close(terminal)
    shown = b""
    try:
        while True:
            try:
                part = os.read(screen, 65536)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            shown += part
        out, _ = child.communicate(timeout=fake_worker.PATIENCE)
    finally:
        child.kill()
        child.wait()
        os.close(screen)
    assert child.returncode == 0 and one_document(out.decode())["state"] == "finished"
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode())
    assert "epoch 2/2" in text and "━" in text and "2/100,000" in text and "40 ex/s" in text
    assert "epoch 1: macro-F1 .250" in text


def test_the_command_line_needs_no_torch(corpus: Path, encoder: Path) -> None:
    heavy = "{'torch', 'transformers', 'pandas', 'textual'}"
    code = DRIVER.replace("sys.exit(", "(").replace("[2:]))", f"[2:])); print(sorted({heavy} & set(sys.modules)))")
    env = {**os.environ, "PYTHONPATH": ROOT}
    for arguments in (["train", "--data", str(corpus), "--encoder", str(encoder)], ["runs"], ["runs", "show"]):
        done = subprocess.run(
            [sys.executable, "-c", code, "finishes", *arguments], env=env, capture_output=True, text=True, check=True
        )
        assert done.stdout.splitlines()[-1] == "[]", arguments
    assert lock.holder(list_runs()[0].folder) is not None
