"""Generated documents: what is stale is named, what is read is shown, nothing is invented."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import pytest
import typer
from pydantic import Field

from nextvec.config import Config
from nextvec.errors import DataError

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def generate() -> Iterator[ModuleType]:
    """The script, with its folder first in the path, as Python starts it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "docs"))
        yield _loaded()


def _loaded() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def claim(**changed: Any) -> dict[str, Any]:
    known = {"what": "Speed", "figure": 4.25, "reference": "the usual way", "unit": "x", "bound": "at least 4 x"}
    return known | {"met": True} | changed


def record(*claims: dict[str, Any], **changed: Any) -> dict[str, Any]:
    known = {"dataset": "10 texts", "threads": 2, "load_average": 0.5, "limits": ["It says nothing on slow machines."]}
    return known | {"claims": list(claims)} | changed


@pytest.fixture
def quality() -> dict[str, Any]:
    """As benchmarks/quality.py leaves it, as small as can be; what is shown of it: test_results.py."""
    part = {
        "corpus": "wiki@d10", "encoder": "minilm", "documents": 3, "targets": 9, "hardware": "x86_64", "rows": [],
        "contrasts": [],
    }  # fmt: skip
    half = {"estimate": 0.5, "low": 0.4, "high": 0.6}
    subject = {"trained_on": "wiki@d10", "trained_rows": 9, "parameters": 1}
    figures = dict.fromkeys(["cosine", "mrr[document]", "log_loss[document]"], half)
    row = {"name": "m", "kind": "model", "runs": 1, "subject": subject, "figures": figures}
    provenance = {"encoder": "minilm", "hours": 0.5}
    return {"model": part, "data": {**part, "rows": [row]}, "provenance": provenance}


@pytest.fixture
def repository(tmp_path: Path, quality: dict[str, Any]) -> Path:
    """A small repository: one benchmark, a README with the two marks, results."""
    results = tmp_path / "benchmarks" / "results"
    results.mkdir(parents=True)
    (results / "speed.json").write_text(json.dumps(record(claim())))
    (tmp_path / "docs" / "results").mkdir(parents=True)
    (tmp_path / "docs" / "results" / "quality.json").write_text(json.dumps(quality))
    (tmp_path / "README.md").write_text("Before\n<!-- results:begin -->\nold\n<!-- results:end -->\nAfter\n")
    return tmp_path


def test_written_once_nothing_is_stale(
    generate: ModuleType, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert generate.main(repository, []) == 0
    assert capsys.readouterr().out.count("written: ") == 9
    assert generate.main(repository, ["--check"]) == 0
    assert generate.main(repository, []) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "name",
    [
        "docs/benchmarks.md",
        "docs/commands.md",
        "docs/encoders.md",
        "docs/models.md",
        "docs/sources.md",
        "docs/results.md",
        "README.md",
    ],
)
def test_what_is_stale_is_named(
    generate: ModuleType, repository: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    generate.main(repository, [])
    path = repository / name
    changed = path.read_text().replace("MRR" if name == "README.md" else "#", "edited by hand", 1)
    path.write_text(changed)
    assert generate.main(repository, ["--check"]) == 1
    assert capsys.readouterr().err == f"stale: {name}. Run: python docs/generate.py\n"
    assert path.read_text() == changed


def test_new_results_make_documents_stale(generate: ModuleType, repository: Path) -> None:
    generate.main(repository, [])
    (repository / "benchmarks" / "results" / "speed.json").write_text(json.dumps(record(claim(figure=1.0))))
    assert generate.main(repository, ["--check"]) == 1


def test_a_readme_without_results_is_left_alone(generate: ModuleType, repository: Path) -> None:
    (repository / "docs" / "results" / "quality.json").unlink()
    generate.main(repository, [])
    assert "old" in (repository / "README.md").read_text()
    (repository / "README.md").unlink()
    assert generate.main(repository, ["--check"]) == 0


def test_a_readme_without_marks_is_an_error(generate: ModuleType, quality: dict[str, Any]) -> None:
    with pytest.raises(DataError, match="expected the lines"):
        generate.with_results("no marks", quality)


def test_only_the_block_of_the_readme_changes(generate: ModuleType, repository: Path) -> None:
    generate.main(repository, [])
    text = (repository / "README.md").read_text()
    assert text.startswith("Before\n<!-- results:begin -->\n| ")
    assert text.endswith("\n<!-- results:end -->\nAfter\n")


def test_claims_show_whether_they_are_met(generate: ModuleType) -> None:
    met, missed = claim(), claim(what="Slow", figure=0.123456, met=False)
    free = claim(what="A | B", unit="s", bound="", met=None)
    page = generate.benchmarks_page({"speed": record(met, missed, free, threads=None)})
    assert "| Speed | 4.25 | the usual way | at least 4 | yes | not recorded | 0.5 | 10 texts |" in page
    assert "| Slow | 0.123 | the usual way | at least 4 | **no** |" in page
    assert "| A \\| B | 4.25 s | the usual way |  |  |" in page
    assert "* speed: It says nothing on slow machines." in page


def test_results_of_another_form_say_what_to_run(generate: ModuleType) -> None:
    with pytest.raises(DataError, match=r"speed\.json holds no claims. Run: python benchmarks/speed\.py"):
        generate.benchmarks_page({"speed": {"ratio": 2.0}})


def test_commands_are_walked_to_the_leaves_without_colours(generate: ModuleType) -> None:
    app, below = typer.Typer(help="All."), typer.Typer(help="Some.")

    @below.command("do")
    def do(speed: Annotated[int, typer.Option("--speed", help="How fast. " * 20)] = 3) -> None:
        """Do it."""

    @app.command("other")
    def other() -> None:
        """Another."""

    app.add_typer(below, name="group")
    page = generate.commands_page(app)
    assert "Usage: nextvec group do [OPTIONS]" in page
    assert "--speed" in page
    assert "\x1b" not in page
    assert "─" not in page
    assert max(map(len, page.splitlines())) <= 120
    assert [line for line in page.splitlines() if line.startswith("## ")] == [
        "## nextvec", "## nextvec other", "## nextvec group", "## nextvec group do",
    ]  # fmt: skip


def test_parameters_are_those_of_the_reference(generate: ModuleType) -> None:
    assert generate.trained_parameters("gru", 768) == 7_095_552
    assert generate.trained_parameters("transformer-optimized", 768) == 17_867_520


def test_every_registered_model_is_in_the_page(generate: ModuleType) -> None:
    from nextvec.models.backbone import BACKBONES
    from nextvec.models.baseline import BASELINES
    from nextvec.models.presets import PRESETS

    page = generate.models_page()
    assert not [name for name in [*BACKBONES, *BASELINES, *PRESETS] if f"\n| {name} |" not in page]
    assert "| knn-successor | depends on the corpus |" in page


def test_options_show_bounds_defaults_and_descriptions(generate: ModuleType) -> None:
    class Options(Config):
        share: float = Field(0.5, ge=0, lt=1, description="of all")
        hidden: int = 3

    rendered = generate.options_table(Options, but={"hidden"})
    assert rendered.splitlines()[2:] == ["| share | `0.5` | >= 0, < 1 | of all |"]


@pytest.mark.parametrize(
    ("docstring", "first"),
    [
        ("One. Two.", "One."),
        ("A GRU (Cho et al. 2014, arXiv 1.2):\nlayers. More", "A GRU (Cho et al. 2014, arXiv 1.2): layers."),
        (None, ""),
    ],
)  # fmt: skip
def test_summary_is_the_first_sentence(generate: ModuleType, docstring: str | None, first: str) -> None:
    assert generate.summary(docstring) == first


def test_generating_needs_no_terminal(generate: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    from nextvec.cli.main import app

    expected = generate.commands_page(app)
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NEXTVEC_WORKSPACE", "elsewhere")
    assert generate.commands_page(app) == expected


def inversion() -> dict[str, Any]:
    def row(name: str, steps: int, cosine: float, milliseconds: float | None) -> dict[str, Any]:
        def interval(estimate: float) -> dict[str, float]:
            return {"estimate": estimate, "low": estimate - 0.01, "high": estimate + 0.01}

        figures = {key: interval(cosine) for key in ("cosine", "token_f1", "exact_match")} | {"bleu": interval(12.5)}
        return {"name": name, "steps": steps, "figures": figures, "milliseconds": milliseconds, "perplexity": 90.2}

    contrasts = [
        {"left": "inverter", "steps": steps, "right": "nearest", "figure": figure, "verdict": judged}
        for steps, figure, judged in ((0, "bleu", "better"), (5, "cosine", "better"), (5, "bleu", "cannot tell"))
    ]
    decoded = [
        {"name": n, "steps": s, "text": f"text|{n}{s}", "cosine": 0.5} for n, s in (("nearest", 0), ("inverter", 5))
    ]
    return {
        "inverter": {
            "name": "inverter-wiki",
            "parameters": 9_000_000,
            "network": {"dim": 384, "vocabulary": 25_000, "width": 256, "longest": 48},
            "training": {"seconds": 2500.0, "lr": 2e-3},
            "corpus": {"documents": 2240},
            "metrics": {"tokens": 4_000_000, "seconds": 2500.0},
        },
        "corpus": "wiki", "encoder": "minilm 384-D", "chunks": 256, "documents": 70, "bank": 120_000,
        "threads": 2, "load_average": 0.5, "contrasts": contrasts,
        "rows": [row("the true text", 0, 1, None), row("nearest", 0, 0.6, 3.2), row("inverter", 5, 0.7, 80.4)],
        "examples": [{"truth": "the truth", "decoded": [decoded[0], decoded[1], decoded[1]]}],
    }  # fmt: skip


def test_what_comes_back_is_shown_beside_retrieval(generate: ModuleType) -> None:
    text = generate.decoding_page(inversion()).replace("\N{NO-BREAK SPACE}", " ")
    assert "| nearest | 0 | 0.600 [0.590, 0.610] |" in text
    assert "| 12.5 [12.5, 12.5] | 70.0% | 90 | 80 |" in text
    assert "After 5 steps the cosine of inverter is better than nearest." in text
    assert "After 5 steps the BLEU of inverter cannot be told from nearest." in text
    assert "After 0 steps" not in text
    assert "text\\|inverter5" in text


def test_the_weights_can_be_made_again_by_what_differs_from_the_defaults(generate: ModuleType) -> None:
    text = generate.decoding_page(inversion())
    assert "benchmarks/quality.py --workspace W --only model\n" in text
    assert "--corpus wiki --name inverter-wiki --set longest=48 --set seconds=2500\n" in text
    text = generate.decoding_page({**inversion(), "corpus": "library@with-narratives"})
    assert "benchmarks/quality.py --workspace W --only together\n" in text


def test_an_inverter_that_learnt_on_is_made_by_all_its_runs(generate: ModuleType) -> None:
    record, one = inversion(), inversion()["inverter"]
    before = {"inverter": "first", "training": one["training"], "metrics": {"tokens": 1_000_000, "seconds": 600}}
    training = {**one["training"], "start": "inverter:first", "seconds": 60.0, "correct_from": 0.0}
    record["inverter"] = {**one, "training": training, "start": before}
    text = generate.inversion.inverter_again(record)
    assert "--name first --set longest=48 --set seconds=2500\n" in text
    assert "--name inverter-wiki --set seconds=60 --set start=inverter:first --set correct_from=0\n" in text
    seen = one["metrics"]["tokens"] + 1_000_000
    assert f"saw {seen:,} tokens" in generate.inversion.inverter_results(record)


def test_without_a_measurement_there_are_only_the_options(generate: ModuleType) -> None:
    text = generate.decoding_page(None)
    assert "What comes back" not in text
    assert "| pseudo_tokens | `4` | >= 1 |" in text


def test_every_source_is_told_with_its_forms_options_and_extra(generate: ModuleType) -> None:
    from nextvec.corpus.sources import SOURCES

    page = generate.sources_page()
    told = {line.removeprefix("## ") for line in page.splitlines() if line.startswith("## ")}
    assert told == {*SOURCES, "Chunks with vectors"} - {"postgres"}
    assert "| pdf | `PATH` | `.pdf` | `pip install 'nextvec[documents]'` |" in page
    assert "Options, with their defaults: `encoding`, `errors` (`strict`), `lines` (`auto`)." in page
    assert "Raises" not in page


def test_what_a_docstring_says_of_errors_is_left_out(generate: ModuleType) -> None:
    said = "One\n    thing. Raises UsageError for\n    it.\n\n        x = 1\n\n        y = 2\n\n    Raises Other.\n    "
    assert generate.about(said) == "One thing.\n\n    x = 1\n\n    y = 2"


def test_every_encoder_is_told_with_its_options_and_its_speed(generate) -> None:
    from nextvec.encoders import ENCODERS

    rows = [
        {"name": "minilm", "dim": 384, "ours": 1234.4, "library": 1000.0, "ratio": 1.234, "weights": "its own"},
        {"name": "hashing", "dim": 64, "ours": 9000.0, "library": None, "ratio": None, "weights": "none"},
    ]
    record = {"dataset": "8 sentences", "threads": 1, "clock": "wall", "limits": ["One machine."], "rows": rows}
    page = generate.encoders_page(record)
    assert all(f"| `{name}` |" in page for name in ENCODERS)
    assert "| `sonar` | 1024 | 512 | CC-BY-NC-4.0 |" in page
    assert "| max_length | `None` | >= 3 |" in page
    assert "### sonar" in page
    assert "### minilm" not in page
    assert "| minilm | 384 | 1,234 | 1,000 | 1.23 | its own |" in page
    assert "| hashing | 64 | 9,000 |  |  | none |" in page
    assert "## Speed" not in generate.encoders_page(None)
