"""Aliases, and who is told of them."""

import nextvec
from nextvec.records import write_json
from nextvec.records.names import CONFIG
from nextvec.training import tracker


def test_trackers_are_told_of_the_model_that_is_replaced(tmp_path, monkeypatch):
    ws, told = nextvec.open(tmp_path), []
    for name in ("old", "new"):
        write_json(ws.place.model(name) / CONFIG, {})
    monkeypatch.setattr(
        tracker, "mirror_alias", lambda alias, folder, say, *, replaced: told.append((folder.name, replaced))
    )
    for name in ("old", "new"):
        ws.promote(name, "best", gates=[])
    ws.rollback("best")
    assert told == [("old", None), ("new", ws.place.model("old")), ("old", ws.place.model("new"))]
