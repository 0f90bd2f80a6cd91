"""Edits leave words out and put others in, and what comes of it is spaced like a text."""

import pytest

from nextvec.decoding.edit.edits import Material, clauses_of, edits_of, pieces_of, text_of


def texts_after(text, *others, worth=None):
    edits = edits_of(pieces_of(text), Material.of(others), worth or {}, 10_000)
    return {text_of(edit.pieces): edit.gain for edit in edits}


@pytest.mark.parametrize("text", ["It's a dog, (Rex), is it?", "One", 'He said: "No."', "A  b"])
def test_pieces_make_the_text_again(text):
    assert text_of(pieces_of(text)) == text


def test_words_are_left_out_and_the_next_one_takes_the_place():
    found = texts_after("Big cats (not dogs) eat.")
    assert {"Cats (not dogs) eat.", "Big cats (dogs) eat.", "Big cats (not dogs)."} <= found.keys()


def test_words_are_put_in_the_place_of_others_and_between_them():
    found = texts_after("Cats (big) eat.", "Old owls")
    assert {"Old owls (big) eat.", "Cats (owls) eat.", "Cats (owls big) eat.", "Cats (big) old eat."} <= found.keys()
    assert {"Old owls Cats (big) eat.", "Cats (old owls) eat."} <= found.keys()


def test_clauses_take_each_others_place():
    pieces = pieces_of("When it rains, all the cats sleep: in bed.")
    assert [text_of(pieces[start:stop]) for start, stop in clauses_of(pieces)] == [
        "When it rains",
        "All the cats sleep",
    ]
    found = texts_after("When it rains, all the cats sleep.", "In the night, the owls hunt.")
    assert {"In the night, all the cats sleep.", "When it rains, the owls hunt."} <= found.keys()
    assert "All the cats sleep." in found


def test_the_gain_is_what_comes_in_without_what_goes_out():
    found = texts_after("The cat eats.", "owl", worth={"cat": 0.5, "owl": 0.75})
    assert found["The owl eats."] == pytest.approx(0.25)
    assert found["The cat owl eats."] == pytest.approx(0.75)
    assert found["The eats."] == pytest.approx(-0.5)


def test_of_the_phrases_the_best_are_taken_and_of_the_clauses_all():
    material = Material.of(["The old owl hunts, and eats."])
    best = material.promising({"owl": 1.0}, 3)
    assert all("owl" in "".join(phrase) for phrase in best.phrases)
    assert len(best.phrases) == 3
    assert best.clauses == material.clauses


def test_nothing_is_left_of_no_text():
    assert all(edit.pieces for edit in edits_of(pieces_of("Cats."), Material.of([]), {}, 99))
    assert edits_of((), Material.of(["owl"]), {}, 99) == []


def test_no_word_comes_twice_in_a_row_and_marks_keep_their_place():
    found = texts_after('The owl "hoots".', "the night")
    assert 'The night owl "hoots".' in found
    assert 'The the night owl "hoots".' not in found
    assert {'The owl "night hoots".', 'The owl "hoots night".', 'The owl night "hoots".'} <= found.keys()


def test_the_most_promising_come_first_and_no_more_than_asked():
    found = edits_of(pieces_of("The cat eats."), Material.of(["owl"]), {"owl": 1.0, "cat": -1.0}, 3)
    assert [text_of(edit.pieces) for edit in found] == ["Owl eats.", "The owl eats.", "The owl."]
