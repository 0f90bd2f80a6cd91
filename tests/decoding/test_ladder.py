"""The adaptive ladder, with a decoder whose texts pass at a known number of steps."""

from collections.abc import Sequence

import numpy as np
import pytest

from nextvec.decoding.decoder import Decoded
from nextvec.decoding.ladder import Ladder, LadderConfig, PassedCache
from nextvec.decoding.quality import Verdict, judge
from nextvec.errors import MismatchError, UsageError

GOOD = "The harbour froze over before the ships could leave."
BAD = "no no no no no no"
EXTRACT = "Merchants waited all winter for the ice to break."
NEVER = 99


class Scripted:
    """Vector [n, ...] decodes to a good text from n steps on."""

    name = "scripted"

    def __init__(self, max_steps: int = 10) -> None:
        self.max_steps = max_steps
        self.calls: list[tuple[int, int]] = []

    def decode(
        self, vectors: np.ndarray, sources: Sequence[Sequence[str]] | None = None, *, steps: int = 0
    ) -> list[Decoded]:
        self.calls.append((steps, len(vectors)))
        texts = [GOOD if steps >= vector[0] else BAD for vector in vectors]
        given = sources if sources is not None else [()] * len(texts)
        return [
            Decoded(text=text, verdict=judge(text, source), steps=steps)
            for text, source in zip(texts, given, strict=True)
        ]


class Extractive:
    name, max_steps = "extractive", 0

    def decode(
        self, vectors: np.ndarray, sources: Sequence[Sequence[str]] | None = None, *, steps: int = 0
    ) -> list[Decoded]:
        return [Decoded(text=EXTRACT, verdict=Verdict(True), row=7) for _ in vectors]


def needs(*steps: int) -> np.ndarray:
    return np.array([[step, number] for number, step in enumerate(steps)], dtype=np.float32)


def ladder_over(decoder: Scripted, **options: object) -> Ladder:
    config = LadderConfig.parse(options, owner="ladder")
    return Ladder(decoder, Extractive(), model="gru", index="abc", config=config)


def test_each_vector_climbs_only_as_far_as_it_must() -> None:
    decoder = Scripted()
    decoded = ladder_over(decoder).decode(needs(0, 1, 2, 4, NEVER))
    assert [one.steps for one in decoded[:4]] == [1, 1, 3, 5]
    assert decoder.calls == [(1, 5), (3, 3), (5, 2)]
    assert [one.degraded for one in decoded] == [False, False, False, False, True]
    assert (decoded[4].text, decoded[4].row) == (EXTRACT, 7)


@pytest.mark.parametrize(
    ("bound", "calls"), [(5, [1, 3, 5]), (4, [1, 3]), (3, [1, 3]), (2, [1]), (1, [1]), (0, []), (100, [1, 3, 5])]
)
def test_requested_steps_are_an_upper_bound(bound: int, calls: list[int]) -> None:
    decoder = Scripted()
    assert ladder_over(decoder).decode(needs(NEVER), steps=bound)[0].degraded
    assert [steps for steps, _ in decoder.calls] == calls


def test_a_decoder_is_never_asked_for_more_than_it_has() -> None:
    few, none = Scripted(max_steps=3), Scripted(max_steps=0)
    ladder_over(few).decode(needs(NEVER))
    assert ladder_over(none).decode(needs(0))[0].steps == 0
    assert [steps for steps, _ in few.calls] == [1, 3]
    assert none.calls == [(0, 1)]


def test_passed_texts_are_cached_and_failures_never() -> None:
    decoder = Scripted()
    ladder = ladder_over(decoder)
    first = ladder.decode(needs(1, NEVER))
    assert len(ladder.cache) == 1
    decoder.calls.clear()
    assert ladder.decode(needs(1, NEVER)) == first
    assert decoder.calls == [(1, 1), (3, 1), (5, 1)]
    with pytest.raises(UsageError, match="only texts that passed"):
        ladder.cache.put(("a", "b", "c", b""), first[1])


def test_vectors_equal_after_rounding_share_an_entry() -> None:
    decoder = Scripted()
    ladder = ladder_over(decoder)
    ladder.decode(np.array([[0.5, -0.00001]], np.float32))
    ladder.decode(np.array([[0.50001, 0.00001]], np.float32))
    assert len(decoder.calls) == 1
    ladder.decode(np.array([[0.501, 0.0]], np.float32))
    assert len(decoder.calls) == 2


def test_a_cached_text_must_suit_the_new_sources_and_keep_to_the_bound() -> None:
    decoder = Scripted()
    ladder = ladder_over(decoder)
    ladder.decode(needs(3), [["ships in the harbour"]])
    assert ladder.decode(needs(3), [["ships"]])[0].steps == 3
    assert decoder.calls == [(1, 1), (3, 1)]
    assert ladder.decode(needs(3), [["ships"]], steps=1)[0].degraded
    assert ladder.decode(needs(3), [["a lathe"]])[0].degraded


def test_models_and_indexes_do_not_share_entries_in_one_cache() -> None:
    cache, decoder = PassedCache(10), Scripted()
    for model, index in (("gru", "a"), ("gru", "b"), ("amn", "a"), ("gru", "a")):
        Ladder(decoder, Extractive(), model=model, index=index, cache=cache).decode(needs(1))
    assert len(cache) == 3
    assert len(decoder.calls) == 3


def test_the_least_recently_used_entry_goes_first() -> None:
    decoder = Scripted()
    ladder = ladder_over(decoder, cache_entries=2)
    a, b, c = (np.array([[0, number]], np.float32) for number in range(3))
    for vector in (a, b, a, c):
        ladder.decode(vector)
    decoder.calls.clear()
    ladder.decode(a)
    assert decoder.calls == []
    ladder.decode(b)
    assert len(decoder.calls) == 1


def test_no_cache_at_all() -> None:
    ladder = ladder_over(Scripted(), cache_entries=0)
    ladder.decode(needs(1))
    assert len(ladder.cache) == 0


def test_bad_calls_are_refused() -> None:
    with pytest.raises(UsageError, match="ascending"):
        ladder_over(Scripted(), rungs=(3, 1))
    with pytest.raises(UsageError, match="0 or more"):
        ladder_over(Scripted()).decode(needs(1), steps=-1)
    with pytest.raises(MismatchError, match="sources for 2"):
        ladder_over(Scripted()).decode(needs(1), [[], []])


def test_nothing_to_decode() -> None:
    assert ladder_over(Scripted()).decode(np.empty((0, 2), np.float32)) == []
