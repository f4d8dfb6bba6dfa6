"""Rows in the shapes of GitHub's API: the required fields of its OpenAPI description, and more."""
