"""For whom a caller may act: for its own tenant, and with the installation's own key for any."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from headrace.errors import NotFound
from headrace.store.database import Connection
from headrace.store.visit import Visit


def tenant_for(visitor: Visit, tenant: str | None, called: str = "tenant_id") -> str:
    """The tenant that is meant: the caller's own, or any that the installation's own key names.
    Raises NotFound for another's, whether there is one or not; `called` is where it was named."""
    own = visitor.caller.tenant
    if tenant is not None and tenant != own and not visitor.acts_for_all:
        raise NotFound(
            f"There is no tenant {tenant!r} for this key.",
            hint=f"Leave {called} out, or use a key of that tenant.",
        )
    return own if tenant is None else tenant


@contextmanager
def session_for(
    visitor: Visit, tenant: str | None, called: str = "tenant_id"
) -> Iterator[tuple[Connection, str]]:
    """A session for a tenant, and which one that is. Raises NotFound, see `tenant_for`."""
    meant = tenant_for(visitor, tenant, called)
    opened = visitor.session() if meant == visitor.caller.tenant else visitor.acting_for(meant)
    with opened as session:
        yield session, meant
