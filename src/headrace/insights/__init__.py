"""Kinds of insight: this folder is the registry."""
