"""What the README and docs/results.md show of quality.json: who is better in what, nothing twice, nothing invented."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
MRR, LOSS = "mrr[document]", "log_loss[document]"


@pytest.fixture
def results() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "docs"))
        yield importlib.import_module("results")
        sys.modules.pop("results")


def interval(estimate: float, half: float = 0.01) -> dict[str, float]:
    return {"estimate": estimate, "low": estimate - half, "high": estimate + half}


def row(name: str, kind: str, cosine: float, *, runs: int = 1, **subject: Any) -> dict[str, Any]:
    known = {"architecture": "gru", "context": None, "seed": None, "parameters": 0, "fitted": 0}
    return {
        "name": name,
        "kind": kind,
        "runs": runs,
        "subject": {**known, "trained_on": "wiki@d10", "trained_rows": 100, **subject},
        "figures": {"cosine": interval(cosine), MRR: interval(0.2), "bits_gained[document]": interval(0.3)},
    }


def contrast(left: str, figure: str, right: str, verdict: str, role: str = "best baseline") -> dict[str, Any]:
    return {
        "left": left, "figure": figure, "right": right, "verdict": verdict, "role": role, "difference": interval(0.02),
    }  # fmt: skip


@pytest.fixture
def part() -> dict[str, Any]:
    return {
        "corpus": "wiki@d10",
        "encoder": "minilm",
        "documents": 3,
        "targets": 6595,
        "hardware": "x86_64",
        "rows": [
            row("gru-wiki-d10", "model", 0.55, parameters=1_234_567, seed=0),
            row("ridge-mix", "baseline", 0.54, fitted=7),
            row("novelty", "baseline", 0.1, fitted=9),
            row("knn-successor", "baseline", 0.05),
        ],
        "contrasts": [
            contrast("gru-wiki-d10", "cosine", "ridge-mix", "better"),
            contrast("gru-wiki-d10", MRR, "novelty", "cannot tell"),
            contrast("gru-wiki-d10", LOSS, "novelty", "worse"),
        ],
    }


def plain(page: str) -> str:
    """Without what keeps an interval on one line."""
    return page.replace("\N{NO-BREAK SPACE}", " ")


def record(**parts: Any) -> dict[str, Any]:
    return {**parts, "provenance": {"encoder": "minilm", "hours": 0.5}}


def test_the_readme_shows_a_verdict_for_each_figure(results: ModuleType, part: dict[str, Any]) -> None:
    lines = plain(results.results_block(record(model=part))).splitlines()
    assert lines[2] == (
        "| **gru** | 0.5500 [0.5400, 0.5600] + | 0.200 [0.190, 0.210] ? |  | 0.300 [0.290, 0.310] - | 1 | 1,234,567 |"
    )
    assert (
        lines[3] == "| ridge-mix | 0.5400 [0.5300, 0.5500] | 0.200 [0.190, 0.210] |  | 0.300 [0.290, 0.310] |  | (7) |"
    )
    assert lines[4].startswith("| novelty | ")
    told = lines[6]
    assert told.startswith("6,595 targets in 3 documents of corpus wiki@d10, encoded with minilm.")
    assert "ridge-mix is the best baseline in cosine; novelty is the best baseline in MRR in the document and " in told
    assert "one seed is a checkpoint" in lines[8]


def test_baselines_that_are_best_in_nothing_stay_out_of_the_readme(results: ModuleType, part: dict[str, Any]) -> None:
    assert "knn-successor" not in results.results_block(record(model=part))
    assert "knn-successor" in "".join(results.sections(record(model=part)))


def test_seeds_share_the_row_of_their_mean(results: ModuleType, part: dict[str, Any]) -> None:
    size = {"parameters": 1_234_567}
    part["rows"] += [
        row("gru-wiki-d10-s1", "model", 0.53, seed=1, **size),
        row("gru-wiki-d10 (2 seeds)", "model", 0.54, runs=2, **size),
    ]
    names = [each["name"] for each in results.one_a_model(part["rows"])]
    assert "gru-wiki-d10 (2 seeds)" in names
    assert not {"gru-wiki-d10", "gru-wiki-d10-s1"} & {*names}
    assert "| **gru** | 0.5400 [0.5300, 0.5500] | " in plain(results.results_block(record(model=part)))


def test_differences_are_told_with_whom_they_are_against(results: ModuleType, part: dict[str, Any]) -> None:
    page = plain("\n\n".join(results.sections(record(model=part, **{"on-recipes": part}))))
    assert "| **gru** | +0.02000 [0.01000, 0.03000] + ridge-mix | +0.0200 [0.0100, 0.0300] ? novelty |" in page
    assert "| recipes | 3 | 6,595 | +0.02000 [0.01000, 0.03000] + ridge-mix |" in page


def test_more_data_is_shown_from_little_to_much(results: ModuleType, part: dict[str, Any]) -> None:
    part["rows"].append(row("gru-wiki-d5", "model", 0.5, trained_on="wiki@d5", trained_rows=50))
    part["contrasts"].append(contrast("gru-wiki-d10", MRR, "gru-wiki-d5", "better", "earlier generation"))
    for each in part["rows"]:
        each["figures"][LOSS] = interval(3.0)
    page = plain("\n\n".join(results.sections(record(data=part))))
    assert page.index("| wiki@d5 | 50 |") < page.index("| wiki@d10 | 100 |")
    assert "+0.0200 [0.0100, 0.0300] + |" in page
    plot = results.data_plot(part)
    assert plot.startswith("<svg")
    assert plot.count("<circle") == 2


def test_what_was_not_measured_has_no_section(results: ModuleType, part: dict[str, Any]) -> None:
    titles = [text.splitlines()[0] for text in results.sections(record(model=part))]
    assert titles[1:] == ["## The recommended model", "## Cost"]


def test_what_a_training_cost_is_told_once_with_its_machine(results: ModuleType, part: dict[str, Any]) -> None:
    """Other parts train a model of the same name for less long, or only judge it."""
    whole, short = ({"seconds": 60.0 * n, "epochs": n, "steps": n, "vectors_per_second": 1e3} for n in (4, 1))
    page = plain(
        "\n\n".join(
            results.sections(
                record(
                    model={**part, "costs": {"mine": whole}},
                    trunks={**part, "costs": {"mine": short}, "hardware": "a GPU"},
                    **{"on-recipes": {**part, "costs": {"mine": whole}, "hardware": "another"}},
                )
            )
        )
    )
    rows = [line for line in page.splitlines() if line.startswith("| mine |")]
    assert rows == ["| mine | 1.0 | 1 | 1,000 | a GPU |", "| mine | 4.0 | 4 | 1,000 | x86_64 |"]
