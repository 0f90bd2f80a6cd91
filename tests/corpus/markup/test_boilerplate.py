from __future__ import annotations

import pytest

from nextvec.corpus.markup.boilerplate import boilerplate, speaks_of_site
from nextvec.corpus.markup.html import read_html

SAID_OF_PAGES = {
    "footer": [
        *("© 2020 The Authors", "Copyright (c) 2019-2021 by A. Smith. All rights reserved.", "MIT © 2020 The authors"),
        *(
            "All rights reserved.",
            "This page was last updated on 12/11/98.",
            "Last modified: 5 May 2020",
            "Stand: 5.5.2020",
        ),
        *("Proudly powered by WordPress", "Made with Hugo.", "Desenvolvido pela equipe de TI"),
        *("Dernière mise à jour : 5 mai 2020", "Alle Rechte vorbehalten."),
    ],
    "note on versions": ["New in version 2.0.", "Changed in 3.11:", "Deprecated since version 1.2"],
    "navigation": [
        "Skip to main content",
        "Back to top",
        "Tags: river, boats",
        "Filed under: Food",
        "Read more...",
        *("Sign in | Register", "Log in", "Login / Sign up", "Sign in or create an account", "Anmelden | Registrieren"),
    ],
    "comments": [
        *("Leave a reply", "Leave a Reply Cancel reply", "Comments are closed.", "Schreibe einen Kommentar"),
        "Your email address will not be published.",
        "Your email address will not be published. Required fields are marked *",
        "Deine E-Mail-Adresse wird nicht veröffentlicht. Erforderliche Felder sind mit * markiert",
        "Notify me of new posts by email.",
    ],
    "byline": [
        *("Posted on 5 May 2020 by Jane", "By Jane Doe, 5 May 2020", "5 min read", "A. Reed¹ and B. Moss²"),
        *("Anna de la Cruz¹*, Bob Lee², and C. Poe¹,²", "Von Anna Meier, 5. Mai 2020"),
    ],
    "caption": ["Photo: J. Doe", "(Image credit: NASA)", "Foto: dpa", "Photo by Jane Doe"],
    "advertisement": ["Advertisement", "Subscribe to our weekly newsletter and miss nothing."],
    "notice": ["We use cookies to improve your experience. Accept all."],
}
TEXTS = [
    *(
        "Copyright is a right that authors have.",
        "The page was last updated by its author, who then died.",
        "Tags are words.",
    ),
    *("Leave a reply on the desk.", "He left a comment.", "Register the boat.", "Sign in the name of the king."),
    *(
        "By 1990 the river was dry. Nobody came.",
        "The rights are reserved for those who ask.",
        "Made with love, it was eaten.",
    ),
    *(
        "He read more than she did.",
        "Photo albums were found.",
        "New in town, he asked the way.",
        "Back to the river they went.",
    ),
    *(
        "Published in 1990, the book was a success.",
        "By the time he came in 1990, she had left.",
        "We use cookies in tea",
    ),
]


@pytest.mark.parametrize(
    ("reason", "text"), [(reason, text) for reason, said in SAID_OF_PAGES.items() for text in said]
)
def test_what_pages_say_of_themselves(reason: str, text: str) -> None:
    assert boilerplate(text) == reason


@pytest.mark.parametrize("text", TEXTS)
def test_what_begins_alike_and_is_text(text: str) -> None:
    assert boilerplate(text) == ""


def test_a_notice_speaks_of_the_site_in_most_of_its_sentences() -> None:
    notice = "We and our partners store data. You may change your settings. Read our privacy policy."
    assert speaks_of_site(notice)
    assert speaks_of_site("このサイトはクッキーを使います。")
    assert not speaks_of_site("Mix the butter. Add the eggs. Bake it, and share it on this site.")


def test_a_long_paragraph_is_text() -> None:
    assert boilerplate("© 2020 " + "The law of copyright is old. " * 20) == ""


def test_sentences_that_are_links_as_a_whole_are_titles_of_other_pages() -> None:
    text = "<p>The river rises in the hills. It flows <a href=x>south</a>, past the town and to the sea.</p>"
    titles = "<ul><li><a href=a>The river floods again.</a></li><li><a href=b>Boats are late again today.</a></li></ul>"
    assert "Boats" not in read_html(text + titles).text
    assert "Boats" in read_html(titles).text
