"""`goemo-tui push` and `pull` with huggingface_hub's own client against a Hub on loopback. No token is ever seen."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.whole_hub import OWNER, TOKEN, Repository, WholeHub, serving
from trainer.runs.run import Run

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def hub() -> Iterator[WholeHub]:
    with serving() as found:
        yield found


def environment(hub: WholeHub | None, token: str | None = TOKEN) -> dict[str, str]:
    values = {k: v for k, v in os.environ.items() if k not in ("HF_HUB_OFFLINE", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")}
    values |= {"PYTHONPATH": str(ROOT), "HF_HUB_DISABLE_XET": "1"}
    values["HF_ENDPOINT"] = hub.endpoint if hub is not None else "http://127.0.0.1:9"
    return {**values, **({"HF_TOKEN": token} if token else {})}


def goemo(hub: WholeHub | None, *arguments: str, token: str | None = TOKEN, env: dict[str, str] | None = None) -> Any:
    done = subprocess.run(
        [sys.executable, "-m", "goemo_tui.cli", *arguments],
        env={**environment(hub, token), **(env or {})}, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    assert TOKEN not in done.stdout + done.stderr
    return done


def require_no_token(*folders: Path) -> None:
    """No file below holds the token: runs, caches, settings, logs."""
    for folder in folders:
        for file in folder.rglob("*"):
            if file.is_file() and not file.is_symlink():
                assert TOKEN.encode() not in file.read_bytes(), file


@pytest.fixture
def model(whole_run: Run, tmp_path: Path) -> Path:
    """A trained model's folder with things beside it that are nobody's business, and traces of a machine in it."""
    folder = tmp_path / "a model"
    assert whole_run.model is not None
    shutil.copytree(whole_run.model, folder)
    (folder / "optimizer.pt").write_bytes(b"\x80\x04.")
    (folder / "events.jsonl").write_text("{}\n")
    (folder / "checkpoints").mkdir()
    (folder / "checkpoints" / "state.safetensors").write_bytes(b"x")
    config = json.loads((folder / "config.json").read_text())
    config |= {"_name_or_path": "/home/ann/encoders/tiny", "auto_map": {"AutoModel": "evil.Model"}}
    (folder / "config.json").write_text(json.dumps(config))
    card = (folder / "README.md").read_text()
    assert "| teacher | `none` |" in card
    (folder / "README.md").write_text(card.replace("| teacher | `none` |", "| teacher | `/home/ann/secret/teacher` |"))
    return folder


def test_a_model_is_sent_private_with_what_is_allowed_and_nothing_else(
    hub: WholeHub, model: Path, goemo_home: Path, tmp_path: Path
) -> None:
    done = goemo(hub, "push", str(model), "mine", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    repo = hub.models[f"{OWNER}/mine"]
    assert (document["repo"], document["sent"], document["private"]) == (f"{OWNER}/mine", True, True)
    assert repo.private and document["commit"] == repo.refs["main"]
    files = repo.commits[repo.refs["main"]]
    assert set(files) - {".gitattributes"} == {
        "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "vocab.txt", "special_tokens_map.json",
        "thresholds.json", "README.md",
    }  # fmt: skip
    assert {f["name"] for f in document["files"]} == set(files) - {".gitattributes"}
    for name in (f["name"] for f in document["files"]):
        assert f"  {name}" in done.stderr, "what is sent is said"
    assert files["model.safetensors"] == (model / "model.safetensors").read_bytes()
    config = json.loads(files["config.json"])
    assert "_name_or_path" not in config and "auto_map" not in config
    for name, data in files.items():
        assert b"/home/" not in data and str(tmp_path).encode() not in data, name
    assert b"| teacher | `teacher` |" in files["README.md"]
    require_no_token(goemo_home, tmp_path)


def test_the_card_is_what_the_hub_reads(hub: WholeHub, model: Path) -> None:
    assert goemo(hub, "push", str(model), f"{OWNER}/mine", "--license", "mit").returncode == 0
    (card,) = hub.cards
    assert card["pipeline_tag"] == "text-classification" and card["library_name"] == "transformers"
    assert card["license"] == "mit" and card["metrics"] == ["f1"]
    assert "datasets" not in card and "base_model" not in card  # a corpus and an encoder of one's own
    (entry,) = card["model-index"]
    names = [metric["name"] for metric in entry["results"][0]["metrics"]]
    assert names[0] == "macro-F1 (dev, cross-fitted)" and entry["name"] == "mine"
    text = hub.models[f"{OWNER}/mine"].commits[hub.models[f"{OWNER}/mine"].refs["main"]]["README.md"].decode()
    assert f'model="{OWNER}/mine"' in text
    assert goemo(hub, "push", str(model), f"{OWNER}/other").returncode == 0
    assert "license" not in hub.cards[-1]


def test_what_was_sent_is_fetched_and_says_the_same_without_a_network(
    hub: WholeHub, model: Path, goemo_home: Path, tmp_path: Path
) -> None:
    assert goemo(hub, "push", str(model), f"{OWNER}/mine").returncode == 0
    repo = hub.models[f"{OWNER}/mine"]
    repo.commit({**repo.commits[repo.refs["main"]], "pytorch_model.bin": b"\x80\x04.", "run.py": b"raise SystemExit"})
    done = goemo(hub, "pull", f"{OWNER}/mine", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["model"] == f"{OWNER}/mine" and document["commit"] == repo.refs["main"]
    assert {"model.safetensors", "thresholds.json", "README.md"} <= set(document["files"])
    assert not [a for a in hub.asked if a.endswith((".bin", ".py"))]
    text = "I am so happy"
    ours = goemo(None, "predict", "--model", str(model), "--json", text)
    theirs = goemo(None, "predict", "--model", f"{OWNER}/mine", "--json", text, token=None)
    assert theirs.returncode == 0, theirs.stderr
    assert json.loads(theirs.stdout)["results"] == json.loads(ours.stdout)["results"]
    hub.asked.clear()
    assert goemo(hub, "pull", f"{OWNER}/mine").returncode == 0
    assert not [a for a in hub.asked if a.startswith("GET") and "/resolve/" in a]  # nothing is fetched twice
    require_no_token(goemo_home, tmp_path)


def test_a_revision_has_a_name_of_its_own(hub: WholeHub, model: Path) -> None:
    assert goemo(hub, "push", str(model), f"{OWNER}/mine").returncode == 0
    repo = hub.models[f"{OWNER}/mine"]
    first = repo.refs["main"]
    repo.commit({"README.md": b"empty"})
    done = goemo(hub, "pull", f"{OWNER}/mine", "--revision", first)
    assert done.stdout.strip() == f"{OWNER}/mine@{first}", done.stderr
    assert goemo(None, "predict", "--model", f"{OWNER}/mine@{first}", "joy").returncode == 0
    assert goemo(hub, "pull", f"{OWNER}/mine", "--revision", "no-such").returncode == 3


def test_after_a_break_what_is_whole_stays_and_what_came_damaged_is_thrown_away(hub: WholeHub, model: Path) -> None:
    hub.models["they/big"] = Repository()
    files = {p.name: p.read_bytes() for p in model.iterdir() if p.is_file() and p.suffix in (".json", ".safetensors")}
    hub.models["they/big"].commit(files)
    sha = hub.models["they/big"].refs["main"]
    hub.trouble[f"GET /they/big/resolve/{sha}/model.safetensors"] = "cut"
    broken = goemo(hub, "pull", "they/big")
    assert broken.returncode == 1 and "run the same again" in broken.stderr, broken.stderr
    hub.trouble.clear()
    hub.asked.clear()
    assert goemo(hub, "pull", "they/big").returncode == 0
    assert [a for a in hub.asked if a.startswith("GET /they/big/resolve")] == [
        f"GET /they/big/resolve/{sha}/model.safetensors"
    ]
    # the tree says another hash than what comes
    from tests.integration import whole_hub

    honest = whole_hub.etag
    try:
        whole_hub.etag = lambda path, data: "0" * 64 if path.endswith(".safetensors") else honest(path, data)
        hub.models["they/bad"] = Repository()
        hub.models["they/bad"].commit({**files, "model.safetensors": b"other bytes"})
        bad = goemo(hub, "pull", "they/bad")
    finally:
        whole_hub.etag = honest
    assert bad.returncode == 1 and "damaged" in bad.stderr


def test_pickles_and_half_models_are_refused(hub: WholeHub) -> None:
    hub.models["they/old"] = Repository()
    hub.models["they/old"].commit({"config.json": b"{}", "pytorch_model.bin": b"\x80\x04."})
    done = goemo(hub, "pull", "they/old")
    assert done.returncode == 1 and "pytorch_model.bin" in done.stderr and "never opened" in done.stderr
    hub.models["they/adapter"] = Repository()
    hub.models["they/adapter"].commit({"adapter_config.json": b"{}", "adapter_model.safetensors": b"x"})
    done = goemo(hub, "pull", "they/adapter")
    assert done.returncode == 1 and "no config.json" in done.stderr
    assert not [a for a in hub.asked if "/resolve/" in a]


def test_a_public_repository_takes_nothing_unless_public_is_said(hub: WholeHub, model: Path) -> None:
    hub.models[f"{OWNER}/open"] = Repository(private=False)
    before = hub.models[f"{OWNER}/open"].commit({"README.md": b"hello"})
    done = goemo(hub, "push", str(model), f"{OWNER}/open")
    assert done.returncode == 1 and "--public" in done.stderr
    assert hub.models[f"{OWNER}/open"].refs["main"] == before and not hub.objects
    assert goemo(hub, "push", str(model), f"{OWNER}/open", "--public").returncode == 0
    assert goemo(hub, "push", str(model), f"{OWNER}/new", "--public").returncode == 0
    assert not hub.models[f"{OWNER}/new"].private


def test_the_starter_is_sent_whole(hub: WholeHub, starter: Path) -> None:
    assert goemo(hub, "push", "starter", f"{OWNER}/starter", env={"GOEMO_STARTER": str(starter)}).returncode == 0
    repo = hub.models[f"{OWNER}/starter"]
    files = repo.commits[repo.refs["main"]]
    assert not [name for name in files if "compact" in name] and len(files["model.safetensors"]) > 80_000_000
    card = hub.cards[-1]
    assert card["license"] == "apache-2.0" and card["base_model"] == "sentence-transformers/all-MiniLM-L6-v2"
    assert card["datasets"] == ["google-research-datasets/go_emotions"] and card["language"] == "en"


def test_nothing_is_sent_by_a_dry_run_or_without_a_token(hub: WholeHub, model: Path) -> None:
    done = goemo(hub, "push", str(model), "mine", "--dry-run", "--json")
    assert done.returncode == 0 and json.loads(done.stdout)["sent"] is False
    done = goemo(hub, "push", str(model), "mine", token=None)
    assert done.returncode == 1 and "hf auth login" in done.stderr
    assert not hub.asked


def test_the_token_of_a_login_is_used(hub: WholeHub, model: Path, tmp_path: Path) -> None:
    (tmp_path / "huggingface").mkdir(exist_ok=True)
    (tmp_path / "huggingface" / "token").write_text(TOKEN)
    assert goemo(hub, "push", str(model), "mine", token=None).returncode == 0
    assert f"{OWNER}/mine" in hub.models


@pytest.mark.parametrize(
    ("where", "what", "code", "said"),
    [
        ("POST /api/repos/create", 401, 1, "hf auth login"),
        ("POST /api/repos/create", 403, 1, "right to write"),
        ("POST /api/models/somebody/mine/commit", 409, 1, "run the same again"),
        ("POST /api/models/somebody/mine/preupload", 404, 3, "check the name"),
        ("POST /api/repos/create", 429, 1, "wait some minutes"),
        ("POST /api/models/somebody/mine/commit", 500, 1, "has trouble"),
        ("POST /api/models/somebody/mine/commit", "cut", 1, "run the same again"),
    ],
)
def test_what_goes_wrong_is_said_and_the_token_is_not(
    hub: WholeHub, model: Path, goemo_home: Path, tmp_path: Path, where: str, what: int | str, code: int, said: str
) -> None:
    hub.trouble[where] = what
    done = goemo(hub, "push", str(model), f"{OWNER}/mine", "--json", env={"HF_DEBUG": "1"} if what == 401 else None)
    assert done.returncode == code, done.stderr
    assert said in done.stderr and f"{OWNER}/mine" in done.stderr
    assert "error" in json.loads(done.stdout)
    require_no_token(goemo_home, tmp_path)


@pytest.mark.parametrize(("what", "code"), [(401, 1), (403, 1), (404, 3), (429, 1), (503, 1)])
def test_what_goes_wrong_with_a_pull(hub: WholeHub, tmp_path: Path, goemo_home: Path, what: int, code: int) -> None:
    hub.trouble["/api/models/they/it"] = what
    done = goemo(hub, "pull", "they/it")
    assert done.returncode == code and "they/it" in done.stderr and str(what) in done.stderr, done.stderr
    require_no_token(goemo_home, tmp_path)


def test_wrong_names_and_no_network(hub: WholeHub, model: Path) -> None:
    assert goemo(hub, "push", str(model), "what a name").returncode == 2
    assert goemo(hub, "pull", "what a name/x").returncode == 2
    assert goemo(hub, "pull", "they/unknown", token=None).returncode == 3
    gone = goemo(None, "pull", "they/it")
    assert gone.returncode == 1 and "check the network" in gone.stderr
    offline = goemo(hub, "pull", "they/it", env={"HF_HUB_OFFLINE": "1"})
    assert offline.returncode == 1 and "HF_HUB_OFFLINE" in offline.stderr
