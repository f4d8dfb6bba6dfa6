"""Memory engines of others: how each wants to be told of a record, and telling it.

A shape is a YAML file: one of `shapes/`, by name, or anybody's own, by its path. What is sent, and
what was sent, the stage `remember` knows.
"""
