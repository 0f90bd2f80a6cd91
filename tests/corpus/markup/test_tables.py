"""Tables in plain text: what is left out with them, and what looks like one and is prose."""

import pytest

from nextvec.corpus.markup.carried import carry
from nextvec.corpus.markup.plain import read_plain
from nextvec.corpus.markup.tables import without_tables
from nextvec.corpus.prose import visible

TEXT = "The river rises in the hills. It was named after a king."
NUMBERS = "Year Length Depth\n1990 97 19\n2000 (73) 11.5%\n2010 - 1,204"
TABLES = {
    "rows of numbers, with their head": NUMBERS,
    "rows that are named": "Upper valley 97 19 79\nLower valley 73 11 13\nMouth 35 15 n/a",
    "rows under the names of groups": "Rivers of the north\n97 19 79\n73 11 13\nOf the south\n35 15 14",
    "rows a line apart": "1990 97 19\n\n2000 73 11\n\n2010 35 15",
    "cells far apart": "Name      Place       Kind\nIsar      Munich      river\nEibsee    Grainau     lake",
    "cells between tabs": "Name\tPlace\tKind\nIsar\tMunich\tgreen river\nEibsee\tGrainau\tlake",
    "results of a program": "[1,] 1 5 9 13 17\n[2,] 2 6 10 14 18\n[3,] 3 7 11 15 19",
    "dates and amounts": "09/10/2013 REED $ 10.000,00\n11/10/2013 STOW $ 9.000,00\n12/10/2013 VALE $ 800,00",
}
PROSE = {
    "rows among many short lines": "\n".join(
        f"{row}\nOne\nTwo\nThree\nFour" for row in ("1990 97 19", "2000 73 11", "2010 1 2")
    ),
    "a Chinese line between": "1990 97 19\n" + "河流从山上流下来然后穿过城市的中心" * 2 + "\n2000 73 11\n2010 1 2",
    "two rows alone": "1990 97 19\n2000 73 11",
    "a list with numbers": "1. Vatican City is the smallest\n2. Ngerulmud has 300\n3. San Marino is old",
    "sentences with numbers": "In 1990 it was 97 m wide.\nIn 2000 it was 73 m.\nIn 2010 it was 35 m.",
    "a list of amounts": "Take for it:\n- 2 cups flour\n- 1 tsp. salt\n- 3 eggs, beaten",
    "verse": "One for sorrow,\nTwo for joy,\nThree for a girl,\nFour for a boy,",
    "sentences between tabs": "17\tThe river rises in the hills.\tDer Fluss entspringt.\n" * 4,
    "two columns": "It rises here      and runs there\nIt was named       after a king\nIt is long         and wide",
    "justified lines": "It   rises in the hills and runs to the sea,\nwhich   is far away, as everybody knows who\n"
    "has   walked along it for a day or for two.",
    "sentences that count": "Take 1, 2, 3, 4.\nHe had 10, 20, 30.\nThey took 5, 6, 7.",
    "numbers in words": "He was 17 then.\nShe had 20 sheep\nand they had 3 houses.",
}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES.keys())
def test_a_table_is_left_out_and_counted(table):
    prose = read_plain(f"{TEXT}\n\n{table}\n\n{TEXT}")
    assert prose.text.split("\n\n") == [TEXT] * 2
    assert prose.left_out == {"table": visible(table)}


@pytest.mark.parametrize("prose", PROSE.values(), ids=PROSE.keys())
def test_what_only_looks_like_one_stays(prose):
    assert without_tables(f"{TEXT}\n\n{prose}\n\n{TEXT}") == (f"{TEXT}\n\n{prose}\n\n{TEXT}", 0)


def test_the_sentence_above_a_table_is_no_head():
    assert without_tables(f"These are its widths.\n{NUMBERS}")[0].startswith("These are its widths.\n")


def test_a_heading_within_is_kept():
    heading = carry("Widths of 1990 2000 2010", 2)
    assert without_tables(f"{NUMBERS}\n\n{heading}\n\n{NUMBERS}")[0].strip() == heading


def test_boxes_are_tables_where_they_have_cells() -> None:
    table = "┌──────┬───────┐\n│ poss │ maybe │\n├──────┼───────┤\n│ pref │ first │\n└──────┴───────┘\n"
    kept, dropped = without_tables(f"It is so.\n{table}It was so.")
    assert kept.split() == ["It", "is", "so.", "It", "was", "so."]
    assert dropped == visible(table)
    kept, _ = without_tables("┌───────────────┐\n│ It is deep.   │\n└───────────────┘\n")
    assert kept.strip() == "It is deep."
