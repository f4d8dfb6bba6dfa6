"""The owner of an account, sent to the issuer and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit
from urllib.request import Request as Ask

from starlette.testclient import TestClient
from tests.oauth.world import SCOPES, World, staying

if TYPE_CHECKING:
    from tests.api.conftest import House

CALENDAR = "google_calendar"
CALLBACK = "/connections/callback"
ADA, BOB = "ada@example.com", "bob@example.com"


class Browser:
    """The account's owner at the issuer, and back again."""

    def __init__(self, world: World, house: House, client: TestClient) -> None:
        self.world = world
        self.house = house
        self.client = client

    def connect(self, *providers: str, **more: Any) -> str:
        """The address at the issuer."""
        body = {"providers": list(providers or ["gmail"]), **more}
        answer = self.client.post("/api/connections/connect", json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["url"])

    def visit(self, address: str) -> str:
        """Where the issuer sends the browser."""
        return staying(Ask(address))

    def back(self, address: str) -> dict[str, str]:
        """What the issuer adds to the redirect address."""
        return dict(parse_qsl(urlsplit(self.visit(address)).query))

    def called(self, address: str) -> Any:
        """What the callback answers to a browser, which has no key."""
        return self.returns(self.back(address))

    def returns(self, said: dict[str, str]) -> Any:
        """The same, with any parameters."""
        nobody = TestClient(self.client.app, raise_server_exceptions=False)
        return nobody.get(CALLBACK, params=said, follow_redirects=False)

    def ticks(self, *providers: str, account: str = "") -> None:
        """What the owner allows from now on."""
        scopes = [scope for name in providers for scope in SCOPES[name]]
        self.world.ask("/admin/consent", {"scopes": scopes, "account": account})

    def connections(self) -> dict[str, dict[str, Any]]:
        """Every connection by its name."""
        items = self.client.get("/api/connections").json()["items"]
        return {one["name"]: one for one in items}


def keyed(house: House, *who: str) -> TestClient:
    """A client with a key, at the address that this machine is redirected to."""
    made = house.client(*who)
    made.base_url = "http://127.0.0.1"
    return made
