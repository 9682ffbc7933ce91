"""The wheel as a stranger installs it: a new venv, `pip install WHEEL[offline] -c constraints.txt` with all it depends on, from the
package index; then `doctor`, and a prediction. Minutes and a gigabyte; part of `make check` all the
same, since nothing else sees what a stranger gets.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.conftest import ROOT


@pytest.mark.timeout(1800)
def test_a_stranger_installs_the_wheel_and_predicts(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=240)
    (wheel,) = tmp_path.glob("*.whl")
    venv.create(tmp_path / "venv", with_pip=True)
    bin = tmp_path / "venv" / "bin"
    alone = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "GOEMO_STARTER")}
    pip = [bin / "python", "-m", "pip", "install", "--quiet", "-c", str(ROOT / "constraints.txt"), f"{wheel}[offline]"]
    done = subprocess.run(pip, capture_output=True, text=True, timeout=1700, env=alone, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    checked = subprocess.run(
        [bin / "python", "-m", "pip", "check"], capture_output=True, text=True, env=alone, timeout=240
    )
    assert checked.returncode == 0, checked.stdout
    looked = subprocess.run(
        [bin / "goemo-tui", "doctor"], capture_output=True, text=True, env=alone, cwd=tmp_path, timeout=600
    )
    assert looked.returncode == 0, looked.stdout + looked.stderr
    assert "ok  encoder" in looked.stdout and f"ok  starter   {tmp_path}" in looked.stdout
    words = [bin / "goemo-tui", "predict", "what a day, I could hug everyone"]
    said = subprocess.run(words, capture_output=True, text=True, env=alone, cwd=tmp_path, timeout=600)
    assert said.returncode == 0 and "joy" in said.stdout, said.stderr
    code = "import trainer; print(trainer.Predictor('starter').predict('thanks')[0].emotions[0].emotion)"
    library = subprocess.run(
        [bin / "python", "-c", code], capture_output=True, text=True, env=alone, cwd=tmp_path, timeout=600
    )
    assert library.stdout.strip() == "gratitude", library.stderr
    assert (tmp_path / "venv" / "share" / "man" / "man1" / "goemo-tui.1").is_file()
