"""What is said of a training while it goes on."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from nextvec.cli import progress as progress_module
from nextvec.cli.output import remaining
from nextvec.cli.training_progress import state, training_progress


@dataclass
class Stand:
    """What is read of the loop's `Progress`."""

    epoch: int = 1
    epochs: int = 20
    loss: float = 0.52691
    validation_cosine: float = -0.39661
    skill: float = -1.28514
    vectors_per_second: float = 12345.6
    seconds_left: float = 33431.0


def test_away_from_a_terminal_a_line_comes_every_few_seconds(capsys, monkeypatch):
    clock = iter([100.0, 101, 112, 112, 113, 125, 125])
    monkeypatch.setattr(progress_module.time, "monotonic", lambda: next(clock))
    with training_progress("gru-c") as show:
        for epoch in (1, 1, 2, 3):
            show(Stand(epoch=epoch))
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition("/")[0] for line in lines] == ["gru-c:  1", "gru-c:  3"]


def test_it_fits_beside_a_bar_on_80_columns():
    assert state(Stand()) == " 1/20 loss 0.5269 best -0.3966 skill -128.51% 12,346/s 9 h 17 min left"
    assert len(state(Stand(seconds_left=16 * 60))) + 1 + 8 <= 80


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.4, "0 s"), (29.6, "30 s"), (42, "42 s"), (95, "2 min"), (3599, "1 h 0 min"), (7500, "2 h 5 min")],
)
def test_an_estimate_is_no_more_exact_than_it_can_be(seconds, told):
    assert remaining(seconds) == told
