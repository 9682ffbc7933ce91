"""The routes of the service: predict, the model, health, metrics, and the OpenAPI document that describes them.

A page of documentation is not served: FastAPI's loads scripts from elsewhere. Every error has one form, `{"error": text}`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from trainer import __version__
from trainer.infer.predictor import Predictor
from trainer.serve.batcher import Batcher, Job, Refused
from trainer.serve.documents import About, Answer, State, Wrong, asked, mistakes
from trainer.serve.metrics import Metrics

PREDICT = "/v1/predict"

ROUTES = (PREDICT, "/v1/model", "/healthz", "/readyz", "/metrics", "/openapi.json")

WRONG: dict[int | str, dict[str, Any]] = {
    400: {"description": "What was sent is no HTTP, or no request that can be read"},
    401: {"description": "The token is missing or another one"},
    403: {"description": "A page of another site asked"},
    408: {"description": "The request took too long to come"},
    413: {"description": "The body is too large"},
    415: {"description": "The body is no JSON"},
    421: {"description": "The Host header names another machine"},
    422: {"description": "The JSON is not what is asked for"},
    429: {"description": "Too much waits already; Retry-After says when to come again"},
    500: {"description": "The model could not compute it, or something unforeseen"},
    503: {"description": "Not ready, stopping, or it waited too long; Retry-After says when to come again"},
}
ALWAYS = (400, 401, 403, 408, 413, 421, 500, 503)


def make_app(
    batcher: Batcher, metrics: Metrics, with_token: bool, unforeseen: Callable[[BaseException], str]
) -> FastAPI:
    """The routes over `batcher`. `with_token` is what OpenAPI says of who may ask; `gate` sees to it. `unforeseen` writes
    down what failed and returns its id, which is all that is told of it.
    """
    app = FastAPI(
        title="goemo-tui", version=__version__, docs_url=None, redoc_url=None, redirect_slashes=False,
        description="What texts feel. Errors have one form: {\"error\": text}.",
    )  # fmt: skip
    _add_errors(app, unforeseen)
    _add_predict(app, batcher)

    @app.get("/v1/model", response_model=About, responses=_wrong(*ALWAYS))
    async def model() -> Any:
        """Which model answers."""
        if batcher.state != "ready":
            raise HTTPException(503, _not_ready(batcher), {"retry-after": "5"})
        return about(batcher.loaded.result())

    @app.get("/healthz", response_model=State, responses=_wrong(*ALWAYS))
    async def health() -> Any:
        """Whether the service runs. Needs no token."""
        return State(status="ok")

    @app.get("/readyz", response_model=State, responses=_wrong(*ALWAYS))
    async def ready() -> Any:
        """Whether it takes texts. Needs no token."""
        if batcher.state != "ready":
            raise HTTPException(503, _not_ready(batcher), {"retry-after": "5"})
        return State(status="ready")

    for path, look in (("/healthz", health), ("/readyz", ready)):  # probes that want no body; described as GET alone
        app.add_api_route(path, look, methods=["HEAD"], response_model=State, include_in_schema=False)

    told: dict[int | str, dict[str, Any]] = {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}}

    @app.get("/metrics", response_class=Response, responses={**told, **_wrong(*ALWAYS)})
    async def measured() -> Response:
        """Counters for Prometheus."""
        return Response(metrics.page(), media_type=CONTENT_TYPE_LATEST)

    _describe(app, with_token)
    return app


def failure(error_id: str) -> str:
    """What a stranger is told of what nobody foresaw."""
    return f"something unforeseen went wrong; the service's log knows it as {error_id}"


def about(predictor: Predictor) -> About:
    """What is told of the model."""
    thresholds = dict(zip(predictor.labels, predictor.thresholds("tuned").tolist(), strict=True))
    return About(
        model=predictor.name, labels=list(predictor.labels), thresholds=thresholds,
        max_length=predictor.max_length, device=predictor.engine.device,
    )  # fmt: skip


def _add_predict(app: FastAPI, batcher: Batcher) -> None:
    form = asked(batcher.limits)
    body = {"required": True, "content": {"application/json": {"schema": form.model_json_schema()}}}
    answers = {200: {"model": Answer}, **_wrong(*ALWAYS, 415, 422, 429)}

    @app.post(PREDICT, response_class=Response, responses=answers, openapi_extra={"requestBody": body})
    async def predict(request: Request) -> Response:
        """What each text feels. The numbers of a text do not depend on what is asked beside it."""
        try:
            given: Any = form.model_validate_json(await request.body())
        except ValidationError as error:
            raise HTTPException(422, mistakes(error)) from None
        try:
            job = batcher.submit(given.texts)
            found = await _computed(job, request, batcher.limits.wait_s)
        except Refused as refused:
            raise HTTPException(refused.code, str(refused), {"retry-after": str(refused.retry_s)}) from None
        predictor = batcher.loaded.result()
        results = [one.to_dict() for one in predictor.predictions(given.texts, found, given.threshold)]
        return Response(json.dumps({"model": predictor.name, "results": results}), media_type="application/json")


async def _computed(job: Job, request: Request, wait_s: float) -> Any:
    """The probabilities. Raises Refused where it took too long. Nothing is computed for a client that has gone."""
    computed = asyncio.wrap_future(job.future)
    gone = asyncio.ensure_future(request.receive())
    try:
        both: set[asyncio.Future[Any]] = {computed, gone}
        await asyncio.wait(both, timeout=wait_s, return_when=asyncio.FIRST_COMPLETED)
        if computed.done():
            return computed.result()
        what = "the client has gone" if gone.done() else f"the texts waited for {wait_s:g} s and were given up"
        raise Refused(503, what, max(1, round(wait_s)))
    finally:
        gone.cancel()
        job.future.cancel()
        computed.cancel()


def _add_errors(app: FastAPI, unforeseen: Callable[[BaseException], str]) -> None:
    there = f"there is POST {PREDICT}, and GET {', '.join(ROUTES[1:])}"

    @app.exception_handler(HTTPException)
    async def said(request: Request, error: HTTPException) -> Response:
        own = {404: f"no such path; {there}", 405: f"not by this method; {there}"}
        return JSONResponse({"error": own.get(error.status_code, error.detail)}, error.status_code, error.headers)

    @app.exception_handler(Exception)
    async def failed(request: Request, error: Exception) -> Response:
        return JSONResponse({"error": failure(unforeseen(error))}, 500)


def _not_ready(batcher: Batcher) -> str:
    return {"loading": "the model is being loaded", "stopping": "the service is stopping"}.get(
        batcher.state, "the model could not be loaded"
    )


def _wrong(*codes: int) -> dict[int | str, dict[str, Any]]:
    return {code: {"model": Wrong, **WRONG[code]} for code in codes}


def _describe(app: FastAPI, with_token: bool) -> None:
    """OpenAPI says who may ask, too."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        found = plain()
        if with_token and "security" not in found:
            schemes = found.setdefault("components", {}).setdefault("securitySchemes", {})
            schemes["token"] = {"type": "http", "scheme": "bearer"}
            found["security"] = [{"token": []}]
            for open_to_all in ("/healthz", "/readyz"):
                found["paths"][open_to_all]["get"]["security"] = []
        return found

    app.openapi = openapi  # type: ignore[method-assign]
