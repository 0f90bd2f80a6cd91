from __future__ import annotations

import pytest

from nextvec.corpus.markup.web_text import read_web_text
from nextvec.corpus.prose import visible

PROSE = "The river rises in the hills. It flows south for a week."
MORE = "Boats carry grain down to the port, and the return trip is slow."
MENU = "Home\nAbout us\nContact\nNews"


@pytest.mark.parametrize(
    ("page", "kept"),
    [
        (f"{MENU}\nThe river\n{PROSE}\n{MORE}\n{MENU}", ["The river", PROSE, MORE]),
        (f"The river\nA report\n{PROSE}", ["The river", "A report", PROSE]),
        (f"{PROSE}\nShare this\n© 2020 The Authors\nPrivacy policy\n", [PROSE]),
        (
            f"Sign in | Register\n{PROSE}\n{MORE}\nLeave a reply\nYour email address will not be published.",
            [PROSE, MORE],
        ),
        (f"{PROSE}\nPhoto: J. Doe\n{MORE}", [PROSE, MORE]),
        (f"{PROSE}\nRoses are red,\nViolets are blue,\nSugar is sweet;\nAnd so are you.", None),
        (MENU, ["Home", "About us", "Contact", "News"]),
        (
            "首页\n关于我们\n联系方式\n长江是亚洲最长的河流。它发源于青藏高原的雪山。",
            ["联系方式", "长江是亚洲最长的河流。它发源于青藏高原的雪山。"],
        ),
    ],
)
def test_menus_are_left_out(page: str, kept: list[str] | None) -> None:
    prose = read_web_text(page)
    assert prose.text.split("\n\n") == (page.split("\n") if kept is None else kept)
    assert visible(page) == visible(prose.text) + sum(prose.left_out.values())
