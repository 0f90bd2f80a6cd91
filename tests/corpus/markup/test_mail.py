"""Mail that was saved as text: heads, signatures and encodings are no text; what only looks like a head is."""

from __future__ import annotations

import pytest

from nextvec.corpus.markup.mail import in_utf8, read_letters
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


def test_what_a_message_quotes_from_one_before_it_is_said_once() -> None:
    """A sentence of a thread stood in it as often as it was answered."""
    first = f"{HEAD}\nThe river rises.\nIt flows.\n\n"
    second = f"{HEAD}\n> The river rises.\n>> It flows.\n> It is long, says nobody else.\n\nSo it is.\n"
    prose = read_letters(first + second)
    assert prose.text.split("\n\n")[-2:] == ["It is long, says nobody else.", "So it is."]
    assert prose.text.count("The river rises.") == prose.text.count("It flows.") == 1
    assert prose.left_out["quotation"] == visible(">The river rises.>>It flows.")
    assert visible(prose.text) + sum(prose.left_out.values()) == visible(first + second)


def message(said: str, label: str, encoding: str = "8bit") -> bytes:
    head = (
        f"From a@b.c Mon Jan  1 10:00:00 2024\n{HEAD}MIME-Version: 1.0\nContent-Type: text/plain;\n charset={label}\n"
    )
    return f"{head}Content-Transfer-Encoding: {encoding}\n\n{said}\n\n".encode(label)


def test_messages_of_an_archive_have_encodings_of_their_own() -> None:
    """Such an archive was refused for its first letter beyond ASCII; ISO 2022 was read as signs of ASCII."""
    said = ["Das Café war zu.", "Приехал он вчера.", "彼は来た。彼は見た。", "Un été est là."]
    labels = ["iso-8859-1", "koi8-r", "iso-2022-jp", "utf-8"]
    archive = b"".join(map(message, said, labels))
    prose = read_letters(in_utf8(archive).decode())
    assert prose.text.split("\n\n") == said


def test_parts_of_a_message_have_encodings_of_their_own() -> None:
    parts = [("Das Café war zu.", "iso-8859-1"), ("Un été est là.", "utf-8")]
    coded = b"".join(
        f"--x\nContent-Type: text/plain; charset={label}\n\n{text}\n".encode(label) for text, label in parts
    )
    letter = f'{HEAD}Content-Type: multipart/mixed; boundary="x"\n\n'.encode() + coded + b"--x--\n"
    assert read_letters(in_utf8(letter).decode()).text.split("\n\n") == [text for text, _ in parts]


@pytest.mark.parametrize(
    "content",
    [
        "Das Café war zu.\nContent-Type: text/plain; charset=utf-8\n".encode("latin-1"),
        message("so", "ascii").replace(b"so\n", b"caf\xe9\n"),
        message("so", "utf-8").replace(b"so\n", b"caf\xe9\n"),
        b"",
    ],
)
def test_what_is_no_mail_or_not_in_its_encoding_is_as_it_is(content: bytes) -> None:
    """ASCII is windows-1252 on the web."""
    assert in_utf8(content) == (content if b"ascii" not in content else content.replace(b"\xe9", b"\xc3\xa9"))
