"""Headings of plain text: what is surely one stands beside the text, what only might be stays in it."""

import pytest

from nextvec.corpus.markup.plain import read_plain
from nextvec.corpus.markup.plain_headings import read_text
from nextvec.corpus.prose import visible

PROSE = "The river rises in the hills. It falls into the sea."


def headings(text):
    return [(one.level, one.text) for one in read_text(text).headings]


@pytest.mark.parametrize(
    ("line", "level"),
    [
        ("CHAPTER IV", 3),
        ("CHAPTER XLIX.", 3),
        ("Chapter cxii: The End", 3),
        ("Chapter 12: The Return", 3),
        ("CHAPTER I. OF THE DIVISION OF LABOUR.", 3),
        ("Chapter Twenty-Two", 3),
        ("BOOK THE SECOND", 1),
        ("PART TWO", 2),
        ("Kapitel 3", 3),
        ("Глава 7. Возвращение", 3),
        ("1. Introduction", 1),
        ("§ 12 Geltungsbereich", 4),
        ("Article 5", 4),
        ("Artikel 12. Freiheit der Wahl", 4),
        ("2.1 Scope of the work", 2),
        ("3.2.1. Methods", 3),
        ("THE WEALTH OF NATIONS", 3),
    ],
)
def test_a_line_by_itself_above_text_is_one(line, level):
    prose = read_text(f"{PROSE}\n\n{line}\n\n{PROSE}")
    assert [(one.level, one.text) for one in prose.headings] == [(level, line)]
    assert prose.headings[0].start == len(PROSE) + 2
    assert prose.text == f"{PROSE}\n\n{PROSE}"


@pytest.mark.parametrize(
    "line",
    [
        "Part 2 of the plan failed.",
        "Section 8 housing is a matter of the state",
        "Article 5 of the treaty",
        "§ 5 and what follows from it",
        "Act now, or lose it",
        "Chapter and verse",
        "Act civil",
        "Part mild",
        "1. The first is that nobody came.",
        "12 January 1900",
        "60 Furman Street, Brooklyn",
        "3.5 million people live there",
        "Dear Sir,",
        "OK",
        "WHAT IS THIS?",
        "A line that ends without a stop",
        "5. the small letter goes on",
        "1984",
    ],
)
def test_what_only_looks_like_one_stays_text(line):
    text = f"{PROSE}\n\n{line}\n\n{PROSE}"
    assert read_text(text) == read_plain(text)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_what_is_underlined_is_one_by_the_order_of_the_rules(end):
    lines = ["=====", "Title", "=====", "", PROSE, "", "First", "-----", PROSE, "", "Second", "------", "", PROSE, "",
             "Deeper, with a comma.", "~~~~~~~~~~~~~~~~~~~~~", "", PROSE]  # fmt: skip
    found = headings(end.join(lines))
    assert found == [(1, "Title"), (2, "First"), (2, "Second"), (3, "Deeper, with a comma.")]
    assert read_text(end.join(lines)).text.count("river") == 4


@pytest.mark.parametrize(
    "text",
    [
        f"{PROSE}\n-----\n\n{PROSE}",
        f"{PROSE}\n\nJohn\n{'-' * 70}\n\n{PROSE}",
        f"Two lines of a paragraph\nthat has a rule\n---------------\n\n{PROSE}",
        f"{PROSE}\n\n* * *\n\n{PROSE}",
        f"{PROSE}\n\n--------\n========\n\n{PROSE}",
    ],
)
def test_a_rule_that_is_no_underline_makes_none(text):
    assert headings(text) == []


def test_items_of_a_list_are_none():
    items = "\n\n".join(["1. Apples", "2. Oranges", "3. Pears"])
    assert headings(f"{PROSE}\n\n{items}\n\n{PROSE}") == []


def test_sections_below_sections_are():
    assert headings(f"2. Background\n\n2.1 Scope\n\n{PROSE}") == [(1, "2. Background"), (2, "2.1 Scope")]


def test_a_clause_that_leads_on_is_text_below_one():
    clause = f"1.1 {'In this agreement the following terms ' * 3}mean:"
    text = f"TERMS AND CONDITIONS\n\n1. DEFINITIONS\n\n{clause}\n\n(a) this; and"
    assert headings(text) == [(3, "TERMS AND CONDITIONS"), (1, "1. DEFINITIONS")]


def test_an_article_of_law_has_its_name_below_its_number():
    text = f"Article 1\n\nScope\n\nThis law applies to rivers:\n\n(a) in the hills; and\n\nArticle 2\n\nSea\n\n{PROSE}"
    assert headings(text) == [(4, "Article 1"), (5, "Scope"), (4, "Article 2"), (5, "Sea")]


def test_a_chapter_has_its_name_below_its_number():
    text = f"CHAPTER I\n\nDown the Rabbit-Hole\n\n{PROSE}\n\nDown the Rabbit-Hole\n\n{PROSE}"
    assert headings(text) == [(3, "CHAPTER I"), (4, "Down the Rabbit-Hole")]
    assert "Down the Rabbit-Hole" in read_text(text).text


def test_a_text_in_capital_letters_has_none():
    text = "\n\n".join(["STOP HERE", "I CAME", "THEY WENT AWAY", "THE RIVER RISES IN THE HILLS. IT FALLS."])
    assert headings(text) == []


@pytest.mark.parametrize("text", ["CHAPTER I", "Title\n=====\n", "", "\n\n"])
def test_a_text_of_headings_alone_is_kept_as_it_is(text):
    assert read_text(text) == read_plain(text)


def test_at_the_end_what_might_be_one_is_none():
    assert headings(f"{PROSE}\n\nTHE END") == []
    assert read_text(f"{PROSE}\n\nTHE END").text.endswith("THE END")


@pytest.mark.parametrize(
    "text",
    [
        f"Title\n=====\n\n{PROSE}\n\n- one\n- two\n\nCHAPTER I\n\n{PROSE}\n\n-----\n",
        f"\ufdd01Title\n\n{PROSE}",
        f"\ufdd0\n\n{PROSE}\x07\n\n1. Introduction\n\n{PROSE}",
    ],
)
def test_every_visible_character_is_kept_or_counted(text):
    prose = read_text(text)
    assert visible(prose.text) + sum(prose.left_out.values()) == visible(text)
    assert all(count > 0 for count in prose.left_out.values())
    assert prose.left_out.get("heading", 0) == sum(visible(one.text) for one in prose.headings)
