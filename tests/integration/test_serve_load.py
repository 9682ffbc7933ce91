"""Four times as much as the service takes: no request is lost, each gets right numbers or is told when to come again."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.integration.served import serving
from trainer import Predictor, load_corpus

pytest.importorskip("uvicorn", reason="the extra serve is not installed")

QUEUE = 16
CLIENTS = 4 * QUEUE
EACH = 6


def test_nothing_is_lost_at_four_times_the_load(starter: Path) -> None:
    texts = [str(text) for text in load_corpus("sample").splits["test"].text[:48]]
    predictor = Predictor(device="cpu", few=True)
    right = {text: predictor.predict(text)[0].to_dict() for text in texts}
    asked = [
        [texts[(7 * client + number + k) % len(texts)] for k in range(1 + (client + number) % 4)]
        for client in range(CLIENTS)
        for number in range(EACH)
    ]
    with serving("--queue", str(QUEUE), "--max-texts", "4") as service:
        with ThreadPoolExecutor(CLIENTS) as pool:
            answers = list(pool.map(lambda some: service.predict(*some), asked))
        codes = Counter(answer.code for answer in answers)
        computed = 0
        for some, answer in zip(asked, answers, strict=True):
            if answer.code == 200:
                assert answer.document["results"] == [right[text] for text in some]
                computed += len(some)
            else:
                assert answer.code in (429, 503) and int(answer.headers["retry-after"]) >= 1 and answer.error
        assert sum(codes.values()) == CLIENTS * EACH and codes[200] and codes[429], codes
        # what the service says of itself is what the clients saw
        told = service.metrics("goemo_requests_total")
        seen = {f'code="{code}",route="/v1/predict"': float(count) for code, count in codes.items()}
        assert {labels: count for labels, count in told.items() if "predict" in labels} == seen
        assert service.metrics("goemo_texts_total")[""] == computed
        assert service.metrics("goemo_queue_texts")[""] == 0
        assert service.predict("and on it goes").code == 200
