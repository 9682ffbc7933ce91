"""GPUs as NVIDIA's driver tells them: shown busy where somebody computes, hidden and renumbered as CUDA does."""

from __future__ import annotations

from types import SimpleNamespace

import pynvml
import pytest

from trainer.devices import list_devices


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
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
    monkeypatch.setattr(pynvml, "nvmlDeviceGetComputeRunningProcesses", lambda i: [1, 2] if i == 0 else [])


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
    assert "busy" not in str(second)
    assert cpu.name == "cpu"


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
