"""Aliases, and who is told of them."""

import shutil

import pytest

import nextvec
from nextvec.continuation.presence import Announcement
from nextvec.errors import UsageError
from nextvec.models.bundle import read_config
from nextvec.records import write_json
from nextvec.records.names import CONFIG
from nextvec.training import tracker


def test_trackers_are_told_of_the_model_that_is_replaced(tmp_path, monkeypatch):
    ws, told = nextvec.open(tmp_path), []
    for name in ("old", "new"):
        write_json(ws.place.model(name) / CONFIG, {})
    monkeypatch.setattr(
        tracker, "mirror_alias", lambda alias, folder, say, *, replaced: told.append((folder and folder.name, replaced))
    )
    for name in ("old", "new"):
        ws.promote(name, "best", gates=[])
    ws.rollback("best")
    ws.drop_alias("best")
    old, new = (ws.place.model(name) for name in ("old", "new"))
    assert told == [("old", None), ("new", old), ("old", new), (None, old)]


def test_an_alias_that_settings_name_is_not_dropped(tmp_path):
    ws = nextvec.open(tmp_path)
    write_json(ws.place.model("old") / CONFIG, {})
    ws.promote("old", "best", gates=[])
    settings = tmp_path / "serving.toml"
    settings.write_text('[[models]]\nmodel = "best"\n')
    with pytest.raises(UsageError, match=r"alias 'best' is named in .*serving\.toml\. Take it out there first"):
        ws.drop_alias("best")
    settings.unlink()
    server = Announcement(ws.place)
    server.tell(["old"], [], ["best"])
    with pytest.raises(UsageError, match=r"alias 'best' is being served by process \d+ .*Stop that server first"):
        ws.drop_alias("best")
    server.close()
    assert ws.drop_alias("best").model is None
    assert ws.aliases() == {}


@pytest.mark.parametrize("reason", [None, "a try"])
def test_an_alias_stands_for_no_inverter(tales, tmp_path, reason):
    """Nothing that an alias is asked for, nothing that is served, can be had of one."""
    ws = nextvec.open(tmp_path)
    shutil.copytree(tales.model("mix"), ws.place.model("writer"))
    write_json(ws.place.model("writer") / CONFIG, read_config(tales.model("mix")) | {"kind": "inverter"})
    with pytest.raises(UsageError, match="writer is an inverter: it decodes vectors and predicts none"):
        ws.promote("writer", "production", reason=reason)
    assert ws.aliases() == {}
