"""The dashboard: pages that the service draws, for those who run it and those whose data it holds.

A page is one file with a view (see `page`) and one template. The folder is the registry.
"""

from headrace.dashboard.failed import failed, logged, wants_page
from headrace.dashboard.routes import methods, router

__all__ = ["failed", "logged", "methods", "router", "wants_page"]
