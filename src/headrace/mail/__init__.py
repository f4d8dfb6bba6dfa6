"""Understanding one mail: bytes in, headers, addresses and plain text out. Pure, no I/O.

`message.parse` is the way in. The parsing is hand-written rather than `email.parser`'s because a
mailbox is hostile input: every loop here is bounded and linear, and the result does not change
with the Python version, which a versioned stage relies on.
"""
