"""A prediction child that knows no model: it speaks the protocol of `trainer.infer.service` and obeys its script.

`python scripted_child.py HOW LOG [--model NAME]`: every request it reads is appended to the file LOG. A text `die` ends
it, `odd` is answered with an error, `hold` waits until the file LOG.go exists. The model `broken` cannot be loaded.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

SCORES = {"joy": 0.8, "fear": 0.25, "neutral": 0.1}
THRESHOLDS = {"joy": 0.4, "fear": 0.2, "neutral": 0.5}

OTHER = "calm-otter"
OTHER_SCORES = {"joy": 0.58, "neutral": 0.105, "pride": 0.6}
"""What the model called calm-otter says: one label more, one less."""

_now: dict[str, dict[str, float]] = {"scores": SCORES}


def command(how: str, log: Path) -> tuple[str, ...]:
    """The command line of this child."""
    return (sys.executable, str(Path(__file__).resolve()), how, str(log))


def say(**message: object) -> None:
    print(json.dumps(message), flush=True)


def ready(model: str, **more: object) -> None:
    _now["scores"] = OTHER_SCORES if model == OTHER else SCORES
    thresholds = {name: THRESHOLDS.get(name, 0.5) for name in _now["scores"]}
    say(
        event="ready", model=model, path=os.environ.get("CHILD_MODEL_PATH", ""), labels=list(_now["scores"]),
        thresholds=thresholds, device="cpu", layers=6, width=384, parameters=22_700_000, bytes=90_900_000,
        max_length=8, warnings=[], seconds=0.1, **more,
    )  # fmt: skip


def answer(request: dict, log: Path) -> None:
    text = request["texts"][0]
    scores = _now["scores"]
    if text == "die":
        print("Killed", file=sys.stderr, flush=True)
        os._exit(9)
    if text == "hold":
        while not log.with_suffix(".go").exists():
            time.sleep(0.01)
    if text == "odd":
        say(id=request["id"], error="that text is odd")
        return
    if request["op"] == "batch":
        say(id=request["id"], ms=1.5, scores=[list(scores.values())] * len(request["texts"]))
        return
    given = request["threshold"]
    chosen = [
        {"emotion": name, "probability": p, "threshold": THRESHOLDS.get(name, 0.5) if given == "tuned" else given}
        for name, p in scores.items()
        if p >= (THRESHOLDS.get(name, 0.5) if given == "tuned" else given)
    ]
    say(id=request["id"], ms=1.5, results=[{"text": text, "emotions": chosen, "scores": scores}])


def main(how: str, log: Path, model: str) -> None:
    if how == "crash":
        print("ImportError: no torch", file=sys.stderr)
        sys.exit(3)
    if how == "deaf":
        import signal

        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        ready(model)
        time.sleep(60)
    say(event="loading", what="importing torch")
    print("this is no JSON", flush=True)
    if how == "slow":
        time.sleep(60)
    if how == "empty":
        say(event="error", what="load", message="there is no model yet. Make one: goemo-tui train")
    elif model in ("broken", "gone"):
        say(event="error", what="load", message=f"{model} holds no weights")
    else:
        ready(model)
    for line in sys.stdin:
        request = json.loads(line)
        with log.open("a") as file:
            file.write(line)
        if request["op"] == "load" and request["model"] == "broken":
            say(id=request["id"], event="error", what="load", message="broken holds no weights")
        elif request["op"] == "load":
            say(id=request["id"], event="loading", what="reading the weights")
            ready(request["model"] or "starter", id=request["id"])
        else:
            answer(request, log)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[4] if len(sys.argv) > 4 else "starter")
