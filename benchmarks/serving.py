"""The HTTP service beside itself without batches: `python -m benchmarks.serving`. Prints requests a second, p50 and p95.

Clients ask for one comment at a time, over a connection that stays open, on the same machine: they take a part of its cores.
"""

from __future__ import annotations

import http.client
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from urllib.parse import urlsplit

from benchmarks.machine import this_machine
from trainer import load_corpus

CLIENTS = (1, 8, 64)
REQUESTS = 192

START = """
import functools, sys
from trainer.serve import limits
limits.Limits = functools.partial(limits.Limits, batch=int(sys.argv[1]))
from goemo_tui.cli import main
sys.exit(main(["serve", "--http", "127.0.0.1:0"]))
"""
"""The command, with other than its own texts to a round."""

WAYS = {"in batches": 32, "one by one": 1}


def start(batch: int) -> tuple[subprocess.Popen[str], str]:
    """A service, and where it listens."""
    process = subprocess.Popen([sys.executable, "-c", START, str(batch)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, urlsplit(process.stdout.readline().strip()).netloc


def asked(where: str, clients: int, texts: list[str]) -> tuple[float, list[float]]:
    """Requests a second, and how long each took, of so many clients that share `REQUESTS` between them."""
    taken: list[float] = []
    numbers = iter(range(REQUESTS))
    lock = threading.Lock()

    def client() -> None:
        link = http.client.HTTPConnection(where, timeout=120)
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                break
            body = json.dumps({"texts": [texts[number % len(texts)]]})
            began = time.perf_counter()
            link.request("POST", "/v1/predict", body, {"content-type": "application/json"})
            answer = link.getresponse()
            answer.read()
            assert answer.status == 200, answer.status
            taken.append(time.perf_counter() - began)
        link.close()

    threads = [threading.Thread(target=client) for _ in range(clients)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return REQUESTS / (time.perf_counter() - began), taken


def main() -> None:
    """Measure and print."""
    texts = [str(text) for text in load_corpus("sample").splits["test"].text]
    started = {name: start(batch) for name, batch in WAYS.items()}
    print(this_machine())
    print(
        f"load {os.getloadavg()[0]:.1f}; {REQUESTS} requests of one comment each, the starter, three times by turns (medians)"
    )
    print(f"{'clients':>8}  {'':<11}{'requests/s':>11}{'p50 ms':>9}{'p95 ms':>9}")
    try:
        for clients in CLIENTS:
            found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in WAYS}
            for _ in range(3):
                for name, (_, where) in started.items():
                    rate, taken = asked(where, clients, texts)
                    steps = statistics.quantiles(taken, n=20)
                    found[name].append((rate, statistics.median(taken) * 1000, steps[-1] * 1000))
            for name, runs in found.items():
                rate, p50, p95 = (statistics.median(column) for column in zip(*runs, strict=True))
                print(f"{clients:>8}  {name:<11}{rate:>11.1f}{p50:>9.0f}{p95:>9.0f}", flush=True)
    finally:
        for process, _ in started.values():
            process.terminate()
            process.wait(60)


if __name__ == "__main__":
    main()
