"""What every story may leave out: measuring how long a model takes."""

from __future__ import annotations

import pytest


@pytest.fixture
def quick_latency(monkeypatch: pytest.MonkeyPatch) -> None:
    import nextvec.comparing.contest as contest

    measure = contest.measure_latency
    monkeypatch.setattr(contest, "measure_latency", lambda *given, **known: measure(*given, **known | {"seconds": 0.0}))
