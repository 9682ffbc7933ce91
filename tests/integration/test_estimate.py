"""The estimate of a training by the real child: what it tells, that it leaves nothing, and when it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from goemo_tui.cli import main
from goemo_tui.services.estimate import COMMAND, Measurement
from trainer.config import TrainConfig
from trainer.errors import GoemoError, NotFoundError
from trainer.runs.forecast import Measured, forecast
from trainer.runs.plan import plan


def settings(encoder: Path, **more: Any) -> TrainConfig:
    return TrainConfig(**{"encoder": str(encoder), "device": "cpu", **more})


def files(*folders: Path) -> list[str]:
    return sorted(str(path) for folder in folders if folder.exists() for path in folder.rglob("*"))


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    """A measuring child that was asked nothing yet."""
    pipe = subprocess.PIPE
    process = subprocess.Popen(COMMAND, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL)
    yield process
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream:
            stream.close()


def test_a_few_steps_tell_what_a_training_takes(tiny_encoder: Path, tmp_path: Path, goemo_home: Path) -> None:
    said: list[str] = []
    config = settings(tiny_encoder, epochs=2, batch_size=8)
    found = Measurement(config).result(said.append)
    assert found is not None
    ready = plan("sample", str(tiny_encoder), "goemo", {"batch_size": 8})
    rows = len(ready.corpus.splits["train"].text)
    assert (found.rows, found.batches, found.device, found.precision in ("bf16", "fp32")) == (rows, 140, "cpu", True)
    assert found.steps >= 8 and found.tokens > 10 * rows and found.notes == ()
    assert found.batch_seconds > 0 and found.update_seconds > 0 and found.validation_seconds > 0
    assert found.loading_seconds > 0 and (found.memory_peak or 0) > 50e6
    told = forecast(config, found, None)
    assert told.steps == 280 and told.seconds > 280 * found.batch_seconds
    assert {"reading the corpus", "warming up", "timing step 1", "timing the validation"} <= set(said)
    assert files(goemo_home) == [] and files(tmp_path / "huggingface") == [], "it writes nothing"


@pytest.mark.parametrize(
    "more",
    [
        {"limit": 5, "batch_size": 32},
        {"padding": "max_length", "batching": "shuffled", "max_length": 128, "accumulation": 4},
        {"taxonomy": "ekman", "threshold": 0.3, "precision": "fp32", "deterministic": True, "batch_size": 1},
    ],
)
def test_settings_of_every_kind_can_be_measured(tiny_encoder: Path, more: dict[str, Any]) -> None:
    config = settings(tiny_encoder, **more)
    found = Measurement(config).result()
    assert found is not None and found.rows == (config.limit or 1120)
    assert forecast(config, found, None).seconds > 0


def test_rows_that_augmentation_will_make_are_counted(tiny_encoder: Path) -> None:
    few = {"limit": 200, "batch_size": 8}
    found = Measurement(settings(tiny_encoder, **few, augment="deletion", augment_share=0.5)).result(lambda text: None)
    assert found is not None and (found.rows, found.batches) == (300, 38)


def test_what_a_training_would_refuse_is_refused(tiny_encoder: Path, tmp_path: Path) -> None:
    good = settings(tiny_encoder)
    with pytest.raises(GoemoError, match="no corpus at"):
        Measurement(replace(good, data=str(tmp_path / "gone"))).result()
    with pytest.raises(GoemoError, match="nothing was downloaded"):
        Measurement(replace(good, encoder="nobody/nothing")).result()
    broken = tmp_path / "broken"
    broken.mkdir()
    for path in tiny_encoder.iterdir():
        (broken / path.name).write_bytes(path.read_bytes())
    (broken / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(GoemoError, match="cannot be used as an encoder"):
        Measurement(replace(good, encoder=str(broken))).result()


def test_it_ends_with_its_stdin_whatever_it_is_doing(child: subprocess.Popen[bytes], tiny_encoder: Path) -> None:
    assert child.stdin and child.stdout
    child.stdin.write(json.dumps(settings(tiny_encoder).to_dict()).encode() + b"\n")
    child.stdin.flush()
    assert json.loads(child.stdout.readline()) == {"say": "loading torch"}
    child.stdin.close()
    assert child.wait(timeout=60) == 130
    assert b"measured" not in child.stdout.read()


def test_nonsense_is_answered_with_an_error(child: subprocess.Popen[bytes]) -> None:
    assert child.stdin and child.stdout
    child.stdin.write(b"no JSON\n")
    child.stdin.flush()
    assert "one JSON object" in json.loads(child.stdout.readline())["error"]
    assert child.wait(timeout=60) == 2


ASKER = """
import sys
from goemo_tui.services.estimate import Measurement
from trainer.config import TrainConfig
measurement = Measurement(TrainConfig(encoder=sys.argv[1], device="cpu"))
measurement.result(lambda text: print(measurement.pid, text, flush=True))
"""


def test_it_ends_when_its_asker_is_killed(tiny_encoder: Path) -> None:
    asker = subprocess.Popen([sys.executable, "-c", ASKER, str(tiny_encoder)], stdout=subprocess.PIPE)
    try:
        assert asker.stdout
        pid = int(asker.stdout.readline().split()[0])
        asker.kill()
        asker.wait()
        # the pipe of its stdin is closed by now; wait for the end of a process that is nobody's child
        for _ in range(6000):
            if not alive(pid):
                break
            time.sleep(0.01)
        assert not alive(pid)
    finally:
        asker.kill()
        asker.wait()
        if asker.stdout:
            asker.stdout.close()


def alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def test_the_command_line_prints_it_as_json(
    tiny_encoder: Path, goemo_home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    arguments = [
        "train",
        "--estimate",
        "--encoder",
        str(tiny_encoder),
        "--set",
        "limit=64",
        "--set",
        "epochs=1",
        "--json",
    ]
    assert main(arguments) == 0
    document = json.loads(capfd.readouterr().out)
    assert document["steps"] == 2 and document["seconds"] > 0 and document["disk_needed"] > document["model_bytes"]
    assert not (goemo_home / "runs").exists()


def test_no_measurement_is_left_in_this_process(tiny_encoder: Path) -> None:
    measurement = Measurement(settings(tiny_encoder, limit=8))
    assert isinstance(measurement.result(), Measured)
    with pytest.raises(ProcessLookupError):
        os.kill(measurement.pid or 0, 0)


def test_an_encoder_elsewhere_is_not_fetched(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--estimate", "--encoder", "nobody/nothing"]) == NotFoundError.exit_code
    assert "goemo-tui train fetches it" in capsys.readouterr().err
