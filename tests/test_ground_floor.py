"""Errors, registry, configuration, fingerprints, records, workspace."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

import pytest

from nextvec.config import Config, parse_assignments, parse_query, with_query
from nextvec.errors import IntegrityError, MissingDependencyError, NextvecError, NotFoundError, UsageError, did_you_mean
from nextvec.fingerprint import fingerprint, fingerprint_bytes, sha256_file
from nextvec.interface.doctor import examine
from nextvec.records import BLOCK, append_beside, append_line, read_json, read_lines, taken_apart, write_json
from nextvec.registry import Registry
from nextvec.workspace import VARIABLE, Workspace, generation_name, numbered_version, parse_reference


class Options(Config):
    layers: int = 2
    dropout: float = 0.1
    most: int | None = None
    causal: bool = False


def test_an_unknown_name_is_answered_with_the_nearest_known_one() -> None:
    error = UsageError.unknown("architecture", "transfromer", ["gru", "transformer", "gru"])
    assert str(error) == "unknown architecture 'transfromer'. Did you mean 'transformer'? Known: gru, transformer."
    assert error.exit_status == 2


def test_a_name_is_no_hint_for_itself() -> None:
    assert did_you_mean("m2", ["m2"]) == ""
    assert did_you_mean("m2", ["m2", "m3"]) == "Did you mean 'm3'? "


def test_what_is_kept_beside_a_model_makes_no_folder_anew(tmp_path: Path) -> None:
    write_json(tmp_path / "m" / "config.json", {})
    append_beside(tmp_path / "m" / "told.jsonl", {"n": 1})
    assert read_lines(tmp_path / "m" / "told.jsonl") == [{"n": 1}]
    (tmp_path / "m").rename(tmp_path / "n")
    with pytest.raises(NotFoundError, match=r"told\.jsonl is not kept: the model at .*m was renamed, archived or"):
        append_beside(tmp_path / "m" / "told.jsonl", {"n": 2})
    assert not (tmp_path / "m").exists()


def test_errors_of_the_work_exit_with_one() -> None:
    assert NextvecError.exit_status == IntegrityError.exit_status == 1
    assert "pip install 'nextvec[hf]'" in str(MissingDependencyError.for_extra("datasets", "hf"))


def test_a_config_converts_strings_and_is_frozen() -> None:
    options = Options.parse({"layers": "3"}, owner="gru")
    assert options.to_dict() == {"layers": 3, "dropout": 0.1, "most": None, "causal": False}
    with pytest.raises(ValueError, match="frozen"):
        options.layers = 4  # type: ignore[misc]


@pytest.mark.parametrize("field", ["layers", "dropout", "most"])
def test_true_is_no_number_of_a_config(field: str) -> None:
    with pytest.raises(UsageError, match=rf"^gru: {field} = True: expected a number"):
        Options.parse({field: True}, owner="gru")
    assert Options.parse({"causal": True, "most": None}, owner="gru").causal


def test_a_config_refuses_unknown_keys_and_bad_values_by_name() -> None:
    with pytest.raises(UsageError, match=r"unknown option of gru 'layer'\. Did you mean 'layers'"):
        Options.parse({"layer": 3}, owner="gru")
    with pytest.raises(UsageError, match="gru: layers = 'many'"):
        Options.parse({"layers": "many"}, owner="gru")


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e999"])
def test_a_config_holds_finite_numbers_alone(value: str) -> None:
    with pytest.raises(UsageError, match=f"gru: dropout = '{value}': Input should be a finite number"):
        Options.parse({"dropout": value}, owner="gru")


def test_assignments() -> None:
    assert parse_assignments(["lr=1e-3", "anchor=none"]) == {"lr": "1e-3", "anchor": "none"}
    with pytest.raises(UsageError, match="expected key=value"):
        parse_assignments(["lr"])
    with pytest.raises(UsageError, match="given twice"):
        parse_assignments(["lr=1", "lr=2"])


@pytest.mark.parametrize(
    ("reference", "body", "options"),
    [
        ("a:b", "a:b", {}),
        ("a?", "a", {}),
        ("a?x=1&y=2", "a", {"x": "1", "y": "2"}),
        ("a?x=what is it? &y=", "a", {"x": "what is it? ", "y": ""}),
        ("a?x=b%26c+d", "a", {"x": "b&c d"}),
    ],
)
def test_what_follows_a_question_mark(reference: str, body: str, options: dict[str, str]) -> None:
    assert parse_query(reference, owner="a") == (body, options)
    assert parse_query(with_query(body, options), owner="a") == (body, options)


def test_what_follows_a_question_mark_is_key_and_value_once() -> None:
    with pytest.raises(UsageError, match=r"source a: after '\?' expected key=value\[&key=value\], got 'x'"):
        parse_query("a?x", owner="source a")
    with pytest.raises(UsageError, match=r"a: 'x' is given twice after '\?'"):
        parse_query("a?x=1&x=2", owner="a")


def test_fingerprints_do_not_depend_on_the_order_of_keys(tmp_path: Path) -> None:
    assert fingerprint({"a": 1, "b": [2]}) == fingerprint({"b": [2], "a": 1}) != fingerprint({"a": 1, "b": [3]})
    assert len(fingerprint(None)) == 16
    assert fingerprint_bytes([b"ab", b"c"]) == fingerprint_bytes([b"abc"])
    (tmp_path / "file").write_bytes(b"abc")
    assert sha256_file(tmp_path / "file").startswith("ba7816bf")


def test_a_registry_refuses_two_things_of_one_name() -> None:
    registry: Registry[type] = Registry("chunkers", "nextvec.corpus.chunkers")
    registry.register("x")(Options)
    assert registry.register("x")(Options) is Options
    with pytest.raises(UsageError, match="registered twice"):
        registry.register("x")(Config)


@pytest.mark.parametrize("name", ["", "my own", "a:b", "a,b", "a/b", "-a", 3])
def test_a_name_that_could_not_be_asked_for_is_refused(name: str) -> None:
    registry: Registry[type] = Registry("chunkers", "nextvec.corpus.chunkers")
    with pytest.raises(UsageError, match=f"chunkers: {name!r} is no name; give letters"):
        registry.register(name)
    registry.register("my-own.2_ö")(Options)


def test_a_name_that_is_taken_says_whose_component_has_it_not_what_holds_that() -> None:
    registry: Registry[list[type]] = Registry("chunkers", "nextvec.corpus.chunkers", made_by=lambda held: held[0])
    registry.register("x")([Options])
    with pytest.raises(UsageError, match=r"twice, by \S+\.Options and nextvec\.config\.Config\. Choose another"):
        registry.register("x")([Config])


def test_a_package_whose_extension_fails_is_named_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "theirs_broken.py").write_text("import nothing_of_that_name")
    (tmp_path / "theirs-1.0.dist-info").mkdir()
    (tmp_path / "theirs-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    points = "[nextvec.chunkers]\nmine = theirs_broken\n[nextvec.chunker]\nother = theirs_broken\n"
    (tmp_path / "theirs-1.0.dist-info" / "entry_points.txt").write_text(points)
    monkeypatch.syspath_prepend(tmp_path)
    expected = (
        r"package 'theirs' brings nextvec.chunkers 'mine' from theirs_broken, which cannot be loaded: "
        r"ModuleNotFoundError: No module named 'nothing_of_that_name'\. Mend it, or remove it: pip uninstall theirs"
    )
    with pytest.raises(UsageError, match=expected):
        Registry("chunkers", "nextvec.corpus.chunkers").names()
    found = [finding for finding in examine(Workspace(tmp_path / "ws")) if finding.what == "package theirs"]
    assert [finding.state for finding in found] == ["wrong", "wrong"]
    assert any("Did you mean 'nextvec.chunkers'" in finding.found for finding in found)


def test_a_registry_files_nothing_that_its_check_refuses() -> None:
    def check(name: str, entry: type, known: Mapping[str, type]) -> None:
        if entry in known.values():
            raise UsageError(f"{name} is known")

    registry: Registry[type] = Registry("chunkers", "nextvec.corpus.chunkers", check=check)
    registry.register("x")(Options)
    with pytest.raises(UsageError, match="y is known"):
        registry.register("y")(Options)
    assert "y" not in registry


def test_json_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "a.json"
    write_json(path, {"x": 1})
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(path, {"x": float("nan")})
    assert read_json(path) == {"x": 1}
    assert [file.name for file in path.parent.iterdir()] == ["a.json"]
    path.write_text("{")
    with pytest.raises(IntegrityError, match="is not JSON"):
        read_json(path)
    with pytest.raises(IntegrityError, match="missing"):
        read_json(tmp_path / "none.json")


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "is not JSON"),
        (b"\0" * 9, "is not JSON"),
        (b"\xff", "is not JSON"),
        (b"[]", "a JSON list"),
        (b"null", "NoneType"),
    ],
)
def test_a_record_is_an_object_or_damaged(tmp_path: Path, content: bytes, what: str) -> None:
    path, lines = tmp_path / "a.json", tmp_path / "a.jsonl"
    path.write_bytes(content)
    lines.write_bytes(b'{"n": 1}\n' + (content or b"{") + b"\n")
    with pytest.raises(IntegrityError, match=f"a.json .*{what}.*Restore it from a copy"):
        read_json(path)
    with pytest.raises(IntegrityError, match=rf"a.jsonl, line 2, .*{what if content else 'is not JSON'}"):
        read_lines(lines)


@pytest.mark.parametrize("wrong", [{}, {"n": "x"}, {"n": None}, {"n": [1]}])
def test_a_record_without_its_parts_is_damaged(tmp_path: Path, wrong: dict[str, object]) -> None:
    with pytest.raises(IntegrityError, match=r"a\.json is not as it was written"), taken_apart(tmp_path / "a.json"):
        len(range(wrong["n"]))  # type: ignore[call-overload]


def test_a_line_cut_off_by_a_killed_run_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    assert read_lines(path) == []
    append_line(path, {"n": 1})
    with path.open("ab") as file:
        file.write(b'{"n": 2')
    assert read_lines(path) == [{"n": 1}]
    append_line(path, {"n": 3})
    assert read_lines(path) == [{"n": 1}, {"n": 3}]


@pytest.mark.parametrize("cut", [1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK])
@pytest.mark.parametrize("lines", [0, 1, 2, 9000])
def test_a_cut_off_line_of_any_length_is_dropped_after_any_number_of_lines(
    cut: int, lines: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"n": 1}\n' * lines + b"x" * cut)
    append_line(path, {"n": 2})
    assert path.read_bytes() == b'{"n": 1}\n' * lines + b'{"n": 2}\n'


def test_appending_reads_the_end_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, asked = tmp_path / "a.jsonl", []
    path.write_bytes(b'{"n": 1}\n' * 100_000)

    class Counting(io.BufferedRandom):
        def read(self, size: int | None = -1) -> bytes:
            asked.append(size)
            return super().read(size)

    monkeypatch.setattr(Path, "open", lambda path, mode: Counting(io.FileIO(path, "a+")))
    append_line(path, {"n": 2})
    assert asked == [1]


def test_workspace_paths_and_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    workspace = Workspace()
    assert workspace.corpus("wiki") == tmp_path / "corpora" / "wiki.lance"
    assert not (tmp_path / "corpora").exists()
    for bad in ("../x", "", ".hidden", "a/b", "a b", "x" * 101):
        with pytest.raises(UsageError, match="cannot name a"):
            workspace.model(bad)


def test_references() -> None:
    assert parse_reference("wiki") == ("wiki", None)
    assert parse_reference("wiki@small") == ("wiki", "small")
    with pytest.raises(UsageError):
        parse_reference("wiki@")


def test_a_generation_is_named_by_tag_or_by_version() -> None:
    assert [generation_name("c", tag, 3) for tag in (None, "small")] == ["c@v3", "c@small"]
    assert parse_reference(generation_name("c", None, 3)) == ("c", "v3")
    assert [numbered_version(name) for name in ("v3", "v12", "v0", "v03", "3", "v3x", "version")] == [
        3,
        12,
        *[None] * 5,
    ]
