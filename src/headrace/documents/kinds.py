"""The media types that are read here, and the endings and first bytes that name them."""

from __future__ import annotations

PDF = "application/pdf"
HTML = "text/html"
MARKDOWN = "text/markdown"
PLAIN = "text/plain"
MAIL = "message/rfc822"
RTF = "application/rtf"
NOTEBOOK = "application/x-ipynb+json"
DOC = "application/msword"
XLS = "application/vnd.ms-excel"
PPT = "application/vnd.ms-powerpoint"
MSG = "application/vnd.ms-outlook"
EPUB = "application/epub+zip"
_OPEN_XML = "application/vnd.openxmlformats-officedocument"
DOCX = f"{_OPEN_XML}.wordprocessingml.document"
XLSX = f"{_OPEN_XML}.spreadsheetml.sheet"
PPTX = f"{_OPEN_XML}.presentationml.presentation"
_OPEN = "application/vnd.oasis.opendocument"
ODT, ODS, ODP = f"{_OPEN}.text", f"{_OPEN}.spreadsheet", f"{_OPEN}.presentation"

OFFICE = frozenset({DOC, XLS, PPT, MSG, EPUB, DOCX, XLSX, PPTX, ODT, ODS, ODP, RTF})
"""What only a parser can read; a file so named that does not look so inside is mislabelled."""

BY_ENDING = {
    **dict.fromkeys(("htm", "html", "xhtml"), HTML),
    **dict.fromkeys(("md", "markdown", "mdx", "rmd", "qmd"), MARKDOWN),
    **dict.fromkeys(("docx", "docm", "dotx", "dotm"), DOCX),
    **dict.fromkeys(("xlsx", "xlsm", "xltx", "xltm"), XLSX),
    **dict.fromkeys(("pptx", "pptm", "ppsx", "potx"), PPTX),
    **dict.fromkeys(("tif", "tiff"), "image/tiff"),
    **dict.fromkeys(("jpg", "jpeg"), "image/jpeg"),
    **dict.fromkeys(("yaml", "yml"), "application/yaml"),
    "pdf": PDF,
    "doc": DOC,
    "xls": XLS,
    "ppt": PPT,
    "msg": MSG,
    "epub": EPUB,
    "odt": ODT,
    "ods": ODS,
    "odp": ODP,
    "rtf": RTF,
    "eml": MAIL,
    "ipynb": NOTEBOOK,
    "csv": "text/csv",
    "tsv": "text/tab-separated-values",
    "json": "application/json",
    "xml": "application/xml",
    "png": "image/png",
    "gif": "image/gif",
    "bmp": "image/bmp",
    "webp": "image/webp",
}

IMAGES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
)

ARCHIVE = ("an archive", "Unpack it, or give it where archives are opened.")
PROGRAM = ("a program", "Leave it out: programs hold no text to read.")
SOUND = ("sound or video", "Give a transcript of it instead.")
_DATABASE = ("a database", "Export what matters from it as CSV or JSON.")
REFUSED = (
    (b"\x1f\x8b", ARCHIVE),
    (b"BZh", ARCHIVE),
    (b"\xfd7zXZ\0", ARCHIVE),
    (b"7z\xbc\xaf\x27\x1c", ARCHIVE),
    (b"Rar!\x1a\x07", ARCHIVE),
    (b"\x28\xb5\x2f\xfd", ARCHIVE),
    (b"\x7fELF", PROGRAM),
    (b"\xcf\xfa\xed\xfe", PROGRAM),
    (b"\xca\xfe\xba\xbe", PROGRAM),
    (b"\0asm", PROGRAM),
    (b"ID3", SOUND),
    (b"OggS", SOUND),
    (b"fLaC", SOUND),
    (b"\x1a\x45\xdf\xa3", SOUND),
    (b"SQLite format 3\0", _DATABASE),
    (b"PAR1", _DATABASE),
    (b"!BDN", ("an Outlook data file", "Convert it to mbox and connect that as a mailbox.")),
)
"""First bytes of what is no document: what it is, and what to do about it."""
