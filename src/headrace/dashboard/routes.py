"""All routes of the dashboard, from the modules in this folder."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from fastapi import APIRouter

from headrace import dashboard

router = APIRouter(include_in_schema=False)

# All of them first: a page adds itself to its router when its module is imported.
_modules = [
    import_module(f"{dashboard.__name__}.{one.name}")
    for one in iter_modules(dashboard.__path__)
    if one.name != "routes"
]
for _module in _modules:
    if isinstance(_found := getattr(_module, "router", None), APIRouter):
        router.include_router(_found)
