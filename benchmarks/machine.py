"""What a number was measured on, and how: it means nothing without."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import psutil


def describe() -> str:
    """One line on this machine and its software."""
    memory = psutil.virtual_memory().total / (1 << 30)
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        model = names[0].split(":", 1)[1].strip() if names else model
    return (
        f"{os.cpu_count()} cores ({model}), {memory:.0f} GiB, {platform.system()}, "
        f"Python {platform.python_version()}"
    )


def server_cpu(postmaster: int) -> float:
    """CPU seconds PostgreSQL has used so far, all its processes, those that ended included."""
    main = psutil.Process(postmaster)
    spent = main.cpu_times()
    total = spent.user + spent.system + spent.children_user + spent.children_system
    for child in main.children(recursive=True):
        try:
            times = child.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return float(total)
