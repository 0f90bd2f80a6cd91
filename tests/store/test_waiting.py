from __future__ import annotations

from nextvec.store.waiting import Waiting


def test_nothing_is_due_while_nothing_waits():
    assert not Waiting(0, 0).due


def test_due_by_chunks():
    waiting = Waiting(6, 1_000)
    waiting.add("a", 5)
    assert not waiting.due
    waiting.add("b", 1)
    assert waiting.due


def test_due_by_time(monkeypatch):
    now = 0.0
    monkeypatch.setattr("nextvec.store.waiting.time.monotonic", lambda: now)
    waiting = Waiting(1_000, 60)
    now = 100.0
    waiting.take()
    waiting.add("a", 3)
    now = 159.0
    assert not waiting.due
    now = 160.0
    assert waiting.due


def test_what_is_taken_waits_no_longer():
    waiting = Waiting(2, 1_000)
    waiting.add("a", 3)
    assert waiting.take() == ["a"]
    assert (len(waiting), waiting.due, waiting.take()) == (0, False, [])
