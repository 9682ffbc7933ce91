"""schemathesis makes requests from the service's own OpenAPI document, right and wrong ones, and holds the answers to it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.served import serving

pytest.importorskip("schemathesis", reason="schemathesis is not installed")
pytest.importorskip("uvicorn", reason="the extra serve is not installed")

TOKEN = "a-token-of-the-tests"

BOUNDS = ("--max-texts", "4", "--max-characters", "200")
"""Small ones, which requests that are made at random reach."""


def test_it_answers_as_it_says(starter: Path, tmp_path: Path) -> None:
    """All checks that schemathesis has, over every operation; also that nothing is answered without the token."""
    mine = f"Authorization: Bearer {TOKEN}"
    with serving(*BOUNDS, GOEMO_SERVE_TOKEN=TOKEN) as service:
        command = [
            sys.executable, "-m", "schemathesis.cli", "run", f"{service.url}/openapi.json", "--header", mine,
            "--checks", "all", "--max-examples", "10", "--seed", "1",            "--generation-database", "none", "--no-color",
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, timeout=250, cwd=tmp_path)
        assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
        assert "Tested: 5" in done.stdout and "No issues found" in done.stdout
        told = service.ask("/metrics", authorization=f"Bearer {TOKEN}").body.decode()
        counts = [line for line in told.splitlines() if line.startswith("goemo_requests_total{")]
        # it was answered, refused and turned away: the run reached what is behind the token
        assert all(
            any(f'code="{code}",route="/v1/predict"' in line for line in counts) for code in (200, 401, 405, 415, 422)
        )
        assert not any('code="5' in line for line in counts)
