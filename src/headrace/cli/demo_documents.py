"""The documents of the demo: a small company's folder, in the forms that such folders have."""

from __future__ import annotations

import zipfile
from pathlib import Path

QUESTION = "Who compensates a customer for a broken delivery?"
"""Asked of the documents; none of its words that matter is in the one that answers."""
ANSWER = "handbook/shipping.md"

_TEXTS = {
    "handbook/shipping.md": """\
# Shipping

## Damage in transit

The carrier is liable for goods that arrive damaged, up to 500 euros a parcel. Report it within
seven days with photographs; the refund goes out the same week, whether the carrier has answered or
not.

## Times

Orders placed before two in the afternoon leave the same day. Saturdays count, Sundays do not.
""",
    "handbook/holidays.md": """\
# Time off

Everybody has 28 days a year. Ask your lead two weeks ahead for more than three days in a row. Days
that are not taken by the end of March lapse, unless illness was the reason.
""",
    "handbook/security.md": """\
# Accounts and laptops

Passwords live in the password manager and nowhere else. Laptops are encrypted. Whoever loses one
says so within the hour, at any time of day; nobody has ever been blamed for that.
""",
    "handbook/oncall.txt": """\
On call

One engineer a week. The pager rings for the shop being down, for payments failing, and for nothing
else. After a night call, the morning is free.
""",
    "finance/prices-2025.csv": """\
article,net,vat,gross
Board game night set,49.00,19 %,58.31
Travel chess,18.50,19 %,22.02
Deck of cards,6.20,19 %,7.38
""",
    "finance/budget.html": """\
<html><head><title>Budget 2026</title></head><body><h1>Budget 2026</h1>
<h2>Marketing</h2><p>Forty thousand euros, half of it for the autumn campaign.</p>
<h2>Hosting</h2><p>The bill has doubled in a year; the target is to bring it down by a third, mostly
by turning off what runs at night for nobody.</p></body></html>
""",
    "meetings/2026-02-03.md": """\
# Meeting, 3 February

- Lisbon: the fair is in May, two people go, flights are booked.
- The checkout error of last week came from an expired certificate; renewal is automatic now.
- Next: a decision about the second warehouse.
""",
}

_PARAGRAPHS = (
    "Minutes of the board",
    "The second warehouse will be rented in Porto from the first of June, for two years.",
    "The lease may be ended early against three months of rent.",
)
_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"


def write_documents(folder: Path) -> int:
    """Write them below `folder`; how many they are."""
    for name, text in _TEXTS.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")
    _write_word(folder / "meetings" / "board.docx", _PARAGRAPHS)
    return len(_TEXTS) + 1


def _write_word(target: Path, paragraphs: tuple[str, ...]) -> None:
    """The least that is a Word document."""
    body = "".join(f"<w:p><w:r><w:t>{one}</w:t></w:r></w:p>" for one in paragraphs)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "[Content_Types].xml",
            '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default'
            ' Extension="rels" ContentType='
            '"application/vnd.openxmlformats-package.relationships+xml"/><Override'
            ' PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-'
            'officedocument.wordprocessingml.document.main+xml"/></Types>',
        )
        archive.writestr(
            "_rels/.rels",
            '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
            f'<Relationship Id="r" Type="{_OFFICE}" Target="word/document.xml"/></Relationships>',
        )
        archive.writestr(
            "word/document.xml",
            f'<w:document xmlns:w="{_WORD}"><w:body>{body}</w:body></w:document>',
        )
