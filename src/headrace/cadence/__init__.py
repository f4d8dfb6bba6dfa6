"""When something is to be done: what a person writes, and the moments that it means.

Nothing here knows the database: words and moments go in, moments come out.
"""
