"""`goemo-tui train` with a worker that learns nothing: what is printed, where, and the exit codes."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from goemo_tui.folding import folded
from goemo_tui.services.estimate import Measurement
from tests.unit import fake_worker, scripted_estimate
from tests.unit.command_line import cli, one_document, use_worker
from tests.unit.fake_worker import until
from trainer import devices, paths
from trainer.config import TrainConfig
from trainer.runs import lock, process
from trainer.runs.events import EventLog
from trainer.runs.lock import RunLock
from trainer.runs.run import Run, list_runs

TRAIN_KEYS = {
    "run", "state", "model", "epochs", "steps", "train_loss", "validation", "examples_per_s", "seconds",
}  # fmt: skip


ESTIMATE_KEYS = {
    "seconds", "steps", "epochs", "seconds_per_step", "validation_seconds", "examples_per_s", "tokens_per_s", "device",
    "precision", "checkpoint_bytes", "checkpoints_kept", "model_bytes", "disk_needed", "disk_free", "memory_peak",
    "steps_timed", "note",
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


def test_another_run_on_the_same_device_is_named_before_the_start(
    corpus: Path, encoder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use_worker(monkeypatch, "finishes")
    cpu = devices.Device("cpu", "Processor", None, None, None, 0, False)
    gpus = [devices.Device(f"cuda:{n}", "GPU", None, None, None, 0, False) for n in (0, 1)]
    monkeypatch.setattr(devices, "list_devices", lambda: [*gpus, cpu])
    good = ("train", "--data", str(corpus), "--encoder", str(encoder))

    def said(*arguments: str) -> str:
        assert cli(*good, *arguments) == 0
        return capsys.readouterr().err

    assert "trained here" not in said("--set", "device=cpu")
    first, second, waiting = (Run.create(TrainConfig(device=d)) for d in ("cpu", "auto", "cpu"))
    with RunLock(first.folder), RunLock(second.folder), RunLock(waiting.folder):
        with EventLog(waiting.folder / "events.jsonl") as log:
            log.append("waiting", on="a run")
        one = f"{first.short} is being trained here too and both will be slow; --after {first.short} would wait for it"
        assert one in said("--set", "device=cpu")
        assert f"{second.short} is being trained" in said("--set", "device=cuda")
        assert "trained here" not in said("--set", "device=cuda:1")
        with EventLog(second.folder / "events.jsonl") as log:
            log.append("started", steps=10, epochs=2, device="cpu")  # it says itself what it is on
        os.utime(first.folder / "config.toml", (1000, 1000))
        text = said("--set", "device=cpu")
        newest = max((first, second), key=lambda run: (run.id[:13], run.created, run.id)).short
        assert f"{newest} and 1 more are being trained here too and all will be slow; --after {newest} would" in text
        assert "trained here" not in said()
        over = list_runs()[0].id
        assert "trained here" not in said("--set", "device=cpu", "--after", over)


def test_at_the_end_it_is_said_what_the_checkpoints_take(
    corpus: Path, encoder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use_worker(monkeypatch, "finishes")
    assert cli("train", "--data", str(corpus), "--encoder", str(encoder)) == 0
    assert "checkpoints" not in capsys.readouterr().err
    (run,) = list_runs()
    (run.folder / "model").mkdir()
    (run.folder / "model" / "config.json").write_text("{}")
    (run.folder / "checkpoints" / "step-000002").mkdir(parents=True)
    (run.folder / "checkpoints" / "step-000002" / "model.safetensors").write_bytes(b"x" * 5_450_000)
    assert cli("runs", "attach", run.id) == 0
    assert "  5.5 MB of checkpoints: goemo-tui runs prune frees them" in capsys.readouterr().err
    assert cli("runs", "prune", run.id, "--yes") == 0
    assert cli("runs", "attach", run.id) == 0
    assert "of checkpoints:" not in capsys.readouterr().err


def test_like_takes_over_the_settings_of_a_run_and_options_win(
    corpus: Path, encoder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use_worker(monkeypatch, "finishes")
    settings = {"data": str(corpus), "encoder": str(encoder), "epochs": 2, "clip": 0.25, "seed": 7}
    first = Run.create(TrainConfig().with_settings(settings))
    assert cli("train", "--like", first.short, "--set", "seed=8", "--detach") == 0
    made = Run.open(capsys.readouterr().out.strip())
    assert made.config == first.config.with_settings({"seed": 8})
    assert cli("train", "--like", first.id, "--encoder", "minilm", "--detach") == 0
    other = Run.open(capsys.readouterr().out.strip()).config
    assert (other.encoder, other.clip, other.data) == ("minilm", 0.25, str(corpus))


def test_options_that_do_not_agree_are_named(corpus: Path, encoder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = Run.create(TrainConfig(data=str(corpus), encoder=str(encoder)))
    count = len(list_runs())

    def refused(code: int, *arguments: str) -> str:
        assert cli("train", *arguments) == code
        out, err = capsys.readouterr()
        assert out == ""
        return err

    assert "--encoder minilm and --set encoder=distilbert do not agree" in refused(
        2, "--encoder", "minilm", "--set", "encoder=distilbert"
    )
    assert f"--like {first.short} and recipe notebook do not agree" in refused(
        2, "--like", first.short, "--recipe", "notebook"
    )
    assert "--like" in refused(2, "--like", first.id, "--set", "recipe=notebook")
    assert "no run is called 'nobody'" in refused(3, "--like", "nobody")
    (first.folder / "config.toml").write_text("no TOML")
    assert "cannot be read" in refused(1, "--like", first.id)
    assert len(list_runs()) == count


def test_an_estimate_is_printed_and_nothing_is_started(
    corpus: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(process, "start", lambda run: pytest.fail("it started"))
    monkeypatch.setattr(Measurement.__init__, "__defaults__", (scripted_estimate.command("measures"),))
    good = ("train", "--estimate", "--data", str(corpus))
    assert cli(*good, "--set", "epochs=2") == 0
    out, err = capsys.readouterr()
    assert "minilm on 40 comments of" in out and "2 epochs, 20 steps" in out and "≈ 20 s" in out
    assert "1.7 steps/s" in out and "up to 3 checkpoints" in out and "… warming up" in err
    monkeypatch.setattr("os.getloadavg", lambda: (9999.5, 1.0, 1.0))
    assert cli(*good) == 0
    assert "busy (load 9999.5 on" in capsys.readouterr().out
    living = Run.create(TrainConfig(device="cpu"))
    with RunLock(living.folder):
        assert cli(*good, "--set", "device=cpu", "--json") == 0
    out, err = capsys.readouterr()
    document = one_document(out)
    assert set(document) == ESTIMATE_KEYS and document["steps"] == 30 and document["device"] == "cpu"
    assert f"slower while {living.short} runs" in err
    assert [run.id for run in list_runs()] == [living.id]


def test_an_estimate_that_cannot_be_made_says_why(
    corpus: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    good = ("train", "--estimate", "--data", str(corpus))
    assert cli(*good, "--detach") == 2
    assert cli(*good, "--set", "epochs=0") == 2
    assert cli(*good, "--encoder", "nobody/nothing") == 3
    assert "goemo-tui train fetches it" in capsys.readouterr().err
    monkeypatch.setattr(Measurement.__init__, "__defaults__", (scripted_estimate.command("refuses"),))
    assert cli(*good) == 2
    monkeypatch.setattr(Measurement.__init__, "__defaults__", (scripted_estimate.command("crashes"),))
    assert cli(*good) == 1
    out, err = capsys.readouterr()
    assert out == "" and "Killed for good" in err


def test_lines_on_a_terminal_break_between_words() -> None:
    screen, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 40, 0, 0))
    path = "/a/path/that/is/longer/than/the/terminal/is/wide/by/far"
    with os.fdopen(terminal, "w") as stream:
        text = folded(f"the corpus was looked for in {path} and is not there\n  goemo-tui data list {path}", stream)
        assert folded("short", stream) == "short"
    os.close(screen)
    first, indented = text.rsplit("\n  goemo-tui", 1)
    assert all(len(line) <= 40 for line in first.split("\n") if path not in line)
    assert first.split() == f"the corpus was looked for in {path} and is not there".split()
    assert indented == f" data list {path}", "what is to be copied stays whole"
    with Path(os.devnull).open("w") as nothing:
        assert folded("word " * 40, nothing) == "word " * 40


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
