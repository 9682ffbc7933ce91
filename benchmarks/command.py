"""The program's own commands as a benchmark gives them: in a home that is thrown away."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

GOEMO = (sys.executable, "-m", "goemo_tui")


def goemo(home: str | Path, *words: str) -> str:
    """What the command says, without blanks around it. Raises CalledProcessError where it fails."""
    there = {**os.environ, "GOEMO_HOME": str(home)}
    return subprocess.run([*GOEMO, *words], env=there, capture_output=True, text=True, check=True).stdout.strip()
