"""Mail that was saved as text: heads, signatures and encodings are no text; what only looks like a head is."""

from __future__ import annotations

import pytest

from nextvec.corpus.markup.mail import read_letters
from nextvec.corpus.prose import visible

HEAD = "From: Ann <ann@example.org>\nTo: bob@example.org\nSubject: Re: The river\n"
SAID = "The river rises in the hills. It flows to the sea."
NEWS = "Path: a!b\nFrom: a@example.org (Ann)\nNewsgroups: alt.rivers\nSubject: rivers\nLines: 3\n"
CODED = "MIME-Version: 1.0\nContent-Type: {}; charset={}\nContent-Transfer-Encoding: {}\n"


@pytest.mark.parametrize(
    ("text", "paragraphs"),
    [
        (f"{HEAD}\n{SAID}\n\n-- \nAnn\nHead of Rivers\n", [SAID]),
        (f"From ann@example.org Mon Jan  1 10:00:00 2024\n{HEAD}\n{SAID}\n\n{NEWS}\n{SAID}\n", [SAID, SAID]),
        (f"{HEAD}\nOn Sun, Dec 31, 2023 at 5:00 PM Bob\n<bob@example.org> wrote:\n> {SAID}\n", [SAID]),
        (f"{NEWS}\nIn article <1@a.b> c@a.b (C) writes:\n>{SAID}\n\n{SAID}\n", [SAID, SAID]),
        (f"{HEAD}\n{SAID}\n\n ----- Original Message -----\n{HEAD}\n{SAID}\n", [SAID, SAID]),
        (
            f"{HEAD}{CODED.format('text/plain', 'utf-8', 'quoted-printable')}\nThe caf=C3=A9 is op=\nen today.\n",
            ["The café is open today."],
        ),
        (
            f"{HEAD}{CODED.format('text/html', 'odd-1', 'base64')}\nPHA+VGhlIHJpdmVyIGlzIGxvbmcgaGVyZS48L3A+\n",
            ["The river is long here."],
        ),
        (
            f'{HEAD}Content-Type: multipart/mixed; boundary="x"\n\n--x\nContent-Type: text/plain\n\n{SAID}\n\n'
            "--x\nContent-Type: image/png\nContent-Transfer-Encoding: base64\n\naGFsbG8=\n--x--\n",
            [SAID],
        ),
    ],
)
def test_of_mail_what_is_written_is_read_and_the_rest_counted(text: str, paragraphs: list[str]) -> None:
    prose = read_letters(text)
    assert prose.text.split("\n\n") == paragraphs
    assert visible(prose.text) + sum(prose.left_out.values()) == visible(text)
    assert prose.left_out["mail head"] >= visible(HEAD) - 5


@pytest.mark.parametrize(
    "text",
    [
        f"From: the beginning it was so.\nTo: the end it will be.\n\n{SAID}",
        f"ANN: Who is there?\nBOB: It is me.\nANN: Come in.\n\n{SAID}",
        f"{SAID}\n\n{HEAD}\n{SAID}",
    ],
)
def test_what_only_looks_like_mail_is_text(text: str) -> None:
    assert "mail head" not in read_letters(text).left_out
