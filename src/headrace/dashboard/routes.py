"""All routes of the dashboard, from the modules in this folder."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from fastapi import APIRouter
from fastapi.routing import APIRoute

from headrace import dashboard

router = APIRouter(include_in_schema=False)

# All of them first: a page adds itself to its router when its module is imported.
_modules = [
    import_module(f"{dashboard.__name__}.{one.name}")
    for one in iter_modules(dashboard.__path__)
    if one.name != "routes"
]
_routers = [one for one in (getattr(module, "router", None) for module in _modules) if one]
for _one in _routers:
    router.include_router(_one)

ROUTES = [route for one in _routers for route in one.routes if isinstance(route, APIRoute)]
"""All of them, one by one."""


def methods(path: str) -> list[str]:
    """What may be done at a path."""
    found = [route.methods or () for route in ROUTES if route.path_regex.match(path)]
    return sorted(set[str]().union(*found))
