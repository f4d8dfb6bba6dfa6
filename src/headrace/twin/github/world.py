"""Every repository there is, found by number, by name, and by the names they had before."""

from __future__ import annotations

from headrace.twin.github.clock import Clock
from headrace.twin.github.rows import Repository


class World:
    """The state of one twin. Numbers are given out in order, so the same changes make the same.

    `people` are the members of the organization; the first one is the twin's own account.
    """

    def __init__(self, seed: int, clock: Clock, people: tuple[str, ...], organization: str) -> None:
        self.seed = seed
        self.clock = clock
        self.people = people
        self.organization = organization
        self.repositories: dict[int, Repository] = {}
        self._names: dict[str, int] = {}
        self._former: dict[str, int] = {}
        self._last_id = 1_000

    def next_id(self) -> int:
        """A number nothing else here has."""
        self._last_id += 1
        return self._last_id

    def add(self, repository: Repository) -> None:
        """Put a new repository into the world."""
        self.repositories[repository.id] = repository
        self._names[_key(repository.full_name)] = repository.id

    def named(self, full_name: str) -> Repository | None:
        """The repository that has this name now. GitHub does not tell case apart."""
        number = self._names.get(_key(full_name))
        return None if number is None else self.repositories[number]

    def formerly(self, full_name: str) -> Repository | None:
        """The repository that had this name before, unless another one has taken it."""
        return self.repositories.get(self._former.get(_key(full_name), 0))

    def rename(self, repository: Repository, owner: str, name: str) -> None:
        """Give it another name or owner; the old name leads here from now on."""
        old = _key(repository.full_name)
        del self._names[old]
        self._former[old] = repository.id
        repository.owner, repository.name = owner, name
        self._names[_key(repository.full_name)] = repository.id

    def remove(self, repository: Repository) -> None:
        """Delete a repository with everything in it."""
        del self.repositories[repository.id]
        del self._names[_key(repository.full_name)]


def _key(full_name: str) -> str:
    return full_name.lower()
