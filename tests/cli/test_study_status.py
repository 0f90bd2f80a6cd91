"""What `study status` says below its table."""

from __future__ import annotations

import pytest

from nextvec.cli.study import _noted
from nextvec.records.study import Run
from nextvec.records.study_status import Pace, RunStatus

RUN = Run(architecture="gru", corpus="c@a", variant="", seed=0, fingerprint="f", model="gru-c-a")


@pytest.mark.parametrize(
    ("state", "note", "pace", "told"),
    [
        ("failed", "no disk", None, "gru-c-a failed: no disk"),
        ("waiting", "after epoch 3", None, "gru-c-a: waiting after epoch 3"),
        ("running", "after epoch 3", (3, None), "gru-c-a: running after epoch 3 of 20"),
        ("running", "after epoch 3", (3, 130.0), "gru-c-a: running after epoch 3 of 20, about 2 min left"),
    ],
)
def test_what_there_is_to_say_of_a_run(state, note, pace, told):
    now = pace and Pace(epoch=pace[0], epochs=20, step=30, steps=200, seconds_left=pace[1])
    assert _noted(RunStatus(run=RUN, state=state, note=note, pace=now)) == told
