import json

from nextvec.records import read_lines
from nextvec.records.names import RUN_LOG
from nextvec.training.runlog import RunLog
from nextvec.training.tracker import Tracking


def events(folder):
    return [event["event"] for event in read_lines(folder / RUN_LOG)]


def test_events_are_lines_with_their_step(tmp_path):
    log = RunLog(tmp_path)
    log.write("start", step=0, targets=9)
    log.write("step", step=20, loss=0.5)
    assert [json.loads(line) for line in (tmp_path / RUN_LOG).read_text().splitlines()] == [
        {"event": "start", "step": 0, "targets": 9},
        {"event": "step", "step": 20, "loss": 0.5},
    ]
    assert log.events == 2


def test_a_resumed_run_keeps_what_its_checkpoint_knows(tmp_path):
    log = RunLog(tmp_path)
    for event in ("start", "step", "epoch", "step"):
        log.write(event, step=1)
    resumed = RunLog(tmp_path)
    resumed.keep(2)
    assert events(tmp_path) == ["start", "step"]
    resumed.write("epoch", step=1)
    assert resumed.events == 3


def test_a_line_cut_off_by_a_kill_is_dropped(tmp_path):
    log = RunLog(tmp_path)
    log.write("start", step=0)
    with (tmp_path / RUN_LOG).open("a") as file:
        file.write('{"event": "st')
    assert events(tmp_path) == ["start"]
    resumed = RunLog(tmp_path)
    resumed.keep(5)
    assert resumed.events == 1
    resumed.write("end", step=3)
    assert events(tmp_path) == ["start", "end"]


def test_keeping_nothing_begins_a_log(tmp_path):
    log = RunLog(tmp_path)
    log.keep(0)
    log.write("start", step=0)
    assert events(tmp_path) == ["start"]


def test_trackers_are_told_the_same(tmp_path):
    told = []

    class Told(Tracking):
        def log(self, event, step, figures):
            told.append((event, step, figures))

    RunLog(tmp_path, Told()).write("step", step=20, loss=0.5)
    assert told == [("step", 20, {"loss": 0.5})]
