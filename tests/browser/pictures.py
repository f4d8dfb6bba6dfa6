"""Pictures of the pages for the documentation: taken by the tests where `make screenshots` says."""

from __future__ import annotations

import base64
import io
import os
from pathlib import Path

from PIL import Image
from tests.browser.chromium import Driver

WANTED = "HEADRACE_SCREENSHOTS"
"""The folder that they are put into; unset: none are taken."""

_COLOURS = 128
"""Pages have few: with so many a picture is half as large, and looks the same."""


def take(driver: Driver, pattern: str, kind: str) -> None:
    """A picture of what the window shows, named by the page's address."""
    folder = os.environ.get(WANTED)
    if not folder:
        return
    found = driver.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})
    picture = Image.open(io.BytesIO(base64.b64decode(found["data"]))).convert("RGB")
    few = picture.quantize(_COLOURS, dither=Image.Dither.NONE)
    few.save(Path(folder) / f"{called(pattern)}-{kind}.png", optimize=True)


def called(pattern: str) -> str:
    """`/jobs/{job_id}` is `job`s page: `jobs-one`; the first page is `sources`."""
    parts = [one for one in pattern.strip("/").split("/") if one]
    words = ["one" if one.startswith("{") else one for one in parts]
    return "-".join(dict.fromkeys(words)) or "sources"
