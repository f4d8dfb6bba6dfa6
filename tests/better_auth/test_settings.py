"""The settings that say where Better Auth keeps accounts."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from headrace.settings import Settings


def made(**values: object) -> Settings:
    return Settings(_env_file=None, **values)  # type: ignore[arg-type]


def test_it_is_off_until_it_is_asked_for() -> None:
    assert not made(better_auth_secret="of another program's").better_auth
    assert made(headrace_better_auth=True).better_auth
    assert made(better_auth_database_url="postgresql://there/app").better_auth


def test_columns_may_be_renamed() -> None:
    names = made(better_auth_columns='{"userId": "user_id"}').better_auth_names
    assert names["userId"] == "user_id"
    assert names["accountId"] == "accountId"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("userId=user_id", "Expecting value"),
        ('["userId"]', "object of texts"),
        ('{"userId": 1}', "object of texts"),
        ('{"user_id": "userId"}', "no column 'user_id'; it reads id, accountId"),
    ],
)
def test_columns_that_cannot_be_used_are_refused(text: str, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        made(better_auth_columns=text)
