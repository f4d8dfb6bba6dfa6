"""One user of the server in a process of its own, led through its pipes by the tests.

Prints the URL once it is in, leaves when its input ends, and then prints `left`. With `fork` it
has a forked child that outlives it and whose process id follows the URL.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from headrace.store.embedded import postgres


def forked_child() -> int:
    """A child that has all of our open files and ends with its parent's input."""
    pid = os.fork()
    if pid == 0:
        sys.stdin.read()
        os._exit(0)
    return pid


if __name__ == "__main__":
    with postgres(Path(sys.argv[1])) as url:
        child = forked_child() if sys.argv[2:] == ["fork"] else ""
        print(url, child, flush=True)
        if child:
            signal.pause()
        sys.stdin.read()
    print("left", flush=True)
