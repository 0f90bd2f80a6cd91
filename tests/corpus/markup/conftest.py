"""Files of Word whose XML a test writes itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from io import BytesIO
from types import MappingProxyType
from xml.etree.ElementTree import Element, fromstring
from zipfile import ZipFile

import docx
import pytest

WORDS = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
MATH = "http://schemas.openxmlformats.org/officeDocument/2006/math"
STRICT = "http://purl.oclc.org/ooxml/wordprocessingml/main"
OTHERS = (
    'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" xmlns:v="urn:schemas-microsoft-com:vml" '
    'xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape" '
    'xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing" '
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
)
SPACES = f'xmlns:w="{WORDS}" xmlns:m="{MATH}" {OTHERS}'


@pytest.fixture
def word() -> Callable[..., bytes]:
    """`word(body, styles="", strict=False, parts={})`: a DOCX with these paragraphs, and no other styles; and with
    `parts` by name, in which NS stands for the names of spaces."""

    def make(
        body: str, styles: str = "", strict: bool = False, parts: Mapping[str, str | bytes] = MappingProxyType({})
    ) -> bytes:
        template = BytesIO()
        docx.Document().save(template)
        with ZipFile(template) as archive:
            written = {name: archive.read(name) for name in archive.namelist()}
        spaces = SPACES.replace(WORDS, STRICT) if strict else SPACES
        written["word/document.xml"] = f"<w:document {spaces}><w:body>{body}</w:body></w:document>".encode()
        written["word/styles.xml"] = f"<w:styles {spaces}>{styles}</w:styles>".encode()
        for name, part in parts.items():
            written[name] = part if isinstance(part, bytes) else part.replace("NS", spaces).encode()
        made = BytesIO()
        with ZipFile(made, "w") as archive:
            for name, content in written.items():
                archive.writestr(name, content)
        return made.getvalue()

    return make


@pytest.fixture
def formula() -> Callable[[str], Element]:
    """`formula(inside)`: an element of Word that holds it."""
    return lambda inside: fromstring(f"<m:oMath {SPACES}>{inside}</m:oMath>")
