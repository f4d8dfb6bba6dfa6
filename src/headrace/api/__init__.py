"""The HTTP API: thin routers over store and engine. `uvicorn headrace.api:app` serves it."""

from headrace.api.application import create_app, listen, serve

app = create_app()

__all__ = ["app", "create_app", "listen", "serve"]
