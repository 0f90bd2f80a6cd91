"""Equal models are told apart in 5 % of comparisons, not more and not far fewer: a small, seeded simulation.

The long one is benchmarks/verdicts.py; this draws fewer runs of a few of its settings.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
RUNS = 100


@pytest.fixture
def verdicts(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    module = importlib.import_module("verdicts")
    for imported in ("verdicts", "record"):
        monkeypatch.delitem(sys.modules, imported, raising=False)
    return module


def test_equal_models_are_seldom_told_apart(verdicts: ModuleType) -> None:
    """Of 400 comparisons and studies, 20 by promise; between 8 and 34 with three standard errors of chance."""
    worlds = [
        verdicts.World(models=2, anchored=True, seeds=1),
        verdicts.World(models=6, anchored=False, seeds=1),
        verdicts.World(models=6, anchored=True, seeds=3, luck=0.0006),
        verdicts.World(models=6, anchored=False, seeds=3, luck=0.003),
    ]
    rates = np.array([verdicts.false_rates(world, RUNS, seed=1) for world in worlds])
    for how in range(2):
        assert 8 <= rates[:, how].sum() * RUNS <= 34, rates


def test_a_real_difference_is_found_as_often_as_theory_says(verdicts: ModuleType) -> None:
    found, theory = verdicts.power(200, 60, seed=2)
    assert theory == pytest.approx(0.8, abs=0.02)
    assert found == pytest.approx(theory, abs=0.09)


def test_false_verdicts_are_those_on_equals(verdicts: ModuleType) -> None:
    world = verdicts.World(models=2, anchored=False, seeds=1, gain=0.1)
    comparison = verdicts.by_compare(world, np.random.default_rng(0))
    assert len(verdicts.false_verdicts(comparison)) == 2
    assert any(c.right == verdicts.WEAKER and c.verdict == "better" for c in comparison.contrasts)
    assert verdicts.claims_of(["Yes: a", "No: even b", "Not proven: c"]) == ["Yes: a", "No: even b"]
