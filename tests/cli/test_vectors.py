"""`nextvec predict` and `decode` on files as other programs write them."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nextvec.models.baselines.ridge import EwmaMix


@pytest.fixture(scope="module")
def place(nextvec, write_prose, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("vectors")
    text = write_prose(folder / "text")
    encoder, split = ["--encoder", "hashing:32"], ["--test", 200, "--validation", 400]
    nextvec("corpus", "ingest", text, "--corpus", "tales", *encoder, *split, workspace=folder)
    nextvec("train", "ewma-mix", "--corpus", "tales", "--name", "mix", workspace=folder)
    nextvec("encode", *["The of was in.", "In was of the.", "Was the of in."], *encoder, "--out", folder / "in.npy")
    return folder


@pytest.fixture
def vectors(place: Path) -> Any:
    return np.load(place / "in.npy")


@pytest.fixture
def ask(nextvec, place: Path, tmp_path: Path):
    """`ask("predict", array)`: what a command says of a file with that array."""

    def ask(command: str, array: Any, expect: int = 0) -> Any:
        np.save(tmp_path / "x.npy", array)
        rest = {"predict": ["--model", "mix", "--out", tmp_path / "out.npy"], "decode": ["tales", "--json"]}[command]
        return nextvec(command, tmp_path / "x.npy", *rest, workspace=place, expect=expect)

    return ask


@pytest.mark.parametrize("dtype", ["<f4", ">f4", "<f8", ">f8"])
def test_floats_of_any_kind_predict_the_same(ask, vectors: Any, tmp_path: Path, dtype: str) -> None:
    ask("predict", vectors)
    expected = np.load(tmp_path / "out.npy")
    told = ask("predict", np.asfortranarray(vectors).astype(dtype))
    assert (np.load(tmp_path / "out.npy") == expected).all()
    assert ("big-endian" in told.err) == (dtype[0] == ">")


@pytest.mark.parametrize("dtype", ["<f4", ">f4", ">f8"])
def test_and_are_decoded_the_same(ask, vectors: Any, dtype: str) -> None:
    assert ask("decode", vectors.astype(dtype)).out == ask("decode", vectors).out


def test_stored_chunks_are_edited(nextvec, place: Path) -> None:
    def decoded(*options: Any) -> list[dict[str, Any]]:
        line = ["decode", place / "in.npy", "tales", "--json", *options]
        return json.loads(nextvec(*line, workspace=place).out)

    edited = decoded("--decoder", "edit?bank=all", "--set", "bound=2")
    assert all(new["cosine"] >= old["cosine"] for new, old in zip(edited, decoded(), strict=True))
    assert any(one["title"] is None for one in edited)
    assert edited == decoded("--decoder", "edit?bank=all", "--set", "bound=2")


def test_another_norm_than_1_is_scaled_where_a_direction_will_do(ask, vectors: Any) -> None:
    plain, scaled = (json.loads(ask("decode", array).out) for array in (vectors, 30 * vectors))
    assert [one["text"] for one in plain] == [one["text"] for one in scaled]
    assert [one["cosine"] for one in plain] == pytest.approx([one["cosine"] for one in scaled], abs=1e-6)


def test_and_refused_where_it_decides_what_comes_out(ask, vectors: Any) -> None:
    told = ask("predict", 30 * vectors, expect=1).err
    assert "x.npy: vector 0 has norm 30, not norm 1; expected vectors of norm 1" in told


@pytest.mark.parametrize("command", ["predict", "decode"])
@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda x: x * np.array([[1], [0], [1]], np.float32), "x.npy: vector 1 is zero"),
        (lambda x: x * np.array([[1], [1], [np.nan]], np.float32), "x.npy: vector 2 holds NaN"),
        (lambda x: (127 * x).astype(np.int8), "x.npy holds int8, whole numbers, not vectors"),
        (lambda x: (127 * x).astype(">i4"), "x.npy holds big-endian int32, whole numbers, not vectors"),
        (lambda x: x[:, :16], "x.npy holds 16-D vectors; "),
        (lambda x: x[0], "x.npy holds one row of 32 numbers"),
    ],
)
def test_what_is_no_vector_is_one_line(ask, vectors: Any, tmp_path: Path, command: str, change: Any, told: str) -> None:
    result = ask(command, change(vectors), expect=1)
    assert told in result.err
    assert (result.out, result.err.count("\n")) == ("", 1)
    assert not (tmp_path / "out.npy").exists()


@pytest.mark.parametrize(("end", "following"), [("", None), ("\n", [[-1, -1, 1]])])
def test_lines_say_where_paragraphs_begin_and_predict_reads_it(
    nextvec, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str, following: Any
) -> None:
    out = ["--out", tmp_path / "in.npy", "--breaks", tmp_path / "breaks.txt"]
    monkeypatch.setattr("sys.stdin", io.StringIO(f"\nThe of was in.\nIn was of the.\n \nWas the of in.\n{end}"))
    nextvec("encode", *out, "--encoder", "hashing:32")
    assert (tmp_path / "breaks.txt").read_text() == "1\n0\n1\n" + ("1\n" if end else "")

    told: list[Any] = []
    forecast = EwmaMix.forecast

    def listen(baseline: Any, x_BTD: Any, mask_BT: Any, *known: Any) -> Any:
        told.append([None if codes is None else codes.tolist() for codes in known[:2]])
        return forecast(baseline, x_BTD, mask_BT, *known)

    monkeypatch.setattr(EwmaMix, "forecast", listen)
    ask = ["predict", tmp_path / "in.npy", "--model", "mix", "--out", tmp_path / "out.npy"]
    nextvec(*ask, "--breaks", tmp_path / "breaks.txt", workspace=place)
    nextvec(*ask, workspace=place)
    assert [known for known in told if known and known[0] is not None] == [[[[1, 0, 1]], following]]


@pytest.mark.parametrize(
    ("breaks", "told"),
    [("1 0", "holds 2 codes for 3 rows; expected one each, or one more"), ("1 0 yes", "holds b'yes'; expected 1")],
)
def test_breaks_that_do_not_fit_are_told(nextvec, place: Path, tmp_path: Path, breaks: str, told: str) -> None:
    (tmp_path / "breaks.txt").write_text(breaks)
    ask = ["predict", place / "in.npy", "--model", "mix", "--out", tmp_path / "out.npy"]
    assert told in nextvec(*ask, "--breaks", tmp_path / "breaks.txt", workspace=place, expect=1).err


@pytest.mark.parametrize("errors", ["strict", "surrogateescape"])
def test_what_is_no_text_is_not_encoded(nextvec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, errors: str) -> None:
    """In the locale of C, bytes of any kind are read."""
    given = io.TextIOWrapper(io.BytesIO(b"A text.\nca\xe9 au lait\n"), encoding="ascii", errors=errors)
    monkeypatch.setattr("sys.stdin", given)
    told = nextvec("encode", "--encoder", "hashing:32", "--out", tmp_path / "x.npy", expect=2).err
    assert told.startswith("nextvec: standard input is not utf-8 text")
    assert not (tmp_path / "x.npy").exists()


def test_a_folder_is_told_before_anything_is_encoded(nextvec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("x.npy").mkdir()
    assert "'x.npy' is a directory" in nextvec("encode", "A.", "--encoder", "none", "--out", "x.npy", expect=2).err


def test_what_was_there_is_kept_until_all_is_written(nextvec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "x.npy"
    out.write_bytes(b"before")
    monkeypatch.setattr("numpy.save", lambda file, vectors: (file.write(b"half"), file.fileno() // 0))
    with pytest.raises(ZeroDivisionError):
        nextvec("encode", "A text.", "--encoder", "hashing:32", "--out", out)
    assert [path.name for path in tmp_path.iterdir()] == ["x.npy"]
    assert out.read_bytes() == b"before"


def test_texts_as_arguments_say_nothing_of_paragraphs(nextvec, tmp_path: Path) -> None:
    out = ["--out", tmp_path / "in.npy", "--breaks", tmp_path / "breaks.txt"]
    told = nextvec("encode", "The of was in.", *out, "--encoder", "hashing:32", expect=2).err
    assert "texts as arguments say nothing of paragraphs" in told
