"""Benchmarks: run by `make bench-...`, never by the test suite. They write docs/benchmarks.md."""
