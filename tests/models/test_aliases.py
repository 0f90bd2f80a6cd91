"""Aliases: one name, one model at a time, and a record of every change."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from nextvec.errors import LostRaceError, NotFoundError, UsageError
from nextvec.models.aliases import Aliases, Change
from nextvec.records.names import CONFIG
from nextvec.workspace import Workspace


def make_model(place: Workspace, identity: str) -> None:
    """As far as aliases go, a folder with a config.json."""
    place.model(identity).mkdir(parents=True)
    (place.model(identity) / CONFIG).write_text("{}")


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    place = Workspace(tmp_path)
    for identity in ("gru-1", "gru-2", "gru-3"):
        make_model(place, identity)
    return place


@pytest.fixture
def aliases(place: Workspace) -> Aliases:
    return Aliases(place)


def test_a_model_stands_for_itself(aliases: Aliases) -> None:
    assert aliases.resolve("gru-1") == "gru-1"
    assert aliases.all() == {}


def test_a_promoted_model_is_what_the_alias_stands_for(aliases: Aliases) -> None:
    aliases.promote("production", "gru-1")
    aliases.promote("staging", "gru-2")
    assert aliases.resolve("production") == "gru-1"
    assert aliases.all() == {"production": "gru-1", "staging": "gru-2"}
    assert aliases.of("gru-2") == ["staging"]
    assert aliases.of("gru-3") == []


def test_an_alias_can_be_promoted_by_way_of_another(aliases: Aliases) -> None:
    aliases.promote("staging", "gru-2")
    assert aliases.promote("production", "staging").model == "gru-2"
    aliases.promote("staging", "gru-3")
    assert aliases.resolve("production") == "gru-2"


def test_history_says_who_replaced_whom_when_and_why(aliases: Aliases) -> None:
    gates = [{"gate": "cosine", "passed": False}]
    aliases.promote("production", "gru-1")
    aliases.promote("other", "gru-1")
    aliases.promote("production", "gru-2", gates=gates, forced="the only one there is")
    first, second = aliases.history("production")
    assert (first.model, first.replaced, first.forced) == ("gru-1", None, None)
    assert (second.model, second.replaced, second.forced) == ("gru-2", "gru-1", "the only one there is")
    assert list(second.gates) == gates
    assert datetime.now(UTC) - datetime.fromisoformat(second.at) < timedelta(minutes=1)
    assert [change.alias for change in aliases.history()] == ["production", "other", "production"]


def test_going_back_undoes_one_promotion_after_the_other(aliases: Aliases) -> None:
    for identity in ("gru-1", "gru-2", "gru-3"):
        aliases.promote("production", identity)
    assert aliases.rollback("production").model == "gru-2"
    change = aliases.rollback("production")
    assert (change.model, change.replaced, change.action) == ("gru-1", "gru-2", "rollback")
    with pytest.raises(UsageError, match="'production' has only ever been gru-1"):
        aliases.rollback("production")
    aliases.promote("production", "gru-3")
    assert aliases.rollback("production").model == "gru-1"


def test_changes_in_words() -> None:
    at = "2026-01-31T12:00:00.123456+00:00"
    first = Change(alias="production", model="a", replaced=None, at=at, action="promote")
    forced = Change(alias="production", model="b", replaced="a", at=at, action="promote", forced="a is broken")
    back = Change(alias="production", model="a", replaced="b", at=at, action="rollback")
    assert first.sentence == "production is a, since 2026-01-31 12:00:00 UTC"
    assert forced.sentence == "production is b, instead of a, since 2026-01-31 12:00:00 UTC (forced: a is broken)"
    assert back.sentence == "production is a, instead of b, since 2026-01-31 12:00:00 UTC (rolled back)"


def test_another_process_sees_it_at_once(aliases: Aliases, place: Workspace) -> None:
    Aliases(place).promote("production", "gru-1")
    assert aliases.resolve("production") == "gru-1"


def test_a_line_cut_off_by_a_kill_does_not_count(aliases: Aliases) -> None:
    aliases.promote("production", "gru-1")
    with aliases.record.open("a") as file:
        file.write('{"alias": "production", "mod')
    assert aliases.resolve("production") == "gru-1"
    aliases.promote("production", "gru-2")
    assert [json.loads(line)["model"] for line in aliases.record.read_text().splitlines()] == ["gru-1", "gru-2"]


def test_unknown_names_are_errors_with_the_nearest_one(aliases: Aliases) -> None:
    aliases.promote("production", "gru-1")
    with pytest.raises(NotFoundError, match=r"no alias 'productoin'\. Did you mean 'production'\?"):
        aliases.resolve("productoin")
    with pytest.raises(NotFoundError, match=r"Did you mean 'gru-[123]'\?"):
        aliases.promote("staging", "gru-4")
    with pytest.raises(NotFoundError, match=r"there is no alias 'stage'"):
        aliases.rollback("stage")
    with pytest.raises(UsageError, match=r"'../x' cannot name a model"):
        aliases.resolve("../x")
    assert len(aliases.history()) == 1


@pytest.mark.parametrize(
    ("alias", "model", "message"),
    [
        ("gru-2", "gru-1", "'gru-2' is the id of a model"),
        ("half", "gru-1", "'half' is the id of a model"),
        ("a/b", "gru-1", "'a/b' cannot name a model alias"),
        ("production", "gru-1", "'production' stands for gru-1 already"),
        ("production", "production", "'production' stands for gru-1 already"),
    ],
)
def test_what_cannot_be_promoted(aliases: Aliases, place: Workspace, alias: str, model: str, message: str) -> None:
    aliases.promote("production", "gru-1")
    place.model("half").mkdir()
    with pytest.raises(UsageError, match=message):
        aliases.promote(alias, model)
    assert len(aliases.history()) == 1


def test_a_model_may_not_take_the_name_of_an_alias(aliases: Aliases) -> None:
    aliases.promote("production", "gru-1")
    aliases.require_free("gru-4")
    with pytest.raises(UsageError, match="'production' is an alias of gru-1; choose another --name"):
        aliases.require_free("production")


def test_a_model_that_is_gone_is_named(aliases: Aliases, place: Workspace) -> None:
    aliases.promote("production", "gru-1")
    aliases.promote("production", "gru-2")
    (place.model("gru-1") / CONFIG).unlink()
    with pytest.raises(NotFoundError, match="'production' was gru-1 before, which is gone"):
        aliases.rollback("production")
    (place.model("gru-2") / CONFIG).unlink()
    with pytest.raises(NotFoundError, match="alias 'production' stands for gru-2, which is gone"):
        aliases.resolve("production")


def test_a_dropped_alias_stands_for_nothing_and_keeps_its_history(aliases: Aliases) -> None:
    aliases.promote("production", "gru-1")
    change = aliases.drop("production")
    assert (change.model, change.replaced, change.action) == (None, "gru-1", "drop")
    assert change.sentence.startswith("production is no model any more, it was gru-1, since ")
    assert aliases.all() == {}
    assert aliases.of("gru-1") == []
    assert [change.action for change in aliases.history("production")] == ["promote", "drop"]
    for gone in (aliases.drop, aliases.rollback, aliases.resolve):
        with pytest.raises(NotFoundError, match="no alias 'production'"):
            gone("production")


def test_what_was_promoted_before_a_drop_is_not_rolled_back_to(aliases: Aliases) -> None:
    aliases.promote("production", "gru-1")
    aliases.promote("production", "gru-2")
    aliases.drop("production")
    assert aliases.promote("production", "gru-3").replaced is None
    with pytest.raises(UsageError, match=r"only ever been gru-3.*nextvec aliases production --drop"):
        aliases.rollback("production")


@pytest.mark.parametrize("change", ["drop", "rollback"])
def test_of_two_changes_at_once_one_is_told_of_the_other(
    aliases: Aliases, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """The second has read the record before the first has written: both were recorded, and no change worked after."""
    for model in ("gru-1", "gru-2", "gru-3"):
        aliases.promote("production", model)
    second = Aliases(aliases._workspace)
    read = second._in_force("production")
    monkeypatch.setattr(second, "_in_force", lambda alias: read)
    getattr(aliases, change)("production")
    with pytest.raises(LostRaceError, match=r"'production' was gru-3 and has just been made (none|gru-2) by another"):
        getattr(second, change)("production")
    assert len(aliases.history()) == 4


def test_a_change_that_was_recorded_twice_counts_once(aliases: Aliases) -> None:
    """As two processes did before they were told of each other."""
    for model in ("gru-1", "gru-2", "gru-3"):
        aliases.promote("production", model)
        aliases.promote("other", model)
    aliases.rollback("production")
    aliases.drop("other")
    lines = aliases.record.read_text("utf-8").splitlines(keepends=True)
    aliases.record.write_text("".join([*lines, *lines[-2:]]), "utf-8")
    assert aliases.all() == {"production": "gru-2"}
    assert aliases.rollback("production").model == "gru-1"
    with pytest.raises(NotFoundError, match="there is no alias 'other'"):
        aliases.drop("other")
