"""Where a study stands, now or as long as it runs."""

from __future__ import annotations

import time
from collections.abc import Iterator

from nextvec.records.study import LOCK
from nextvec.records.study_status import StudyStatus
from nextvec.records.study_status import study_status as read_status
from nextvec.store.lock import held
from nextvec.workspace import Workspace


def study_status(workspace: Workspace, name: str) -> StudyStatus:
    """Raises NotFoundError for an unknown study."""
    return read_status(workspace, name, running=held(workspace.study(name) / LOCK))


def watch_study(workspace: Workspace, name: str, seconds: float) -> Iterator[StudyStatus]:
    """Where it stands, every so many seconds, as long as it runs; the last one is of a study that does not.

    Raises NotFoundError for an unknown study.
    """
    while (status := study_status(workspace, name)).running:
        yield status
        time.sleep(seconds)
    yield status
