"""Encoders from a Hub: fetched once over HTTP, then found in its cache; safetensors only. The hub here is on loopback."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.fake_hub import serve

FIND = """
import json, sys
from trainer.encoders import find_encoder
from trainer.errors import GoemoError
seen = []
try:
    found = find_encoder(sys.argv[1], progress=lambda file, done, total: seen.append((file, done, total)))
    print(json.dumps({"source": found.source, "files": sorted(p.name for p in found.folder.iterdir()), "progress": seen}))
except GoemoError as error:
    print(json.dumps({"error": str(error), "code": error.exit_code}))
"""


def find(name: str, endpoint: str, cache: Path) -> dict[str, object]:
    """What a fresh process finds; the Hub's client reads its environment when it is imported."""
    environment = {k: v for k, v in os.environ.items() if k != "HF_HUB_OFFLINE"}
    environment |= {
        "HF_ENDPOINT": endpoint,
        "HF_HOME": str(cache),
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", FIND, name], env=environment, capture_output=True, text=True, timeout=120, check=True
    )
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


@pytest.fixture
def repository(tiny_distilbert: Path, tmp_path: Path) -> Path:
    """A repository as they are: beside the weights lie a pickle, code and weights for other frameworks."""
    folder = tmp_path / "repository"
    shutil.copytree(tiny_distilbert, folder)
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    (folder / "modeling_evil.py").write_text("raise SystemExit('ran')")
    (folder / "tf_model.h5").write_bytes(b"x")
    return folder


def test_an_encoder_is_fetched_once_and_then_found_in_the_cache(repository: Path, tmp_path: Path) -> None:
    asked: list[str] = []
    with serve("distilbert/distilbert-base-uncased", repository, asked) as endpoint:
        first = find("distilbert", endpoint, tmp_path / "cache")
        assert first["source"] == "downloaded", first
        files = first["files"]
        assert isinstance(files, list)
        assert {"config.json", "model.safetensors", "tokenizer.json"} <= set(files)
        assert not {"pytorch_model.bin", "modeling_evil.py", "tf_model.h5"} & set(files)
        assert not [path for path in asked if path.endswith((".bin", ".py", ".h5"))]
        progress = first["progress"]
        assert isinstance(progress, list)
        assert progress[-1][1] == progress[-1][2] > 0
        asked.clear()
        assert find("distilbert", endpoint, tmp_path / "cache")["source"] == "hub cache"
        assert not asked
    again = find("distilbert", "http://127.0.0.1:9", tmp_path / "cache")  # the hub is gone
    assert again["source"] == "hub cache"


def test_a_repository_without_safetensors_is_refused(repository: Path, tmp_path: Path) -> None:
    (repository / "model.safetensors").unlink()
    with serve("somebody/pickled", repository, []) as endpoint:
        answer = find("somebody/pickled", endpoint, tmp_path / "cache")
    assert "safetensors" in str(answer["error"]) and answer["code"] == 1


def test_no_hub_and_no_cache_say_what_was_tried_and_what_to_do(tmp_path: Path) -> None:
    answer = find("distilbert", "http://127.0.0.1:9", tmp_path / "cache")
    assert answer["code"] == 3
    for word in ("distilbert", "cache", "could not be reached", "--encoder minilm"):
        assert word in str(answer["error"])


def test_a_name_that_the_hub_does_not_know(repository: Path, tmp_path: Path) -> None:
    with serve("somebody/known", repository, []) as endpoint:
        answer = find("somebody/unknown", endpoint, tmp_path / "cache")
    assert answer["code"] == 3 and "somebody/unknown" in str(answer["error"])
