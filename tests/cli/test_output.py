"""Tables on 80 columns, and what is told of work."""

from __future__ import annotations

import shutil

import pytest

import nextvec as api
from nextvec.cli.output import print_table, read_each
from nextvec.cli.progress import work_told

NAME = "lstm-reference-lr-0.0001-wiki-14k (3 seeds)"
WORD = "models/" * 9


@pytest.fixture(autouse=True)
def narrow(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")


def test_a_name_that_does_not_fit_is_folded_at_a_hyphen_and_no_number_in_two(capsys):
    row = [NAME, "0.3215", "0.2814..0.3588", "-46.8%", "is the best baseline"]
    print_table(
        ["model", "cosine", "95 %", "skill", "against the best baseline"], [row], right=["cosine", "95 %", "skill"]
    )
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert any("0.0001" in line for line in lines)
    for figure in row[1:4]:
        assert any(figure in line for line in lines)


def test_a_figure_s_pool_is_in_its_heading(capsys):
    """Brackets are no markup."""
    print_table(["source", "mrr[document]", "mrr[ahead]"], [["a", "0.1", "0.2"]])
    assert capsys.readouterr().out.split()[:3] == ["source", "mrr[document]", "mrr[ahead]"]


def test_a_name_that_fits_is_left_alone(capsys):
    print_table(["model", "cosine"], [[NAME, "0.3215"]])
    assert f"{NAME}  0.3215" in capsys.readouterr().out


@pytest.mark.parametrize(("columns", "width"), [("0", 80), ("20", 40)])
def test_an_unknown_or_tiny_width_still_shows_a_table(monkeypatch, capsys, columns, width):
    monkeypatch.setenv("COLUMNS", columns)
    print_table(["model", "cosine", "against"], [[NAME, "0.3215", "the best baseline of all that there are"]])
    shown = capsys.readouterr().out
    assert "0.3215" in shown
    assert width / 2 < max(map(len, shown.splitlines())) <= width


@pytest.mark.parametrize("width", [80, 90])
def test_a_name_is_folded_at_its_hyphens_however_the_heads_of_numbers_are_folded(monkeypatch, capsys, width):
    monkeypatch.setenv("COLUMNS", str(width))
    row = ["recommended-wiki-articles", "transformer", "ridge-mix", "wiki@large", "1,836,994", "0.4505"]
    columns = ["model", "architecture", "anchor", "corpus", "parameters", "val. cosine"]
    print_table(columns, [row], right=columns[4:])
    cells = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [*row[1:]] in [line[-5:] for line in cells]
    assert next(line[0] for line in cells if line and row[0].startswith(line[0])) in (row[0], "recommended-wiki-")


def test_a_long_text_is_folded_before_short_names_are(capsys):
    print_table(["", "found"], [["extra documents", "brotli, fonttools, mammoth, " * 5], ["Python", "3.11"]])
    lines = capsys.readouterr().out.splitlines()
    assert any(line.strip().startswith("extra documents  brotli") for line in lines)
    assert max(map(len, lines)) <= 80


def test_a_column_of_numbers_of_rows_takes_no_more_than_they_need(capsys):
    print_table(["", "score", "candidate"], [["1", "-1.714", "A text of words. " * 12]], right=["", "score"])
    assert " 1  -1.714  A text" in capsys.readouterr().out


def test_away_from_a_terminal_names_and_words_are_whole_and_texts_on_80_columns(monkeypatch, capsys):
    monkeypatch.delenv("COLUMNS")
    print_table(["model", "cosine", "against"], [[NAME * 3, "0.3215", WORD]], right=["cosine"])
    assert f"{NAME * 3}  0.3215  {WORD}" in capsys.readouterr().out
    print_table(["model", "cosine", "against"], [[NAME, "0.3215", "the best baseline of all " * 3]], right=["cosine"])
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith(f" {NAME}  0.3215  the best baseline") for line in lines)
    assert max(map(len, lines)) <= 80


def test_work_is_told_every_few_seconds_away_from_a_terminal(monkeypatch, capsys):
    times = iter([0.0, 0.5, 2.5, 2.5, 3.0, 4.0])
    monkeypatch.setattr("nextvec.cli.progress.time.monotonic", lambda: next(times))
    with work_told() as say:
        for line in ("first", "second", "third", "fourth"):
            say(line)
    assert capsys.readouterr().err == "second\n"


def test_what_goes_between_list_and_look_is_left_out(workspace, tmp_path):
    shutil.copytree(workspace.root, tmp_path / "own")
    place = api.open(tmp_path / "own")
    corpora, models = place.corpora(), place.models()
    shutil.rmtree(place.place.corpus("tales"))
    shutil.rmtree(place.place.model("mix"))
    assert read_each(lambda corpus: corpus.info(), corpora) == ([], 0)
    summaries, damaged = read_each(lambda model: model.summary, models)
    assert ([summary["name"] for summary in summaries], damaged) == (["gru"], 0)
