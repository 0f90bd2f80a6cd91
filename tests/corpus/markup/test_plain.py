# ruff: noqa: RUF001 (texts in several scripts)
from __future__ import annotations

from textwrap import fill

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nextvec.corpus.markup.plain import Lines, paragraphs, read_plain

WRAPPED = """It was late in the autumn when the boat came back, and the people who
had waited for it all summer had gone home. Only the harbour master was
there, with
his dog."""


def lines(text: str, mode: Lines = "auto") -> list[str]:
    return read_plain(text, mode).text.split("\n\n")


def test_hard_wrapped_lines_are_joined() -> None:
    assert lines(WRAPPED) == [WRAPPED.replace("\n", " ")]
    assert lines(f"{WRAPPED}\n\nHe had been there since the early morning, in the company of old\nPeter Smith.")[1] == (
        "He had been there since the early morning, in the company of old Peter Smith."
    )


@pytest.mark.parametrize(
    "text",
    [
        "storm closes the northern harbour\ncouncil votes on a new bridge\nbakers ask for cheaper flour\ntwo schools",
        "The boat leaves at six\nDo not be late",
        "The house was empty.\nNobody had the key.\nThe dog barked twice, and then it was quiet for a long time.",
        "Shall I sing of the sea and the sand,\nOf the boats that have come to the land,\nOf the wind,",
        "Storm closes northern harbour for a third day\nCouncil to vote on bridge after the summer\nSchools reopen",
        "今年冬天特别冷，河面上结了厚厚的冰。\n孩子们放学以后都去滑冰。\n老张在岸上看。",
        "白日依山尽，黄河入海流。\n欲穷千里目，更上一层楼。\n远上寒山石径斜，白云生处有人家。",
        "「もう行くのですか。まだ早いですよ」\n「はい。もう遅いですから帰ります」\n「わかりました。気をつけて」",
        "earlier today. it was fine then\nlater. it was fine again there\nno. it was never so fine",
        "Anna Berg\n4 Pier Road\nHolmby",
        "milk\neggs and bread\nbutter",
        f"{'word ' * 30}end.\n{'word ' * 30}end.",
    ],
)
def test_lines_of_their_own_stay(text: str) -> None:
    assert lines(text) == text.split("\n")


def test_scripts_without_capitals() -> None:
    arabic = (
        "كانت المكتبة في آخر الشارع، ولم يكن يزورها إلا القليل من الناس. كان\n"
        "صاحبها رجلا طويلا يلبس نظارة سميكة، ويعرف مكان كل كتاب.\n"
    )
    assert lines(arabic) == [arabic.strip().replace("\n", " ")]
    chinese = (
        "小镇的车站只有一个月台，每天只停两班车。站长姓林，\n在这里工作了三十年，认识每一个乘客。有一天，来了\n一个人。"
    )
    assert lines(chinese) == [chinese.replace("\n", "")]


def test_scripts_without_capitals_run_on_in_narrow_and_uneven_lines() -> None:
    japanese = (
        "富士山は日本で一番高い山であり、その姿の美しさから\n古くから多くの人に愛されてきた。夏には多くの人が登り、\n"
        "山頂からは遠くの海や町が見えることで知られている。"
    )
    korean = "그는 아침에 일어나서 물을 마시고 나서\n학교에 갔다. 그는 오후에 돌아와서 책을\n읽었다."
    assert lines(japanese) == [japanese.replace("\n", "")]
    assert lines(korean) == [korean.replace("\n", " ")]


def test_indentation_begins_a_paragraph() -> None:
    first, rest = WRAPPED.split("\n", 1)
    text = f"   {WRAPPED}\n   The dog slept until the evening, because nobody had told it that the\nboat was there."
    assert lines(text)[0] == f"{first} {rest}".replace("\n", " ")
    assert len(lines(text)) == 2


def test_bullets_are_marks() -> None:
    text = "To bring:\n- a coat\n- bread, and\n  cheese\n• water\n* rope\nNobody is late"
    prose = read_plain(text)
    assert prose.text.split("\n\n") == ["To bring:", "a coat", "bread, and cheese", "water", "rope", "Nobody is late"]
    assert prose.left_out == {"markup": 4}
    assert lines("1. Open it.\n2. Close it.") == ["1. Open it.", "2. Close it."]
    assert lines("— Who is it?\n— It is me.") == ["— Who is it?", "— It is me."]


def test_a_dash_in_a_sentence_is_no_bullet() -> None:
    text = WRAPPED.replace("there, with\n", "there, with the\n- rather old -\n")
    assert "- rather old -" in lines(text)[0]


def test_quoted_mail_and_rules() -> None:
    text = "> Is the boat back? I have asked at the harbour and they did not\n> know.\nIt is.\n-- \nJan\n=====\n* * *\n"
    assert lines(text) == [
        "Is the boat back? I have asked at the harbour and they did not know.",
        "It is.",
        "Jan",
    ]


def test_bullets_of_fonts_of_signs() -> None:
    """As a PDF of Word has them; such a sign within a line is left alone."""
    assert lines("To bring:\n\uf0b7 a coat\n\uf0b7\tbread, or \uf0a8 none\nNobody is late") == [
        "To bring:", "a coat", "bread, or \uf0a8 none", "Nobody is late",
    ]  # fmt: skip


def test_divided_words() -> None:
    divided = "The old har-\nbour was emp-\nty, and nobody came."
    assert lines(divided) == ["The old harbour was empty, and nobody came."]
    assert (
        "well-known"
        in lines(f"{WRAPPED}\n\n{WRAPPED}\n\nThe captain of the boat that had come back was a well-\nknown man.")[2]
    )


SELDOM = """The harbour was old when the first ship came to it, and the harbour was small, with one quay
only. Nobody had thought of documentation then, and of those who built it nothing is known. Docu-
mentation began when the second quay was built, in the year in which the wall of the old har-
bour fell. It has been kept in the town since then, and whoever wants to see it may ask there,
on every day of the week but one, and will be shown what there is, and told what it means and
why so much of it is about fish, of which there are few now. The rest is in the museum of the
town, with the well-
known maps."""


def test_words_that_are_divided_seldom() -> None:
    """Fewer than words with a hyphen of their own may stand at line ends, but the text writes them in one elsewhere."""
    text = f"{SELDOM}\n\n{WRAPPED}\n\n{WRAPPED}\n\n{WRAPPED}\n\n{WRAPPED} It is well-known."
    found = " ".join(lines(text))
    assert all(words in found for words in ("Documentation began", "old harbour fell", "well-known maps"))


MIXED = """To list what has been read, one asks for the names of all that is in the first place of
the path, which is done by
names(first)
names(first, all)
The number of boats that a harbour can take in one night when the wind is from the north
can be told by anybody who has been there, and so can that of those which it has taken. A
Mann-Whitney test, as it is called, tells whether two harbours are alike."""


def test_wrapped_text_with_lines_of_code_between() -> None:
    """Where most of the text is evidently wrapped, full lines go on also in a block of which most is not."""
    wrapped = fill(NARROW, 88)
    assert lines(f"{wrapped}\n\n{wrapped}\n\n{MIXED}")[2:] == [
        "To list what has been read, one asks for the names of all that is in the first place of the path, which is "
        "done by",
        "names(first)",
        "names(first, all)",
        "The number of boats that a harbour can take in one night when the wind is from the north can be told by "
        "anybody who has been there, and so can that of those which it has taken. A Mann-Whitney test, as it is "
        "called, tells whether two harbours are alike.",
    ]
    assert len(lines(MIXED)) > 4


@pytest.mark.parametrize(
    ("ended", "begun", "joined"),
    [
        ("https://", "cran.r-project.org/web", "https://cran.r-project.org/web"),
        ("https://cran.", "r-project.org/web", "https://cran.r-project.org/web"),
        ("https://cran.org/packages/", "boats.html for more", "https://cran.org/packages/boats.html for more"),
        ("https://cran.org/a?b=", "c-d and more", "https://cran.org/a?b=c-d and more"),
        ("https://cran.org/.", "There is more.", "https://cran.org/. There is more."),
        ("https://cran.org/", "for more.", "https://cran.org/ for more."),
        ("https://cran.org", "and/or here", "https://cran.org and/or here"),
    ],
)
def test_addresses_that_go_on_in_the_next_line(ended: str, begun: str, joined: str) -> None:
    assert read_plain(f"The harbour has its own page: {ended}\n{begun}", "wrapped").text.endswith(f"page: {joined}")


def test_a_divided_word_is_in_one_paragraph() -> None:
    """Though its lines look like a list's."""
    assert lines("A boat for the harbour, if there is documen-\ntation of it\nA net, two") == [
        "A boat for the harbour, if there is documen-tation of it", "A net, two",
    ]  # fmt: skip
    assert lines("ante-\npost-\nmeta-") == ["ante-", "post-", "meta-"]


NARROW = """This volume grew out of a number of letters that Mr. Hale had sent to his friends in Hull while he was at
sea. They were not meant to be read by others. The greater part was written on deck, or in the ports where the ship
waited for grain, and it tells of the Outer Isles and of the people there."""
DIVIDED = """Der Weg war weit, und die Donau-
dampfschifffahrt war noch nicht er-
funden worden. Die Ein- und Aus-
gänge waren nah und die Haus-
tür war zu. Er ging in die Süd-
Ost-Ecke und sah die Nord-
see, welche blau war und sehr groß."""


@pytest.mark.parametrize("width", range(30, 45))
def test_narrow_text_is_wrapped_if_its_lines_are_full(width: int) -> None:
    short = "He came home late, and nobody was at the quay to meet him."
    text = "\n\n".join(fill(one, width) for one in (NARROW, short, NARROW))
    whole = NARROW.replace("\n", " ")
    assert lines(text) == [whole, short, whole]


def test_narrow_text_with_divided_words() -> None:
    assert lines(DIVIDED) == [
        "Der Weg war weit, und die Donaudampfschifffahrt war noch nicht erfunden worden. Die Ein- und Ausgänge waren "
        "nah und die Haustür war zu. Er ging in die Süd-Ost-Ecke und sah die Nordsee, welche blau war und sehr groß."
    ]


def test_verse_in_narrow_text_stays() -> None:
    verse = "Shall I sing of the sea and the sand,\nOf the boats that came to the land,\nOf the wind and the"
    assert lines(f"{fill(NARROW, 38)}\n\n{verse}") == [NARROW.replace("\n", " "), *verse.split("\n")]


@pytest.mark.parametrize(
    "text",
    [
        "i went down to the harbour at dawn\nwhere the boats lay still,\nand nobody spoke. A gull\n"
        "cried once over the water\nand then it was gone,\nand I stood there\nwaiting for the light to come back",
        "The boat came home late at night.\nNobody was there to meet it.\nThe men went to the inn at once.\n"
        "They ate bread and some cheese.\nThen they slept until the morning.\nThe dog slept with them, too.",
        "Sing of the sea and of the shore,\nSing of the boats that come no more,\nSing of the men who went away\n"
        "And of the bread they ate that day,\nOf nets and oars and sails and rope\nAnd all that gave the women hope.",
        "flour, butter and three fresh eggs\na pound of sugar for the cake\nsome salt from the corner shop\n"
        "half a pint of milk, or cream\na lemon, if they have any\ntwo bars of the dark chocolate\nthe small candles",
        "Anna Berg, 4 Pier Road, Holmby\nPeter Lund, 12 Mill Lane, Ansby\nMary Holt, 7 High Street, Hale\n"
        "John Moor, 31 Quay Street, Hull\nRuth Dale, 2 Church Lane, York\nJane Reed, 5 Park Road, Leeds\nLucy Hill",
        "床前明月光，\n疑是地上霜。\n举头望明月，\n低头思故乡。\n床前明月光，\n疑是地上霜。\n举头望明月，\n低头思故乡。",
    ],
)
def test_narrow_lines_of_their_own_stay(text: str) -> None:
    assert lines(text) == text.split("\n")


def test_controls_are_counted_and_joiners_stay() -> None:
    prose = read_plain("\ufeffHand\u00adtuch\x00 und\u200b \u0645\u06cc\u200c\u0631\u0648\u062f.\f\x85Neu.")
    assert prose.text == "Handtuch und \u0645\u06cc\u200c\u0631\u0648\u062f.\n\nNeu."
    assert prose.left_out == {"control characters": 4}


def test_what_lines_are_can_be_said() -> None:
    text = "a boat came\nit was late\n\n- one\n- two"
    assert lines(text, "wrapped") == ["a boat came it was late", "one", "two"]
    assert lines(WRAPPED, "sentences") == WRAPPED.split("\n")


@settings(deadline=None)
@given(st.text(min_size=1).filter(lambda line: line[0].isalnum() and "\n" not in line))
def test_a_line_that_begins_with_a_letter_or_digit_is_a_paragraph_as_it_is(line: str) -> None:
    """It is neither looked at for marks nor compared with others; beside lines that are, it reads the same."""
    assert list(paragraphs(line)) == [" ".join(line.split())]
    assert list(paragraphs(f"* Mark\n\n{line}\n\n  {line}")) == ["Mark", *[" ".join(line.split())] * 2]


def test_many_short_lines_take_time_in_proportion():
    """Lines without capitals were each looked for in the whole block."""
    from time import process_time

    def once(count):
        began = process_time()
        read_plain("b=\n=\n=\n" * count)
        return process_time() - began

    def seconds(count):
        return min(once(count) for _ in range(3))

    assert seconds(8000) < 24 * max(seconds(1000), 0.02)


def test_who_speaks_in_a_play_stands_before_what_is_said() -> None:
    play = "BERNARDO.\nWho's there?\n\nKING LEAR.\nNay, answer me. Stand and unfold\nyourself at once.\n\n"
    said = ["BERNARDO. Who's there?", "KING LEAR. Nay, answer me. Stand and unfold yourself at once."]
    assert lines(f"{play}{play}[Exit.]") == [*said, *said, "[Exit.]"]
    assert lines("CHAPTER I.\nIt was night.\n\nCHAPTER I.\nIt was day.")[0] == "CHAPTER I."
    assert lines("STOP.\nGO HOME.\n\nSTOP.\nGO HOME.")[0] == "STOP."


def test_numbers_of_several_parts_begin_items() -> None:
    contents = ["8. The tools of the system", "8.1. The programs", "8.1.1. dpkg", "8.1.2. APT and what", "8.2. The end"]
    assert lines("\n".join(contents)) == contents
    said = "The river flows through the land to the sea and it is at most\n3.1 miles wide at its end, where the boats\n"
    assert len(lines(f"{said}4.7 m long are. It is cold.")) == 1
