"""A prediction child that knows no model: it speaks the protocol of `trainer.infer.service` and obeys its script.

`python scripted_child.py HOW LOG [--model NAME]`: every request it reads is appended to the file LOG. A text `die` ends
it, `odd` is answered with an error, `hold` waits until the file LOG.go exists. The model `broken` cannot be loaded.
`because` and `like` are appended to LOG.why: words of six letters and more speak for the emotion, "but" against it; an index
is built as long as LOG.index exists.
"""

from __future__ import annotations

import json
import os
import sys
import threading
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


_speaking = threading.Lock()


def say(**message: object) -> None:
    with _speaking:  # two indices may be built at once: a line is one person's
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


NEAR = [
    {"text": "So excited and so scared", "labels": ["excitement", "fear"], "similarity": 0.91, "id": "n1"},
    {"text": "What a [/s] day \x1b[2J", "labels": ["joy"], "similarity": 0.72, "id": "n2"},
    {"text": "Tomorrow is the day", "labels": ["optimism"], "similarity": 0.64, "id": "n3"},
]


def explain(request: dict, log: Path) -> None:
    """Answer `because` or `like`."""
    with log.with_suffix(".why").open("a") as file:
        file.write(json.dumps(request) + "\n")
    if request["op"] == "leave":
        return
    text = request["text"]
    if text == "odd why":
        say(id=request["id"], error="no words for that")
    elif request["op"] == "because":
        words = [
            {"word": w, "weight": -1.0 if w.lower() == "but" else len(w) / 4 if len(w) > 5 else 0.01}
            for w in text.split()
        ]
        say(id=request["id"], because={request["emotion"]: words}, ms=2.0)
    elif log.with_suffix(".index").exists():
        say(id=request["id"], like=None, indexing={"done": 12_000, "of": 43_410})
        threading.Thread(target=built, args=(log,), daemon=True).start()
    else:
        say(id=request["id"], like=NEAR[: request["k"]], note=os.environ.get("CHILD_NOTE", ""), rows=3, ms=2.0)


def built(log: Path) -> None:
    while log.with_suffix(".index").exists():
        time.sleep(0.01)
    say(event="indexed", of=43_410)


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
        if request["op"] in ("because", "like", "leave"):
            explain(request, log)
            continue
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
