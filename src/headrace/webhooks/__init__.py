"""One message to one endpoint, by Standard Webhooks: what is sent, how it is signed, what it says.

Which messages there are, and when each is sent, the tables know: see `store.outbox` and
`engine.sender`.
"""
