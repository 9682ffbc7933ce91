"""schemathesis makes requests from the service's own OpenAPI document, right and wrong ones, and holds the answers to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.integration.served import Service, serving

schemathesis = pytest.importorskip("schemathesis")
pytest.importorskip("uvicorn", reason="the extra serve is not installed")

TOKEN = "a-token-of-the-tests"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Small bounds, which requests that are made at random reach; a token, without which nothing is answered."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("GOEMO_STARTER", raising=False)
        bounds = ("--max-texts", "4", "--max-characters", "200")
        with serving(*bounds, GOEMO_HOME=str(tmp_path_factory.mktemp("home")), GOEMO_SERVE_TOKEN=TOKEN) as found:
            yield found


@pytest.fixture(scope="module")
def document(service: Service) -> Any:
    """The service's own description."""
    return schemathesis.openapi.from_url(f"{service.url}/openapi.json", headers={"Authorization": f"Bearer {TOKEN}"})


described = schemathesis.pytest.from_fixture("document")


@described.parametrize()
@settings(max_examples=40, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
def test_it_answers_as_it_says(case: Any) -> None:
    case.call_and_validate(headers={"Authorization": f"Bearer {TOKEN}"})


def test_it_is_there_afterwards(service: Service) -> None:
    assert service.ask("/v1/model", authorization=f"Bearer {TOKEN}").code == 200
    assert "500" not in str(service.metrics("goemo_requests_total"))
