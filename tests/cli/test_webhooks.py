"""`headrace webhooks`: as the person at the machine keeps them."""

from __future__ import annotations

from tests.cli.command import House
from tests.webhooks.receiver import Receiver


def test_added_tested_looked_at_and_removed(house: House) -> None:
    """The operator may name an address on this machine; `test` says what it answers."""
    with Receiver().serving() as receiver:
        added = house.json("webhooks", "add", receiver.url, "--event", "job.failed", "--name", "me")
        receiver.secrets = [added["secret"]]
        [row] = house.json("webhooks", "list")
        assert row["events"] == ["job.failed"]
        assert "secret" not in str(row)
        assert house.look("webhooks", "test", "me").ok().out.startswith("It answered 200 after ")
        receiver.answers = lambda _: 500
        failed = house.look("webhooks", "test", "me")
        assert failed.code == 1
        assert "It was not taken: 500 heard" in failed.out
        receiver.secrets.append(house.json("webhooks", "rotate", "me")["secret"])
        receiver.answers = lambda _: 200
        house.look("webhooks", "test", "me").ok()  # which was signed with both
        [*_, first] = house.json("webhooks", "deliveries", "me")
        assert (first["event"], first["state"]) == ("webhook.test", "delivered")
        assert "webhook.test" in house.look("webhooks", "deliveries", "--state", "pending").ok().out
        again = house.look("webhooks", "redeliver", str(first["delivery_id"])).ok()
        assert again.out == "1 message is sent again.\n"
        assert house.json("webhooks", "redeliver", "--failed", "me") == {"redelivered": 0}
        assert house.look("webhooks", "pause", "me").ok().out == "me is paused.\n"
        assert house.json("webhooks", "resume", "me")["paused"] is False
        assert house.look("webhooks", "remove", "me").ok().out == "me is told nothing any more.\n"
        assert house.json("webhooks", "deliveries") == []


def test_what_cannot_be_is_refused(house: House) -> None:
    house.look("webhooks", "add", "https://example.com", "--event", "job.lost").refused(
        64, "no event", r"job\.failed|job\.succeeded"
    )
    house.look("webhooks", "test", "nobody").refused(64, "no webhook", "list")
