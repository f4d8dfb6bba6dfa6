"""Real files of every kind, made by hand: small, valid, and without a library of the format."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Sequence
from xml.sax.saxutils import escape

_RELATED = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
_KIND = "application/vnd.openxmlformats-officedocument"
_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_SLIDE = "http://schemas.openxmlformats.org/presentationml/2006/main"
_DRAWN = "http://schemas.openxmlformats.org/drawingml/2006/main"
_MATH = "http://schemas.openxmlformats.org/officeDocument/2006/math"
ODP = "application/vnd.oasis.opendocument.presentation"
_OPEN = "urn:oasis:names:tc:opendocument:xmlns"


def packed(members: dict[str, str | bytes], *, first: tuple[str, str] | None = None) -> bytes:
    """A zip of these members; `first` is stored unpacked at the front, as epub and odt want it."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        if first is not None:
            archive.writestr(zipfile.ZipInfo(first[0]), first[1])
        for name, content in members.items():
            archive.writestr(name, content)
    return target.getvalue()


def _types(parts: dict[str, str]) -> str:
    own = "".join(
        f'<Override PartName="/{part}" ContentType="{_KIND}.{kind}+xml"/>'
        for part, kind in parts.items()
    )
    return (
        f'<Types xmlns="{_TYPES}"><Default Extension="rels" ContentType='
        '"application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{own}</Types>'
    )


def _relations(targets: Sequence[tuple[str, str]]) -> str:
    own = "".join(
        f'<Relationship Id="rId{number}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(targets, 1)
    )
    return f'<Relationships xmlns="{_RELATED}">{own}</Relationships>'


def docx(paragraphs: Sequence[str], *, heading: str = "Report", body: str = "") -> bytes:
    """A Word document: one heading, then these paragraphs, then the XML `body` as it stands."""
    own = "".join(f"<w:p><w:r><w:t>{escape(one)}</w:t></w:r></w:p>" for one in paragraphs)
    styled = (
        f'<w:p><w:pPr><w:pStyle w:val="Heading1"/></w:pPr><w:r><w:t>{heading}</w:t></w:r></w:p>'
    )
    style = (
        f'<w:styles xmlns:w="{_WORD}"><w:style w:type="paragraph" w:styleId="Heading1">'
        '<w:name w:val="heading 1"/><w:pPr><w:outlineLvl w:val="0"/></w:pPr></w:style></w:styles>'
    )
    kinds = {
        "word/document.xml": "wordprocessingml.document.main",
        "word/styles.xml": "wordprocessingml.styles",
    }
    return packed(
        {
            "[Content_Types].xml": _types(kinds),
            "_rels/.rels": _relations([("officeDocument", "word/document.xml")]),
            "word/_rels/document.xml.rels": _relations([("styles", "styles.xml")]),
            "word/styles.xml": style,
            "word/document.xml": f'<w:document xmlns:w="{_WORD}"><w:body>{styled}{own}{body}'
            "</w:body></w:document>",
        }
    )


def xlsx(rows: Sequence[Sequence[str]]) -> bytes:
    """A workbook of one sheet, "Sums", whose cells are all text."""
    cells = "".join(
        "<row>"
        + "".join(f'<c t="inlineStr"><is><t>{escape(cell)}</t></is></c>' for cell in row)
        + "</row>"
        for row in rows
    )
    kinds = {
        "xl/workbook.xml": "spreadsheetml.sheet.main",
        "xl/worksheets/sheet1.xml": "spreadsheetml.worksheet",
    }
    return packed(
        {
            "[Content_Types].xml": _types(kinds),
            "_rels/.rels": _relations([("officeDocument", "xl/workbook.xml")]),
            "xl/_rels/workbook.xml.rels": _relations([("worksheet", "worksheets/sheet1.xml")]),
            "xl/workbook.xml": f'<workbook xmlns="{_SHEET}" xmlns:r="{_OFFICE}"><sheets>'
            '<sheet name="Sums" sheetId="1" r:id="rId1"/></sheets></workbook>',
            "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{_SHEET}"><sheetData>{cells}'
            "</sheetData></worksheet>",
        }
    )


def pptx(slides: Sequence[str]) -> bytes:
    """A presentation: one text box a slide."""
    names = [f"slides/slide{number}.xml" for number in range(1, len(slides) + 1)]
    listed = "".join(
        f'<p:sldId id="{255 + number}" r:id="rId{number}"/>' for number in range(1, len(slides) + 1)
    )
    members: dict[str, str | bytes] = {
        "[Content_Types].xml": _types(
            {"ppt/presentation.xml": "presentationml.presentation.main"}
            | {f"ppt/{name}": "presentationml.slide" for name in names}
        ),
        "_rels/.rels": _relations([("officeDocument", "ppt/presentation.xml")]),
        "ppt/_rels/presentation.xml.rels": _relations([("slide", name) for name in names]),
        "ppt/presentation.xml": f'<p:presentation xmlns:p="{_SLIDE}" xmlns:r="{_OFFICE}">'
        f"<p:sldIdLst>{listed}</p:sldIdLst></p:presentation>",
    }
    for name, text in zip(names, slides, strict=True):
        members[f"ppt/{name}"] = (
            f'<p:sld xmlns:p="{_SLIDE}" xmlns:a="{_DRAWN}"><p:cSld><p:spTree><p:sp><p:nvSpPr>'
            '<p:cNvPr id="2" name="Box"/></p:nvSpPr><p:txBody><a:p><a:r>'
            f"<a:t>{escape(text)}</a:t></a:r></a:p></p:txBody></p:sp></p:spTree></p:cSld></p:sld>"
        )
    return packed(members)


def epub(chapters: Sequence[str]) -> bytes:
    """A book: each chapter is the body of an XHTML page."""
    names = [f"c{number}.xhtml" for number in range(len(chapters))]
    manifest = "".join(
        f'<item id="{name}" href="{name}" media-type="application/xhtml+xml"/>' for name in names
    )
    spine = "".join(f'<itemref idref="{name}"/>' for name in names)
    members: dict[str, str | bytes] = {
        "META-INF/container.xml": '<container version="1.0" '
        'xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile '
        'full-path="book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>',
        "book.opf": '<package xmlns="http://www.idpf.org/2007/opf" version="3.0"><metadata '
        'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>The Weir</dc:title></metadata>'
        f"<manifest>{manifest}</manifest><spine>{spine}</spine></package>",
    }
    for name, body in zip(names, chapters, strict=True):
        members[name] = (
            '<html xmlns="http://www.w3.org/1999/xhtml"><head><title>t</title></head>'
            f"<body>{body}</body></html>"
        )
    return packed(members, first=("mimetype", "application/epub+zip"))


def odt(paragraphs: Sequence[str]) -> bytes:
    """An OpenDocument text."""
    return _open_document("text", "".join(f"<text:p>{escape(one)}</text:p>" for one in paragraphs))


def odp(slides: Sequence[str]) -> bytes:
    """An OpenDocument presentation."""
    pages = "".join(f"<draw:page><text:p>{escape(one)}</text:p></draw:page>" for one in slides)
    return _open_document("presentation", pages)


def _open_document(kind: str, body: str) -> bytes:
    spaces = " ".join(
        f'xmlns:{short}="{_OPEN}:{name}:1.0"'
        for short, name in (("office", "office"), ("text", "text"), ("draw", "drawing"))
    )
    return packed(
        {
            "META-INF/manifest.xml": f'<manifest xmlns="{_OPEN}:manifest:1.0"/>',
            "content.xml": f"<office:document-content {spaces}><office:body><office:{kind}>{body}"
            f"</office:{kind}></office:body></office:document-content>",
        },
        first=("mimetype", f"application/vnd.oasis.opendocument.{kind}"),
    )


def pdf(pages: Sequence[str], *, trailer: str = "", info: str = "", outline: str = "") -> bytes:
    """A PDF with one line of text a page ("": a page without any).

    `trailer` and `info` are added to those dictionaries; `outline` names the last page.
    """
    count = len(pages)
    last = 4 + 2 * count  # the number of the next object
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(count))
    objects = [
        f"<< /Type /Catalog /Pages 2 0 R /Outlines {last + 1} 0 R >>",
        f"<< /Type /Pages /Count {count} /Kids [{kids}] /MediaBox [0 0 600 200] >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for number, text in enumerate(pages):
        drawn = f"BT /F1 12 Tf 20 100 Td ({text}) Tj ET" if text else "0 0 10 10 re f"
        fonts = "/Resources << /Font << /F1 3 0 R >> >>"
        objects += [
            f"<< /Type /Page /Parent 2 0 R {fonts} /Contents {5 + 2 * number} 0 R >>",
            f"<< /Length {len(drawn)} >>\nstream\n{drawn}\nendstream",
        ]
    objects += [
        f"<< {info} >>",
        f"<< /First {last + 2} 0 R /Last {last + 2} 0 R /Count 1 >>" if outline else "<< >>",
        f"<< /Title ({outline}) /Parent {last + 1} 0 R /Dest [{last - 2} 0 R /Fit] >>",
    ]
    out, offsets = "%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n{content}\nendobj\n"
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    out += (
        f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}trailer\n<< /Size "
        f"{len(objects) + 1} /Root 1 0 R /Info {last} 0 R {trailer} >>\n"
        f"startxref\n{len(out)}\n%%EOF\n"
    )
    return out.encode("latin-1")


def fraction(depth: int) -> str:
    """A formula for `docx`'s body: fractions over fractions, this many deep."""
    inside = "<m:f><m:num>" * depth + "<m:r><m:t>x</m:t></m:r>" + "</m:num></m:f>" * depth
    return f'<w:p><m:oMath xmlns:m="{_MATH}">{inside}</m:oMath></w:p>'


def lying(archive: bytes, size: int) -> bytes:
    """The same zip; its directory claims that size for every member."""
    return patched(archive, 24, size)


def widened(archive: bytes, members: int) -> bytes:
    """The same zip with a ZIP64 end record, which says that it has that many members."""
    end = archive.rfind(b"PK\5\6")
    length, offset = struct.unpack_from("<2L", archive, end + 12)
    wide = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, members, members, length, offset)
    return archive[:end] + wide + struct.pack("<4sLQL", b"PK\6\7", 0, end, 1) + archive[end:]


def overlapping(archive: bytes) -> bytes:
    """The same zip; its directory says that every member stands where the first one does."""
    return patched(archive, 42, 0)


def patched(archive: bytes, field: int, value: int) -> bytes:
    """The same zip with this number at that offset of every entry in its directory."""
    result, at = bytearray(archive), archive.find(b"PK\1\2")
    while at >= 0:
        result[at + field : at + field + 4] = value.to_bytes(4, "little")
        at = archive.find(b"PK\1\2", at + 1)
    return bytes(result)


def locked_pdf() -> bytes:
    """A PDF that asks for a password: no password fits its keys."""
    keys = f"/O <{'ab' * 32}> /U <{'cd' * 32}>"
    return pdf(
        ["hidden"],
        trailer=f"/Encrypt << /Filter /Standard /V 1 /R 2 {keys} /P -4 >> /ID [<00> <00>]",
    )


def png() -> bytes:
    """A white picture of 40 x 20."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    size = struct.pack(">IIBBBBB", 40, 20, 8, 0, 0, 0, 0)
    dots = zlib.compress((b"\0" + b"\xff" * 40) * 20)
    parts = chunk(b"IHDR", size) + chunk(b"IDAT", dots) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def eml(body: str, *, kind: str = "text/plain") -> bytes:
    """A message of one part, quoted-printable in Latin-1."""
    return (
        "From: Ada <ada@example.org>\r\nTo: bob@example.org\r\nSubject: The weir\r\n"
        "Date: Mon, 02 Mar 2026 09:00:00 +0000\r\nMIME-Version: 1.0\r\n"
        f"Content-Type: {kind}; charset=iso-8859-1\r\n"
        f"Content-Transfer-Encoding: quoted-printable\r\n\r\n{body}\r\n"
    ).encode()
