"""The one HTTP client: the only place that retries, waits, caps and distrusts.

    client = Client("https://api.example.com/v1", headers={"X-API-Key": key})
    answer = await client.request("GET", "/events", params={"limit": "100"})

Everything else in Headrace asks through a `Client` and sees an `Answer` or one of the errors of
`headrace.errors`, never an exception of the library underneath.
"""

from headrace.http.answers import TROUBLE, Answer, Nonsense, error_for, require_json
from headrace.http.client import Bearer, Client
from headrace.http.links import next_link
from headrace.http.policy import GOOGLE, Clock, Policy

__all__ = [
    "GOOGLE",
    "TROUBLE",
    "Answer",
    "Bearer",
    "Client",
    "Clock",
    "Nonsense",
    "Policy",
    "error_for",
    "next_link",
    "require_json",
]
