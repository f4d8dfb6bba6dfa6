"""Commits as a graph: what a branch contains, in which order, and how two of them differ."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from headrace.twin.github.rows import Commit, Repository


@dataclass(frozen=True, slots=True)
class Comparison:
    """What `head` has beside `base`, oldest first, and how many commits it lacks of it."""

    merge_base: Commit
    ahead: list[Commit]
    behind: int

    @property
    def status(self) -> str:
        """GitHub's word for it."""
        if self.ahead:
            return "diverged" if self.behind else "ahead"
        return "behind" if self.behind else "identical"


def make_commit(
    message: str,
    author: tuple[str, int],
    committer: tuple[str, int],
    parents: tuple[str, ...],
) -> Commit:
    """A commit, whose sha follows from all that it says. A person is a login and a date."""
    said = repr((message, author, committer, parents)).encode()
    return Commit(sha256(said).hexdigest()[:40], message, *author, *committer, parents)


def resolve(repository: Repository, name: str) -> Commit | None:
    """The commit a branch or a sha stands for. Commits no branch leads to are still there."""
    return repository.commits.get(repository.branches.get(name.removeprefix("refs/heads/"), name))


def reachable(repository: Repository, tips: Iterable[str]) -> set[str]:
    """The shas of these commits and of everything before them."""
    seen: set[str] = set()
    waiting = list(tips)
    while waiting:
        sha = waiting.pop()
        if sha not in seen:
            seen.add(sha)
            waiting += repository.commits[sha].parents
    return seen


def log(repository: Repository, tip: str) -> list[Commit]:
    """Everything from `tip` back: children before parents, of several the latest committed first.

    A commit with an old date thus stands where it was pushed, not where its date belongs.
    """
    inside = reachable(repository, [tip])
    children = dict.fromkeys(inside, 0)
    for sha in inside:
        for parent in repository.commits[sha].parents:
            children[parent] += 1
    ready = [(-repository.commits[tip].committer_s, tip)]
    ordered = []
    while ready:
        _, sha = heapq.heappop(ready)
        commit = repository.commits[sha]
        ordered.append(commit)
        for parent in commit.parents:
            children[parent] -= 1
            if not children[parent]:
                heapq.heappush(ready, (-repository.commits[parent].committer_s, parent))
    return ordered


def compare(repository: Repository, base: str, head: str) -> Comparison | None:
    """How head stands to base, or None if they have no commit in common."""
    of_base, of_head = reachable(repository, [base]), reachable(repository, [head])
    backwards = log(repository, head)
    merge_base = next((one for one in backwards if one.sha in of_base), None)
    if merge_base is None:
        return None
    ahead = [one for one in backwards if one.sha not in of_base]
    return Comparison(merge_base, ahead[::-1], len(of_base - of_head))
