"""Files to text: any document's bytes, read in a child process that may die of them.

    with Parsers(processes=2) as parsers:
        reading = parsers.read("report.pdf", content)

A bad file is `Skip`, whatever it does to the parser; the pool goes on.
"""

from headrace.documents.media import sniff
from headrace.documents.pool import Parsers
from headrace.documents.reading import Heading, ParserOptions, Reading
from headrace.documents.tools import TOOLS

__all__ = ["TOOLS", "Heading", "ParserOptions", "Parsers", "Reading", "sniff"]
