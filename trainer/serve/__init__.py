"""A model behind HTTP: texts in, emotions out, for programs in other languages and on other desks.

Stands on `infer`. Needs the extra `serve` (FastAPI, uvicorn, prometheus-client); knows no terminal and prints nothing.
"""
