"""The dashboard: pages that the service draws, for those who run it and those whose data it holds.

A page is one file with a view (see `page`) and one template. The folder is the registry.
"""

from headrace.dashboard.connect import came_back
from headrace.dashboard.failed import failed, logged, wants_page
from headrace.dashboard.render import get_ready
from headrace.dashboard.routes import methods, router
from headrace.dashboard.said import back as say

__all__ = ["came_back", "failed", "get_ready", "logged", "methods", "router", "say", "wants_page"]
