from __future__ import annotations

import pytest

from nextvec.corpus.markup.plain import read_plain
from nextvec.corpus.prose import visible

SUBRIP = (
    "1\n00:00:01,000 --> 00:00:04,000\nThe river rises here\nin the hills\n\n"
    "2\n00:00:05,000 --> 00:00:07,500\n<i>and it is very long.</i>\n\n"
    "3\n00:00:08,000 --> 00:00:09,000\n- Where are you?\n- I am here.\n\n"
    "4\n00:00:10,000 --> 00:00:11,000\n{\\an8}[door opens]\n\n5\n00:00:12,000 --> 00:00:13,000\nHe left in\n1999."
)
SAID = ["The river rises here in the hills and it is very long.", "Where are you?", "I am here."]
WEBVTT = (
    "WEBVTT - a film\nKind: captions\n\nSTYLE\n::cue { color: red }\n\n"
    "intro\n00:01.000 --> 00:04.000 align:start\nThe river rises here.\n\n"
    "second\n01:00:05.000 --> 01:00:07.500\n<v Ann>It is very long.\n"
)


@pytest.mark.parametrize("text", [SUBRIP, SUBRIP.replace("\n", "\r\n"), f"\ufeff{SUBRIP}"])
def test_sentences_are_whole_without_numbers_and_times(text: str) -> None:
    prose = read_plain(text)
    assert prose.text.split("\n\n") == [*SAID, "He left in 1999."]
    assert visible(text) == visible(prose.text) + sum(prose.left_out.values())


def test_webvtt() -> None:
    prose = read_plain(WEBVTT)
    assert prose.text.split("\n\n") == ["The river rises here.", "It is very long."]
    assert set(prose.left_out) == {"subtitle marks"}


def test_an_arrow_is_no_subtitle() -> None:
    assert read_plain("At 10:00 --> 11:00 they met.").text == "At 10:00 --> 11:00 they met."


ROLLING = """WEBVTT

00:00:00.000 --> 00:00:02.000 align:start
so<00:00:00.500><c> today</c><00:00:01.000><c> we</c>

00:00:02.000 --> 00:00:02.010 align:start
so today we
\x20

00:00:02.010 --> 00:00:04.000 align:start
so today we
talk<00:00:02.500><c> of rivers</c><00:00:03.000><c> &amp; boats.</c>
"""


def test_captions_that_roll_are_said_once() -> None:
    prose = read_plain(ROLLING)
    assert prose.text == "so today we talk of rivers & boats."
    assert visible(ROLLING) == visible(prose.text) + sum(prose.left_out.values())


ASIDES = [
    ("[thunder]", []),
    ("[door\nslams]", []),
    ("(DOOR CREAKS)\nCome in.", ["Come in."]),
    ("(DOOR CREAKS) Come in.", ["Come in."]),
    ("- [SIGHS] Come in.\n- (laughs)", ["Come in."]),
    ("(I do not know him.)", ["(I do not know him.)"]),
    ("(And so) he came.", ["(And so) he came."]),
    ("It was in\n(1984)", ["It was in (1984)"]),
]


@pytest.mark.parametrize(("cue", "said"), ASIDES)
def test_what_tells_of_sounds_is_left_out(cue: str, said: list[str]) -> None:
    text = f"1\n00:00:01,000 --> 00:00:04,000\nHe left.\n\n2\n00:00:05,000 --> 00:00:07,500\n{cue}\n"
    prose = read_plain(text)
    assert prose.text.split("\n\n") == ["He left.", *said]
    assert visible(text) == visible(prose.text) + sum(prose.left_out.values())


def test_a_sentence_goes_on_after_a_sound() -> None:
    cues = ["Because I wait for", "[thunder]", "the train to Rome."]
    text = "\n\n".join(f"{number}\n00:00:0{number},000 --> 00:00:09,000\n{cue}" for number, cue in enumerate(cues))
    assert read_plain(text).text == "Because I wait for the train to Rome."
    assert read_plain(text).left_out["sound"] == 9


@pytest.mark.parametrize(
    ("cue", "said"),
    [
        ("I'm here now.\n- Why are you there?", ["I'm here now.", "Why are you there?"]),
        ("\u2013 Why are you there?\n— I do not know.", ["Why are you there?", "I do not know."]),
        ("He was here\n- I think - today.", ["He was here - I think - today."]),
        ("-5 degrees it was.", ["-5 degrees it was."]),
    ],
)
def test_a_dash_begins_what_a_speaker_says(cue: str, said: list[str]) -> None:
    assert read_plain(f"1\n00:00:01,000 --> 00:00:04,000\n{cue}").text.split("\n\n") == said


def test_what_is_said_twice_in_other_subtitles_stays() -> None:
    twice = (
        SUBRIP.replace("in the hills", "in hills")
        .replace("<i>and it is very long.</i>", "No!\n")
        .replace("- I am", "- No!\n- I")
    )
    assert "No!\n\nWhere are you?\n\nNo!" in read_plain(twice).text


def test_without_full_stops_every_cue_is_a_line_of_its_own() -> None:
    said = [f"and the river {verb} on and on" for verb in ("runs", "flows", "goes")]
    cues = "".join(f"{place}\n00:00:0{place},000 --> 00:00:0{place},900\n{line}\n\n" for place, line in enumerate(said))
    assert read_plain(cues).text.split("\n\n") == said
