"""The queues as others see them: how much waits, how long, and whether anybody is there."""

from __future__ import annotations

from headrace.engine.alive import workers_alive
from headrace.engine.queues import QUEUES
from headrace.engine.waiting import MOST, Waiting, look

__all__ = ["MOST", "QUEUES", "Waiting", "look", "workers_alive"]
