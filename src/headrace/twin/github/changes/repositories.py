"""Changes to whole repositories."""

from __future__ import annotations

from headrace.twin.github.changes.change import Change, Made
from headrace.twin.github.seeding import seed_repository
from headrace.twin.github.world import World
from headrace.twin.message import Refused


class RenameRepository(Change, frozen=True, kw_only=True, tag="rename_repo"):
    """Another name; the old one answers 301 until somebody takes it."""

    name: str

    def apply(self, world: World) -> Made:
        """Returns its `id`."""
        return _rename(self, world, None, self.name)


class TransferRepository(Change, frozen=True, kw_only=True, tag="transfer_repo"):
    """Another owner; the old name answers 301."""

    owner: str

    def apply(self, world: World) -> Made:
        """Returns its `id`."""
        return _rename(self, world, self.owner, None)


class MakePrivate(Change, frozen=True, kw_only=True, tag="make_private"):
    """Private, or with `private` false public."""

    private: bool = True

    def apply(self, world: World) -> Made:
        """Returns its `id`."""
        within = self.where(world)
        within.private, within.updated_s = self.private, world.clock.now()
        return {"id": within.id}


class DeleteRepository(Change, frozen=True, kw_only=True, tag="delete_repo"):
    """Gone, with all that is in it."""

    def apply(self, world: World) -> Made:
        """Returns its `id`."""
        within = self.where(world)
        world.remove(within)
        return {"id": within.id}


class AddRepository(Change, frozen=True, kw_only=True, tag="add_repo"):
    """A new repository: `repo` is its full name, `issues` how many it begins with."""

    private: bool = False
    issues: int = 0

    def apply(self, world: World) -> Made:
        """Returns its `id`."""
        owner, slash, name = str(self.repo).partition("/")
        if not slash or "/" in name:
            raise Refused(400, "A new repository needs a name such as owner/name.")
        _check_free(world, f"{owner}/{name}")
        row = seed_repository(world, owner, name, private=self.private, issues=self.issues)
        return {"id": row.id}


def _rename(change: Change, world: World, owner: str | None, name: str | None) -> Made:
    within = change.where(world)
    owner, name = owner or within.owner, name or within.name
    _check_free(world, f"{owner}/{name}")
    world.rename(within, owner, name)
    within.updated_s = world.clock.now()
    return {"id": within.id}


def _check_free(world: World, full_name: str) -> None:
    if world.named(full_name) is not None:
        raise Refused(400, f"There is a repository {full_name} already.")
