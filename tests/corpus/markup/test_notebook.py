"""Notebooks: Markdown is read, the rest counted."""

from __future__ import annotations

import json

import pytest

from nextvec.corpus.markup.notebook import read_notebook
from nextvec.corpus.prose import visible
from nextvec.corpus.sources import open_source
from nextvec.errors import DataError

CELLS = [
    {"cell_type": "markdown", "source": ["# Rivers\n", "\n", "They rise in the hills. They flow."]},
    {"cell_type": "code", "source": "x = 1", "outputs": [{"text": "It is printed."}]},
    {"cell_type": "markdown", "source": "They end in the sea."},
]


@pytest.mark.parametrize("notebook", [{"cells": CELLS}, {"worksheets": [{"cells": CELLS}]}])
def test_cells_of_markdown_are_read_and_the_rest_counted(notebook: dict[str, object]) -> None:
    page = json.dumps(notebook)
    prose = read_notebook(page)
    assert (prose.title, prose.text) == ("Rivers", "They rise in the hills. They flow.\n\nThey end in the sea.")
    assert [heading.text for heading in prose.headings] == ["Rivers"]
    assert prose.left_out["code"] == 3
    assert visible(prose.text) + sum(prose.left_out.values()) == visible(page)


@pytest.mark.parametrize("page", ["no JSON", "[1]", '{"a": 1}', '{"cells": 1}'])
def test_what_is_no_notebook_is_refused(page: str) -> None:
    with pytest.raises(DataError, match="which a notebook"):
        read_notebook(page)


def test_a_file_is_known_by_its_ending(tmp_path) -> None:
    (tmp_path / "a.ipynb").write_text(json.dumps({"cells": CELLS}))
    (tmp_path / "b.ipynb").write_text("{}")
    found = list(open_source(str(tmp_path)).documents())
    assert [getattr(one, "text", getattr(one, "reason", ""))[:12] for one in found] == ["They rise in", "is no notebo"]
