"""The mistakes that are often made: each is made, and its answer names what to do."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[2] / "docs" / "mistakes.py"
LEAST = 20
ERRORS = ("UsageError: ", "DataError: ", "MismatchError: ", "IntegrityError: ")


def loaded() -> ModuleType:
    spec = importlib.util.spec_from_file_location("mistakes", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["mistakes"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


MISTAKES = loaded()
MADE = {mistake.title: mistake for group in MISTAKES.MISTAKES.values() for mistake in group}


@pytest.fixture(scope="module")
def answers() -> dict[str, str]:
    told: dict[str, str] = MISTAKES.answers()
    return told


@pytest.mark.parametrize("title", MADE)
def test_the_answer_names_the_remedy(title: str, answers: dict[str, str]) -> None:
    told = answers[title]
    assert told.startswith("nextvec: " if MADE[title].is_command else ERRORS), told
    assert MADE[title].remedy in told
    assert "\n" not in told


def test_each_is_told_once_and_there_are_enough() -> None:
    assert len(MADE) == sum(map(len, MISTAKES.MISTAKES.values())) >= LEAST
