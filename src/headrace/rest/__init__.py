"""A cursor-paginated API described by a small YAML file: the spec, its pages, its projection."""

from headrace.rest.environment import spec_from_environment
from headrace.rest.spec import RestSpec
from headrace.rest.specfile import load_spec, parse_spec

__all__ = ["RestSpec", "load_spec", "parse_spec", "spec_from_environment"]
