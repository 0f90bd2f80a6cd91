"""Files of Word whose XML a test writes itself."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from xml.etree.ElementTree import Element, fromstring
from zipfile import ZipFile

import docx
import pytest

WORDS = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
MATH = "http://schemas.openxmlformats.org/officeDocument/2006/math"
STRICT = "http://purl.oclc.org/ooxml/wordprocessingml/main"
SPACES = f'xmlns:w="{WORDS}" xmlns:m="{MATH}"'


@pytest.fixture
def word() -> Callable[..., bytes]:
    """`word(body, styles="", strict=False)`: a DOCX with these paragraphs, and no other styles."""

    def make(body: str, styles: str = "", strict: bool = False) -> bytes:
        template = BytesIO()
        docx.Document().save(template)
        with ZipFile(template) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        spaces = SPACES.replace(WORDS, STRICT) if strict else SPACES
        parts["word/document.xml"] = f"<w:document {spaces}><w:body>{body}</w:body></w:document>".encode()
        parts["word/styles.xml"] = f"<w:styles {spaces}>{styles}</w:styles>".encode()
        made = BytesIO()
        with ZipFile(made, "w") as archive:
            for name, content in parts.items():
                archive.writestr(name, content)
        return made.getvalue()

    return make


@pytest.fixture
def formula() -> Callable[[str], Element]:
    """`formula(inside)`: an element of Word that holds it."""
    return lambda inside: fromstring(f"<m:oMath {SPACES}>{inside}</m:oMath>")
