"""`make bench-docs`: files to searchable chunks, beside the embedder alone and two peers.

All read the same files, embed with the same embedder and write to the same PostgreSQL, in turn,
round by round; what is printed and written are medians. Three runs each: everything is new, nothing
has changed, one file in a hundred has changed. Afterwards each one's table is looked at: a run that
left something out does not count, it ends the benchmark.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.docs_contenders import CEILING, HEADRACE, World, available
from benchmarks.docs_corpus import edit, generated, lay_out, own
from benchmarks.machine import describe
from headrace.embedding import embedder
from headrace.store.embedded import postgres

TARGET = Path(__file__).parent.parent / "docs" / "benchmarks.md"

EVERY = 100
RUNS = ("fresh", "unchanged", "1 % changed")
HEAD = (
    "| embedder | run | contender | seconds | of its fresh run | files/s | chunks | embedded |"
    " embedding, of the wall | client CPU s | server CPU s | peak RSS MB |\n"
    "|---|---|---|---|---|---|---|---|---|---|---|---|"
)

Texts = Callable[[], Iterable[tuple[str, str]]]
Found = dict[tuple[str, str], list[dict[str, float]]]


def one_round(world: World, names: list[str], kind: str, texts: Texts, found: Found) -> int:
    """Each contender's three runs over a new copy of the files; how many files that are."""
    with tempfile.TemporaryDirectory(prefix="headrace-docs-", dir=world.home) as place:
        folder = Path(place)
        folder.chmod(0o755)
        files = lay_out(folder, texts())
        edited: list[int] = []
        for name in names:
            world.begin(name)
        for run in RUNS:
            if run == RUNS[2]:
                edited = edit(files, EVERY)
            for name in names:
                measured = world.run(name, folder, kind)
                measured["chunks"] = world.check(name, len(files), edited)
                found[run, name].append(measured)
                print(f"  {kind:5} {run:11} {name:10} {measured['seconds']:8.2f} s", flush=True)
            if run == RUNS[0] and kind == "local":
                found[run, CEILING].append(world.run(CEILING, folder, kind))
        for name in names:
            world.end(name)
    return len(files)


def median(measured: list[dict[str, float]], key: str) -> float:
    """The median of one figure over the rounds."""
    return statistics.median(one[key] for one in measured)


def rows(kind: str, files: int, found: Found) -> list[str]:
    """The table's lines for one embedder."""
    lines = []
    for (run, name), measured in sorted(found.items(), key=lambda one: RUNS.index(one[0][0])):
        seconds = median(measured, "seconds")
        first = median(found[RUNS[0], name], "seconds")
        share = "" if run == RUNS[0] else f"{seconds / first:.1%}"
        chunks = "" if name == CEILING else f"{median(measured, 'chunks'):,.0f}"
        lines.append(
            f"| {kind} | {run} | {name} | {seconds:.2f} | {share} | {files / seconds:,.0f} |"
            f" {chunks} | {median(measured, 'embedded'):,.0f} |"
            f" {median(measured, 'embedding') / seconds:.0%} | {median(measured, 'cpu'):.1f} |"
            f" {median(measured, 'server'):.1f} | {median(measured, 'rss'):.0f} |"
        )
    return lines


def side_by_side(world: World, texts: Texts, n: int) -> list[str]:
    """The table of all contenders, and what the ceiling says of each."""
    lines = [f"### {len(list(texts())):,} files, medians of {n} interleaved rounds", "", HEAD]
    for kind in ("stub", "local"):
        found: Found = defaultdict(list)
        for _ in range(n):
            files = one_round(world, available(), kind, texts, found)
        lines += rows(kind, files, found)
    ceiling = found[RUNS[0], CEILING]
    least, chunks = median(ceiling, "seconds"), median(ceiling, "embedded")
    wall = median(found[RUNS[0], HEADRACE], "seconds")
    lines += [
        "",
        (
            f"The embedder alone takes {least:.1f} s for Headrace's {chunks:,.0f} different chunks"
            f" ({chunks / least:.0f} a second): {least / wall:.0%} of Headrace's fresh run is"
            f" embedding, {1 - least / wall:.0%} is everything else."
        ),
        index_share(found),
    ]
    return lines


def index_share(found: Found) -> str:
    """What of Headrace's first run was the index, which is made once, after the first job."""
    first = found[RUNS[0], HEADRACE]
    whole, job = median(first, "seconds"), median(first, "job")
    return f"Headrace's first job ended after {job:.1f} s; making the index took {whole - job:.1f}."


def at_scale(world: World, count: int) -> list[str]:
    """Headrace alone over many files, without the time of an embedder."""
    found: Found = defaultdict(list)
    one_round(world, [HEADRACE], "stub", lambda: generated(count), found)
    title = f"### Headrace alone, {count:,} files, once"
    return [title, "", HEAD, *rows("stub", count, found), "", index_share(found)]


def write(name: str, text: str) -> None:
    """Put the tables between their marks in docs/benchmarks.md."""
    page = TARGET.read_text("utf-8")
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    head, _, rest = page.partition(begin)
    TARGET.write_text(f"{head}{begin}\n{text}\n{end}{rest.partition(end)[2]}", "utf-8")


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=500, help="how many are made")
    parser.add_argument("--folder", type=Path, help="texts of your own instead")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", type=int, help="instead: Headrace alone over so many files")
    parser.add_argument("--no-write", action="store_true")
    wanted = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="headrace-bench-"))
    home.chmod(0o755)
    embedder(home=home)  # the model's file is made before anybody's time counts

    def texts() -> Iterable[tuple[str, str]]:
        return own(wanted.folder) if wanted.folder else generated(wanted.files)

    lines = [
        (
            f"Measured {datetime.now(UTC):%Y-%m-%d} on {describe()}, PostgreSQL embedded, fsync on,"
            " all on the same cores."
        ),
        "",
    ]
    with postgres(home / "postgres") as url:
        world = World(url, home)
        if wanted.scale:
            lines += at_scale(world, wanted.scale)
        else:
            lines += side_by_side(world, texts, wanted.rounds)
    text = "\n".join(lines)
    print(text)
    if not wanted.no_write:
        write("bench-docs-scale" if wanted.scale else "bench-docs", text)


if __name__ == "__main__":
    main()
