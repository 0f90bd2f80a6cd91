"""What a machine has copies of, beside other machines that write to the same bucket."""

from __future__ import annotations

from pathlib import Path

import pytest

from nextvec.errors import LostRaceError, NotFoundError
from nextvec.mirror import discard, fetch, fetch_folder, publish, rewrite
from nextvec.records import (
    append_beside,
    append_here,
    append_if,
    append_line,
    read_json,
    read_lines,
    write_atomic,
    write_json,
)
from nextvec.storage import Place, place_of, workspace_folder


@pytest.fixture
def at(bucket):
    """`at("models/a.json")`: the copy of it on the machine that is entered."""

    def at(key: str) -> Path:
        return workspace_folder(bucket) / key

    return at


def test_what_one_machine_writes_another_reads(at, machine):
    write_json(at("models/a/config.json"), {"a": 1})
    machine("second")
    assert not at("models").exists()
    fetch_folder(at("models"))
    assert read_json(at("models/a/config.json")) == {"a": 1}
    write_json(at("models/a/config.json"), {"a": 2})
    machine("first")
    assert read_json(at("models/a/config.json")) == {"a": 1}
    fetch(at("models/a/config.json"))
    assert read_json(at("models/a/config.json")) == {"a": 2}


def test_of_two_that_write_the_second_loses(at, machine):
    path = "models/a/config.json"
    write_json(at(path), {"by": "first"})
    machine("second")
    with pytest.raises(LostRaceError, match=f"{path} was written by another process"):
        write_json(at(path), {"by": "second"})
    assert not at(path).exists()
    fetch(at(path))
    assert read_json(at(path)) == {"by": "first"}
    write_json(at(path), {"by": "second"})


def test_only_records_are_brought_until_the_rest_is_read(at, machine):
    for name in ("config.json", "model.safetensors", "checkpoints/last.pt"):
        write_atomic(at(f"models/a/{name}"), b"{}")
    machine("second")
    fetch_folder(at("models/a"), (".json",))
    assert [path.name for path in at("models/a").iterdir()] == ["config.json"]
    fetch(at("models/a/model.safetensors"))
    assert at("models/a/model.safetensors").read_bytes() == b"{}"


def test_a_copy_has_the_date_of_its_object_and_another_one_for_another_content(at, machine):
    path, stamps = "studies/s/comparison.json", []
    for content in (b"1", b"2", b"3"):
        machine("first")
        write_atomic(at(path), content)
        machine("second")
        fetch_folder(at("studies"))
        stamps.append(at(path).stat().st_mtime_ns)
    assert stamps == sorted(set(stamps))
    assert abs(stamps[0] / 1e9 - place_of(at(path)).read().modified.timestamp()) < 60


def test_what_is_gone_from_the_bucket_goes_from_here(at, machine):
    write_json(at("models/a/config.json"), {})
    write_json(at("models/b/config.json"), {})
    machine("second")
    fetch_folder(at("models"))
    discard(at("models/a/config.json"))
    assert not at("models/a/config.json").exists()
    machine("first")
    fetch_folder(at("models"))
    assert [path.name for path in at("models").iterdir()] == ["b"]
    fetch(at("models/a/config.json"))


def test_a_file_that_is_ahead_of_its_object_stays(at, machine):
    log = at("models/a/run.jsonl")
    append_here(log, {"n": 1})
    publish(log)
    append_here(log, {"n": 2})
    fetch_folder(at("models"))
    assert read_lines(log) == [{"n": 1}, {"n": 2}]
    publish(log)
    machine("second")
    fetch(at("models/a/run.jsonl"))
    assert read_lines(at("models/a/run.jsonl")) == [{"n": 1}, {"n": 2}]


def test_appended_lines_of_two_machines_are_all_kept(at, machine):
    for name, line in (("first", 1), ("second", 2), ("first", 3)):
        machine(name)
        append_line(at("models/a/evaluations.jsonl"), {"n": line})
    assert read_lines(at("models/a/evaluations.jsonl")) == [{"n": n} for n in (1, 2, 3)]


def test_a_change_is_made_again_when_another_came_first(at):
    path = at("models/a/evaluations.jsonl")
    rivals = [b"rival\n"]

    def change(content: bytes) -> bytes:
        if rivals:
            place_of(path).write(rivals.pop(), None)
        return content + b"own\n"

    rewrite(path, change)
    assert path.read_bytes() == b"rival\nown\n"


def test_what_a_line_rests_on_is_checked_against_the_newest(at, machine):
    append_line(at("models/aliases.jsonl"), {"n": 1})
    machine("second")
    seen = []
    append_if(at("models/aliases.jsonl"), {"n": 2}, seen.append)
    assert seen == [[{"n": 1}]]

    def refuse(lines):
        raise LostRaceError("lost")

    with pytest.raises(LostRaceError, match="lost"):
        append_if(at("models/aliases.jsonl"), {"n": 3}, refuse)
    assert read_lines(at("models/aliases.jsonl")) == [{"n": 1}, {"n": 2}]


def test_a_cache_is_never_published(at, bucket):
    write_json(at("cache/baselines/a.json"), {})
    append_line(at("cache/baselines/b.jsonl"), {"n": 1})
    assert read_lines(at("cache/baselines/b.jsonl")) == [{"n": 1}]
    assert Place(bucket, "").below() == {}


def test_where_there_is_no_bucket_nothing_is_done(tmp_path):
    path = tmp_path / "a.json"
    for function in (fetch, fetch_folder, publish, discard):
        function(path)
    write_json(path, 1)
    fetch(path)
    assert [file.name for file in tmp_path.iterdir()] == ["a.json"]
    discard(path)
    assert not path.exists()


def test_what_is_kept_beside_a_model_another_machine_has_removed_is_not_written(at, machine):
    write_json(at("models/a/config.json"), {})
    append_beside(at("models/a/told.jsonl"), {"n": 1})
    machine("second")
    fetch_folder(at("models"))
    for name in ("config.json", "told.jsonl"):
        discard(at(f"models/a/{name}"))
    machine("first")
    with pytest.raises(NotFoundError, match=r"told\.jsonl is not kept"):
        append_beside(at("models/a/told.jsonl"), {"n": 2})
    fetch_folder(at("models"))
    assert not at("models/a").exists()
