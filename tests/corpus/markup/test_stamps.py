"""Transcripts and chats: times are left out, speakers stay, and what only looks like times does too."""

from __future__ import annotations

import pytest

from nextvec.corpus.markup.plain import read_plain
from nextvec.corpus.prose import visible

SAID = ["Ann: Where did you grow up?", "Ben: Near the coast. My father fished there.", "Ann: What was it like?"]


def stamped(*before: str) -> str:
    return "".join(f"{stamp}{said}\n" for stamp, said in zip(before, SAID, strict=True))


@pytest.mark.parametrize(
    "text",
    [
        stamped("[00:00:05] ", "[00:00:09] ", "[00:01:21] "),
        stamped("(0:05) ", "(0:09) ", "(1:21) "),
        stamped("[00:00.000 --> 00:03.120]  ", "[00:03.120 --> 00:06.440]  ", "[00:06.440 --> 00:09.000]  "),
        stamped("00:00:05.1 ", "00:00:09.2 ", "00:01:21.3 "),
        stamped("0:05 ", "0:09 ", "1:21 "),
        stamped("12/31/20, 10:15 PM - ", "12/31/20, 10:16 PM - ", "1/1/21, 9:02 AM - "),
        stamped("[31.12.20, 22:15:01] ", "[31.12.20, 22:16:40] ", "[01.01.21, 09:02:11] "),
        stamped("2020-12-31 22:15:01 ", "2020-12-31 22:16:02 ", "2021-01-01 09:02:03 "),
        "\n".join(said.replace(":", f" (0:0{place}):\n", 1) for place, said in enumerate(SAID)),
        "\n\n".join(said.replace(": ", f"  0:0{place}\n", 1) for place, said in enumerate(SAID)),
        stamped("[22:15] ", "[22:16] ", "[22:17] ").replace("Ann:", "<Ann>").replace("Ben:", "<@Ben>")
        + "-!- Carl [~carl@host] has joined #river\n",
    ],
)
def test_what_is_said_is_read_without_its_time(text: str) -> None:
    prose = read_plain(text)
    assert prose.text.split("\n\n") == SAID
    assert prose.left_out["time stamp"] > 0
    assert visible(prose.text) + sum(prose.left_out.values()) == visible(text)


def test_what_runs_over_several_times_is_one_sentence() -> None:
    text = (
        "[00:00.0 --> 00:03.1]  Well. It runs\n[00:03.1 --> 00:06.4]  to the sea.\n[00:06.4 --> 00:09.0]  It is wide.\n"
    )
    assert read_plain(text).text == "Well. It runs to the sea.\n\nIt is wide."


@pytest.mark.parametrize(
    "text",
    [
        "9:00 Opening: all guests\n9:30 Keynote: Ann Smith\n10:30 Coffee: in the hall\n11:00 Panel: What is next?",
        "9:00 The doors open.\n9:30 Ann Smith speaks.\n10:30 There is coffee.",
        "[1:9] And the river ran.\n[1:10] And it was wide.\n[1:11] And it was deep.\n[1:12] And it ended.",
        "12:30 was late.\n\nIt was 12:30 then.\n\nThe ratio is 10:15 here.",
    ],
)
def test_programmes_and_verses_stay_as_they_are(text: str) -> None:
    assert read_plain(text, "sentences").text.split() == text.split()
