"""Jupyter notebooks: their cells of Markdown, one after the other; code and what it printed are left out."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from nextvec.corpus.markup.markdown import read_markdown
from nextvec.corpus.prose import Prose, lost, visible
from nextvec.errors import DataError


def read_notebook(page: str) -> Prose:
    """The prose of the cells of Markdown. Raises DataError for what is no notebook."""
    cells = list(_cells(_parsed(page)))
    said = "\n\n".join(_source(cell) for cell in cells if cell.get("cell_type") == "markdown")
    prose = read_markdown(said)
    code = sum(visible(_source(cell)) for cell in cells if cell.get("cell_type") == "code")
    left_out = Counter(prose.left_out) + Counter(code=code)
    left_out["notebook"] = lost(page, prose.text) - left_out.total()
    return replace(prose, left_out=+left_out)


def _parsed(page: str) -> Any:
    try:
        return json.loads(page)
    except (ValueError, RecursionError) as error:
        raise DataError(f"it is no JSON, which a notebook is: {error}") from None


def _cells(notebook: Any) -> Iterator[Mapping[str, Any]]:
    """Also those of format 3, which are on worksheets."""
    sheets = [notebook, *(notebook.get("worksheets") or [])] if isinstance(notebook, dict) else []
    found = [sheet["cells"] for sheet in sheets if isinstance(sheet, dict) and isinstance(sheet.get("cells"), list)]
    if not found:
        raise DataError("it has no cells, which a notebook has. Is it another kind of JSON?")
    yield from (cell for cells in found for cell in cells if isinstance(cell, dict))


def _source(cell: Mapping[str, Any]) -> str:
    """One string or a list of lines; code of format 3 is its input."""
    source = cell.get("source", cell.get("input", ""))
    return "".join(map(str, source)) if isinstance(source, list) else str(source)
