"""Weights that nobody vouches for: refused in a process that is shut in, and nothing of them is ever run."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch

from goemo_tui.cli import main
from tests import notebook_model as made
from tests.unit.command_line import one_document
from trainer.errors import ModelError
from trainer.infer.adopt import adopt
from trainer.model import convert, foreign, shut_in
from trainer.modelfolder import list_models


class Bomb:
    """What unpickling runs: `os.system`."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.target}",)


class Evaluated(Bomb):
    """The same by way of `eval`."""

    def __reduce__(self) -> Any:
        return eval, (f"open({str(self.target)!r}, 'w')",)


def test_a_malicious_pickle_is_refused_and_runs_nothing(
    tmp_path: Path, minilm: Path, goemo_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = made.notebook_model(tmp_path / "evil", minilm)
    file, target = source / "pytorch_model.bin", tmp_path / "BOOM"
    for bomb, legacy in ((Bomb(target), False), (Evaluated(target), True)):
        torch.save({**made.weights(), "evil": bomb}, file, _use_new_zipfile_serialization=not legacy)
        assert main(["import", str(source), "--json"]) == 1
        error = one_document(capsys.readouterr().out)["error"]
        assert "nothing of it was run" in error and ("posix.system" in error or "eval" in error)
        assert not target.exists() and list((goemo_home / "models").iterdir()) == []
    torch.load(file, weights_only=False)
    assert target.exists(), "the bomb would have gone off"


@pytest.mark.parametrize("harm", ["truncated", "empty", "noise", "whole", "wide", "quantized"])
def test_files_that_are_no_weights_are_refused(harm: str, tmp_path: Path, minilm: Path, goemo_home: Path) -> None:
    source = made.notebook_model(tmp_path / "odd", minilm)
    file = source / "pytorch_model.bin"
    if harm == "truncated":
        os.truncate(file, 100)
        said = r"broken or cut short \(PytorchStreamReader [^.(]* directory\): copy or fetch it again"
    elif harm == "empty":
        file.write_bytes(b"")
        said = "broken or cut short"
    elif harm == "noise":
        file.write_bytes(bytes(range(256)) * 40)
        said = "no file of weights|broken"
    elif harm == "whole":
        torch.save(torch.nn.Linear(2, 2), file)
        said = r"torch\.nn\.modules\.linear\.Linear.*state_dict"
    elif harm == "wide":  # forty gigabytes in a file of a kilobyte
        torch.save({"classifier.weight": torch.zeros(1).expand(100_000, 100_000)}, file)
        said = "more memory"
    else:
        torch.save({"a": torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8)}, file)
        said = "no table of names and tensors"
    with pytest.raises(ModelError, match=said):
        adopt(str(source))
    assert list((goemo_home / "models").iterdir()) == []


@pytest.mark.parametrize("key", ["n_layers", "num_hidden_layers", "num_hidden_groups"])
def test_a_config_that_asks_for_endless_layers_is_refused(key: str, tmp_path: Path, minilm: Path) -> None:
    source = made.notebook_model(tmp_path / "endless", minilm)
    config = json.loads((source / "config.json").read_text())
    (source / "config.json").write_text(json.dumps({**config, key: 10**8}))
    with pytest.raises(ModelError, match=f"{key} is 100000000"):
        foreign.look(str(source))


def test_a_child_that_takes_too_long_is_ended(tmp_path: Path, minilm: Path) -> None:
    source = made.notebook_model(tmp_path / "slow", minilm)
    (tmp_path / "work").mkdir()
    with pytest.raises(ModelError, match=r"more than 0\.01 seconds"):
        convert.read(foreign.look(str(source)), tmp_path / "work", seconds=0.01)
    assert not [c for c in psutil.Process().children(recursive=True) if "trainer.model.pickled" in c.cmdline()]


TRIES = """
import ctypes, os, socket, subprocess, sys
from trainer.model import shut_in
address, folder = ("127.0.0.1", int(sys.argv[1])), sys.argv[2]
print(shut_in.cut_network())
libc = ctypes.CDLL(None)
plain = socket.socket()
try:
    plain.settimeout(5)
    plain.connect(address)
    print("connected")
except OSError as error:
    print(type(error).__name__)
open(folder + "/before", "w")
shut_in.refuse()
for attempt in (
    lambda: socket.socket(),
    lambda: socket.create_connection(address),
    lambda: subprocess.run(["true"]),
    lambda: os.system("true"),
    lambda: os.fork(),
    lambda: os.execv("/bin/true", ["true"]),
    lambda: open(folder + "/after", "w"),
    lambda: os.open(folder + "/after", os.O_CREAT | os.O_RDWR),
    lambda: os.remove(folder + "/before"),
    lambda: ctypes.CDLL(None),
):
    try:
        attempt()
        print("done")
    except PermissionError as error:
        print("refused")
print(open(folder + "/before").read() == "")
"""


def test_the_child_reaches_no_network_and_starts_and_writes_nothing(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-c", TRIES, port, str(tmp_path)], capture_output=True, text=True, timeout=60
        )
    assert done.returncode == 0, done.stderr
    how, reached, *tried, read = done.stdout.splitlines()
    assert tried == ["refused"] * 10 and read == "True"
    if how == shut_in.KERNEL:
        assert reached != "connected", "the network namespace is empty"
    elif shutil.which("unshare") and not subprocess.run(["unshare", "-n", "true"], capture_output=True).returncode:
        pytest.fail("this user may have a network namespace, and the child took none")


def test_what_is_killed_half_way_leaves_nothing_under_the_name(tmp_path: Path, minilm: Path, goemo_home: Path) -> None:
    source = made.notebook_model(tmp_path / "killed", minilm)
    process = psutil.Popen([sys.executable, "-m", "goemo_tui.cli", "import", str(source)], stderr=subprocess.DEVNULL)
    models = goemo_home / "models"
    children: list[psutil.Process] = []
    while not children:  # the folder is there and the child reads
        assert process.poll() is None, "it was done before it could be killed"
        children = [c for c in process.children() if "trainer.model.pickled" in " ".join(c.cmdline())]
        time.sleep(0.02)
    process.kill()
    process.wait()
    assert psutil.wait_procs(children, timeout=60)[1] == [], "the child goes with its parent"
    assert [p.name[0] for p in models.iterdir()] == ["."] and list_models() == []
    assert adopt(str(source))["model"] == "killed"
