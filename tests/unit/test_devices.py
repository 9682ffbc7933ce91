"""GPUs as NVIDIA's driver tells them: shown busy where somebody computes, hidden and renumbered as CUDA does."""

from __future__ import annotations

import json
import os
import pwd
from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pynvml
import pytest

from goemo_tui.commands import doctor
from trainer import devices
from trainer.devices import list_devices


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Two processes of this user compute on the first one; the system shows only one of them."""
    monkeypatch.setattr(devices, "PROC", tmp_path)
    (tmp_path / "123").mkdir()
    running = [SimpleNamespace(pid=123), SimpleNamespace(pid=456)]
    used = {0: 60 * 2**30, 1: 0}
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(pynvml, "nvmlInit", lambda: None)
    monkeypatch.setattr(pynvml, "nvmlShutdown", lambda: None)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetCount", lambda: 2)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetHandleByIndex", lambda i: i)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetUUID", lambda i: f"GPU-{i}abc")
    monkeypatch.setattr(pynvml, "nvmlDeviceGetName", lambda i: f"Card {i}")
    monkeypatch.setattr(pynvml, "nvmlDeviceGetMemoryInfo", lambda i: SimpleNamespace(total=80 * 2**30, used=used[i]))
    monkeypatch.setattr(pynvml, "nvmlDeviceGetUtilizationRates", lambda i: SimpleNamespace(gpu=97 if i == 0 else 0))
    monkeypatch.setattr(pynvml, "nvmlDeviceGetComputeRunningProcesses", lambda i: [] if i else running)


def test_a_machine_without_gpu_has_its_processor() -> None:
    (cpu,) = [d for d in list_devices() if d.name == "cpu"]
    assert not cpu.busy
    assert "core" in cpu.title


@pytest.mark.usefixtures("two_gpus")
def test_a_busy_gpu_is_shown_as_busy() -> None:
    first, second, cpu = list_devices()
    assert (first.name, first.busy, first.processes, first.load) == ("cuda:0", True, 2, 97)
    assert "busy: 2 processes" in str(first) and "60.0 of 80 GB" in str(first)
    assert (second.name, second.busy) == ("cuda:1", False)
    assert "busy" not in str(second) and second.users == ()
    assert cpu.name == "cpu"


@pytest.mark.usefixtures("two_gpus")
def test_a_busy_gpu_says_whose_it_is(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    me = pwd.getpwuid(os.getuid()).pw_name
    first = list_devices()[0]
    assert first.users == (f"{me} (pid 123)", "pid 456")
    assert f"busy: 2 processes of {me} (pid 123), pid 456, 97% load" in str(first)
    for part in ("_program", "_models", "_corpora", "_machine"):
        monkeypatch.setattr(doctor, part, list)
    doctor.run(Namespace(json=True))
    assert f"{me} (pid 123)" in next(f["what"] for f in json.loads(capsys.readouterr().out) if "cuda:0" in f["what"])

    def nobody(uid: int) -> None:
        raise KeyError(uid)

    monkeypatch.setattr(pwd, "getpwuid", nobody)
    assert list_devices()[0].users[0] == f"user {os.getuid()} (pid 123)"
    many = replace(first, users=tuple(f"u{n} (pid {n})" for n in range(9)))
    assert "u3 (pid 3) and 5 more" in str(many) and "u4" not in str(many)


@pytest.mark.usefixtures("two_gpus")
@pytest.mark.parametrize(
    ("visible", "titles"), [("1", ["Card 1"]), ("GPU-1a,0", ["Card 1", "Card 0"]), ("", []), ("0,9,1", ["Card 0"])]
)
def test_hidden_gpus_are_hidden_and_the_others_renumbered(
    visible: str, titles: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    gpus = [d for d in list_devices() if d.name.startswith("cuda")]
    assert [d.title for d in gpus] == titles
    assert [d.name for d in gpus] == [f"cuda:{i}" for i in range(len(titles))]
