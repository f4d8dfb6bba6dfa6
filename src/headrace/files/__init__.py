"""Where files lie: what is there, how one tells that it has not changed, and its bytes."""

from headrace.files.place import Item, Place
from headrace.files.places import check_input, open_place

__all__ = ["Item", "Place", "check_input", "open_place"]
