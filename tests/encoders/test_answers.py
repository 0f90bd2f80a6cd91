import json

import pytest

from nextvec.encoders.answers import WORDS_SHOWN, in_brief, server_words


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"error": "batch size 64 > 32", "error_type": "Validation"}, "batch size 64 > 32"),
        ({"object": "error", "message": "too long", "type": "BadRequestError", "code": 400}, "too long"),
        ({"error": {"message": "too long", "type": "invalid_request_error", "param": None}}, "too long"),
        ({"error": {"code": 500, "message": "input is too large"}}, "input is too large"),
        ({"detail": [{"loc": ["body", "input"], "msg": "at most 32 items", "type": "too_long"}]}, "at most 32 items"),
        ({"detail": "Not Found"}, "Not Found"),
        ({"error": True, "message": "two\nlines"}, "two lines"),
        ({"status": "bad"}, '{"status": "bad"}'),
        ("a text alone", "a text alone"),
    ],
)
def test_servers_put_their_words_in_many_places(body, words):
    assert server_words(json.dumps(body).encode()) == words


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", ""),
        (b"upstream timed out\n", "upstream timed out"),
        (b"<html><head><title>413 Request&nbsp;Entity</title></head><body><h1>x</h1>", "413 Request Entity"),
        (b"<h1>Bad</h1><p>gateway</p>", "Bad gateway"),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b"x" * 500, "x" * WORDS_SHOWN + "..."),
        (b"[" * 100_000, "[" * WORDS_SHOWN + "..."),
    ],
)
def test_words_that_are_no_json(body, words):
    assert server_words(body) == words


@pytest.mark.parametrize(
    ("words", "brief"),
    [
        (
            "This model's maximum context length is 512 tokens. However, you requested 641 tokens.",
            "maximum context length is 512 tokens",
        ),
        ("`inputs` must have less than 512 tokens. Given: 641", "`inputs` must have less than 512 tokens"),
        ("The input is longer than 1.5 pages.", "The input is longer than 1.5 pages"),
        ("no", "no"),
        ("", ""),
    ],
)
def test_the_first_sentence(words, brief):
    assert in_brief(words) == brief
