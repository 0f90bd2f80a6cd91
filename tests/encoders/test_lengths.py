from __future__ import annotations

import numpy as np
import pytest

from nextvec.encoders import load_encoder
from nextvec.encoders.lengths import Cut, TokenLimited, count_cut, cut_texts


@pytest.mark.parametrize("text", ["word " * 300, "ﷺ" * 40, "각" * 200, "长江是亚洲最长的河流。" * 40, "İ" * 300])
def test_what_is_counted_is_what_changes_nothing_beyond_the_limit(minilm, text):
    length = int(minilm.count_tokens([text])[0])
    assert cut_texts(minilm, [text]).tolist() == [length > 256]
    beyond = f"{text} quark quark"
    assert length < 256 or np.array_equal(*minilm.encode([text, beyond]))


def test_lengths_are_those_of_whole_texts_with_special_tokens(minilm):
    assert minilm.count_tokens(["", "the river", "the river " * 200]).tolist() == [2, 4, 402]
    assert minilm.count_tokens([]).tolist() == []


def test_a_text_of_exactly_the_limit_is_not_cut(minilm):
    assert cut_texts(minilm, ["word " * 254, "word " * 255, "short"]).tolist() == [False, True, False]


def test_short_texts_are_not_even_counted(minilm, monkeypatch):
    asked = []
    count = minilm.count_tokens
    monkeypatch.setattr(minilm, "count_tokens", lambda texts: asked.append(len(texts)) or count(texts))
    assert count_cut(minilm, ["short"] * 100 + ["word " * 300]) == Cut(1, 101)
    assert asked == [1, 1]


def test_an_encoder_without_a_limit_cuts_nothing():
    assert not isinstance(load_encoder("hashing:16"), TokenLimited)
    assert cut_texts(load_encoder("hashing:16"), ["word " * 9999]) is None
    assert count_cut(load_encoder("hashing:16"), ["word " * 9999]) == Cut()


def test_it_is_said_in_a_sentence(minilm):
    assert Cut(5, 6).sentence(minilm.spec, "chunks") == (
        "5 of 6 chunks are longer than minilm reads (256 tokens): their ends are not in the vectors"
    )
    assert Cut(1, 1200).sentence(minilm.spec, "texts") == (
        "1 of 1,200 texts is longer than minilm reads (256 tokens): its end is not in the vectors"
    )
    assert Cut(1, 2) + Cut(3, 4) == Cut(4, 6)
