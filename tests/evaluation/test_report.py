"""One file that loads nothing, says what the figures allow, escapes what it is given, and is drawn by a browser."""

import json
import re
import runpy
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import pytest

from nextvec.evaluation.comparison import Contrast
from nextvec.evaluation.report import Answer, Example, ReportContent, render_report, write_report
from nextvec.evaluation.report.abilities import abilities
from nextvec.evaluation.report.headline import headline
from nextvec.evaluation.report.limits import limits
from nextvec.evaluation.report.markup import Html, data_block, element
from nextvec.evaluation.report.plots import Styles, costs, curves, forest, generations, rank_histogram
from nextvec.evaluation.report.plots.labels import place_labels
from nextvec.evaluation.report.plots.plot import reach
from nextvec.evaluation.report.sections import sections
from nextvec.evaluation.report.wording import count, figure_title, listed, percent, percent_span, span
from nextvec.evaluation.seeds import averaged
from nextvec.evaluation.statistics import Interval

SAMPLE = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("report_sample.py"))))
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
VOID = {"meta", "br"}
HOSTILE = "<img src=x onerror=alert(1)></script><script>alert(2)</script>\"' & ${x} %{y}"


class Page(HTMLParser):
    """Elements in order, text by section, and whether every element that was opened was closed in turn."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.open, self.words = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("script", "style"):
            self.words.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def ids(self):
        return [attributes["id"] for _, attributes in self.elements if "id" in attributes]

    @property
    def text(self):
        return " ".join("".join(self.words).split())


@pytest.fixture(scope="module")
def table():
    return SAMPLE.comparison()


@pytest.fixture(scope="module")
def content(table):
    return SAMPLE.sample(table)


@pytest.fixture(scope="module")
def page(content):
    return Page(render_report(content))


@pytest.fixture(scope="module")
def grown():
    return SAMPLE.sample(SAMPLE.comparison(generations=tuple(SAMPLE.GENERATIONS)))


def own_text(html):
    """The document without plotly's JavaScript, which holds addresses that these plots do not load."""
    return re.sub(r"<script>/\*\*\s+\* plotly\.js.*?</script>", "", html, flags=re.DOTALL)


def test_the_page_is_well_formed_and_has_every_section(page):
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    assert [s["id"] for s in page.all("section")] == [
        "abilities", "leaderboard", "differences", "calibration", "cost", "training", "corpus", "examples", "verdicts",
        "limits", "provenance",
    ]  # fmt: skip


def test_the_page_can_be_used_without_seeing_it_or_a_mouse(page):
    assert page.all("html") == [{"lang": "en"}]
    assert len(page.all("h1")) == 1
    assert all(head.get("scope") in ("col", "row") for head in page.all("th"))
    assert all(s["aria-labelledby"] in page.ids for s in page.all("section"))
    assert all(link["href"].removeprefix("#") in page.ids for link in page.all("a"))
    plots = [d for d in page.all("div") if d.get("class") == "plot"]
    assert len(plots) == 8
    assert all(plot["role"] == "img" and len(plot["aria-label"]) > 20 for plot in plots)
    boxes = [d for d in page.all("div") if d.get("class") == "scroll"]
    assert all(box["tabindex"] == "0" and box["aria-label"] for box in boxes)
    assert all(select["aria-label"] for select in page.all("select"))


def test_nothing_is_loaded_from_anywhere(content, page):
    text = own_text(render_report(content))
    assert len(text) < 300_000
    assert not re.search(r"https?:|@import|url\(", text)
    loading = {"src", "srcset", "data", "action", "poster", "background"}
    assert not any(loading & attributes.keys() for _, attributes in page.elements)
    assert not page.all("link")
    policy = next(meta["content"] for meta in page.all("meta") if "http-equiv" in meta)
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy.partition("style-src")[0]


def test_given_text_stays_text(table):
    rows = tuple(replace(row, subject=replace(row.subject, name=f"{HOSTILE}{row.name}")) for row in table.rows)
    contrasts = tuple(replace(c, left=HOSTILE + c.left, right=HOSTILE + c.right) for c in table.contrasts)
    structure = {
        each: tuple(replace(c, left=HOSTILE + c.left) for c in found) for each, found in table.structure.items()
    }
    hostile = SAMPLE.sample(
        replace(table, rows=rows, contrasts=contrasts, structure=structure, corpus=HOSTILE),
        title=HOSTILE,
        latencies={},
        curves={HOSTILE: SAMPLE.curve("gru")},
        best_baseline={HOSTILE: 0.5},
        coherence=replace(SAMPLE.coherence(), label=HOSTILE),
        examples=[Example(context=[HOSTILE], truth=HOSTILE, nearest={HOSTILE: [(HOSTILE, 0.5)]}, title=HOSTILE)],
        provenance={HOSTILE: HOSTILE},
        notes=[HOSTILE],
    )
    html = render_report(hostile)
    page = Page(html)
    assert not page.all("img")
    assert len(page.all("script")) == 3
    assert page.text.count("onerror=alert(1)") > 20
    assert "<img" not in own_text(html)
    data = re.search(r'<script type="application/json" id="plots">(.*?)</script>', html, re.DOTALL)[1]
    drawn = json.dumps(json.loads(data))
    assert "onerror" in drawn
    assert "<img" not in drawn
    assert "</script" not in drawn


def test_elements_escape_all_but_markup():
    assert element("p", "a < b", Html("<br>"), None, class_="x & y", hidden=True, id=None) == (
        '<p class="x &amp; y" hidden>a &lt; b<br></p>'
    )
    assert "<" not in data_block("d", ["</script>"]).removeprefix("<script").removesuffix("</script>").partition(">")[2]
    with pytest.raises(ValueError, match="not JSON compliant"):
        data_block("d", float("nan"))


def test_the_headline_of_a_model_that_is_better(content):
    said = headline(content)
    assert said.answer == "transformer scores highest, and it beats ridge-mix, the best baseline."
    assert said.tone == "better"
    words = " ".join(said.paragraphs)
    assert "+0.0042 on the same documents" in words
    assert "worse than copy-last in" in words
    assert "gru is better than the best baseline; amn is not distinguishable from" in words
    assert "lead over gru, the second, is 0.0015; this pair was not tested" in words
    assert "6,595 targets in 83 documents of wiki@small" in words
    answered = replace(content, answers=[Answer(question="Which?", short="That.", evidence=())])
    assert "the second, is 0.0015; see what the study says." in " ".join(headline(answered).paragraphs)


@pytest.mark.parametrize(
    ("shift", "models", "tone", "answer"),
    [
        (-0.0027, ["gru"], "cannot tell", "gru cannot be told from ridge-mix, the best baseline."),
        (-0.05, ["gru"], "worse", "gru is worse than ridge-mix, the best baseline."),
        (-0.05, ["gru", "lstm"], "worse", "Even gru, the highest-scoring model, is worse than ridge-mix"),
        (0.0, ["gru"], "better", "gru beats ridge-mix, the best baseline."),
    ],
)
def test_the_headline_says_what_may_be_said(shift, models, tone, answer):
    said = headline(ReportContent(title="t", comparison=SAMPLE.comparison(models, shift=shift)))
    assert said.tone == tone
    assert said.answer.startswith(answer)
    assert ("That is a skill of" in " ".join(said.paragraphs)) == (tone == "better")


def test_headlines_without_baselines_or_models():
    alone = ReportContent(title="t", comparison=SAMPLE.comparison(["gru", "amn"], with_baselines=False))
    assert "gru scores highest of 2 models, but without baselines nobody can say" in headline(alone).answer
    assert any("No baseline was evaluated" in limit for limit in limits(alone))
    bare = ReportContent(title="t", comparison=SAMPLE.comparison([]))
    assert headline(bare).answer == "ridge-mix is the best baseline; no trained model was compared."


def test_of_one_document_no_interval_is_told():
    """Figures as they are, and nothing of how they would differ in others: in words, plots, records."""
    table = SAMPLE.comparison(["gru", "lstm"], documents=1)
    assert {contrast.verdict for contrast in table.contrasts} == {"cannot tell"}
    assert all("[n/a]" in sentence for sentence in table.sentences())
    assert {row["95 %"] for row in table.table()} == {"n/a"}
    page = Page(render_report(content := SAMPLE.sample(table)))
    assert page.open == []
    assert "no interval can be told" in page.text
    assert "n/a" in page.text
    assert not {"inf", "nan"} & set(re.findall(r"\w+", page.text.lower()))
    for plot in (plot for section in sections(content) for plot in section.plots):
        json.dumps([view.data for view in plot.views], allow_nan=False)
    record = json.loads(json.dumps(table.to_dict(), allow_nan=False))
    assert record["rows"][0]["figures"]["cosine"]["low"] is None
    assert [Contrast.from_dict(plain) for plain in record["contrasts"]] == list(table.contrasts)


@pytest.mark.parametrize("models", [["gru"], [], ["gru", "lstm"]])
def test_a_report_of_a_comparison_alone(models):
    page = Page(render_report(ReportContent(title="Bare", comparison=SAMPLE.comparison(models, documents=9))))
    assert page.open == []
    sections = {s["id"] for s in page.all("section")}
    assert {"leaderboard", "cost", "limits"} <= sections
    assert not {"training", "corpus", "examples", "provenance", "data"} & sections
    assert "only 9 documents" in page.text


def test_the_leaderboard_names_pools_sizes_chance_and_the_best(content):
    html = render_report(content)
    assert "document pool of 79, chance 0.055" in html
    assert "foreign-10k pool of 10,001, chance 0.00092" in html
    board = html.partition('<table class="leaderboard">')[2].partition("</table>")[0]
    assert "<strong>0.5452" in board
    assert "<strong>0.176" in board
    assert board.count('aria-sort="descending"') == 1
    assert board.count("<tr") == 1 + len(content.comparison.rows)
    assert "by definition" in board


def test_what_paragraph_breaks_are_worth_stands_below_the_baselines(content):
    html = render_report(content)
    below = html.partition('<table class="leaderboard">')[2].partition("</table>")[2]
    assert "Paragraph breaks are worth +0.0040 cosine [+0.0040, +0.0040] to " in below
    assert below.count("itself without breaks") == 0
    table = below.partition("What breaks are worth to each baseline</summary>")[2].partition("</table>")[0]
    assert table.count("<tr") == 1 + 3 * 3 + 1
    bare = replace(content, comparison=replace(content.comparison, structure={}))
    assert "Paragraph breaks" not in render_report(bare)


def test_figures_with_the_told_break_stand_beside_those_without(content):
    html = render_report(content)
    assert "To know whether the next chunk begins a paragraph is worth +0.0030 cosine [+0.0030, +0.0030] to " in html
    table = html.partition("What the next break is worth to baselines and models</summary>")[2].partition("</table>")[0]
    usual = {row.name: row.figures["cosine"].estimate for row in content.comparison.rows}
    for contrast in content.comparison.structure["next"]:
        if contrast.figure == "cosine":
            without = usual[contrast.left]
            assert f"<td>{without:.4f}</td><td>{without + 0.003:.4f}</td>" in table


def test_a_warning_is_the_first_line_of_the_page(content):
    html = render_report(replace(content, warning="LEAKAGE WAS ALLOWED <b>"))
    head, _, rest = html.partition("<header>")
    assert "LEAKAGE" not in head
    assert rest.lstrip().startswith('<p class="warning" role="alert">LEAKAGE WAS ALLOWED &lt;b&gt;</p>')
    assert "that no model was trained on" not in html
    assert "that no model was trained on" in render_report(content)


def test_a_corpus_that_is_judged_whole_has_no_test_documents(content):
    html = render_report(replace(content, comparison=replace(content.comparison, whole=True)))
    assert "Test documents" not in html
    assert "Documents, which are all" in html
    assert "Test documents" in render_report(content)


def test_limits_come_from_the_content(content):
    said = " ".join(limits(content))
    assert "trained with one seed" in said
    assert "measured on cpu with 2 threads and a context of 5 chunks" in said
    assert limits(content)[-1].startswith("Sentences were cut")
    failed = replace(SAMPLE.coherence(), duplicates=0.9)
    assert any("failed its coherence check" in limit for limit in limits(replace(content, coherence=failed)))


def test_seeds_are_tabled():
    seeds = [
        replace(e, subject=replace(e.subject, name=f"gru-{seed}", seed=seed))
        for seed in range(3)
        for e in [SAMPLE.model("gru", shift=0.001 * seed)]
    ]
    table = SAMPLE.compare([*seeds, *averaged(seeds)], drawing=SAMPLE.Drawing(resamples=50, permutations=50))
    content = ReportContent(title="t", comparison=table)
    assert "Spread over training seeds" in render_report(content)
    assert not any("one seed" in limit for limit in limits(content))
    alone = SAMPLE.model("lstm", seed=0)
    mixed = SAMPLE.compare([*seeds, *averaged(seeds), alone], drawing=SAMPLE.Drawing(resamples=50, permutations=50))
    assert any(
        limit.startswith("Some models were trained with one seed")
        for limit in limits(replace(content, comparison=mixed))
    )


def test_the_forest_keeps_near_differences_apart_and_points_at_far_ones(content):
    plot = forest(content, "f", ("best baseline", "anchor"), "Differences")
    view = plot.views[0].to_dict()
    low, high = view["layout"]["xaxis"]["range"]
    assert -0.01 < low < 0 < high < 0.01
    arrows = [trace for trace in view["data"] if trace["marker"]["symbol"] == "triangle-left"]
    assert [trace["hovertext"][0].split(":")[0] for trace in arrows] == ["lstm"]
    assert [view.label for view in plot.views][-1].endswith("against its own anchor")
    assert forest(content, "f", ("reference",), "Reference") is None


def test_better_is_on_the_right_where_less_is_better_too(content):
    views = {view.label: view.to_dict() for view in forest(content, "f", ("best baseline",), "Differences").views}
    left, right = views["Log loss in the pool document, against the best baseline"]["layout"]["xaxis"]["range"]
    assert left > 0 > right
    assert "less is better" in views["Energy score, against the best baseline"]["layout"]["xaxis"]["title"]["text"]
    low, high = views["Cosine, against the best baseline"]["layout"]["xaxis"]["range"]
    assert low < 0 < high


def test_an_arrow_points_to_the_edge_that_it_stands_at(content):
    far = content.comparison.contrast("lstm", "best baseline", "log_loss[document]")
    moved = [
        replace(c, difference=Interval(90.0, 89.0, 91.0, 83)) if c is far else c for c in content.comparison.contrasts
    ]
    table = replace(content.comparison, contrasts=tuple(moved))
    views = forest(replace(content, comparison=table), "f", ("best baseline",), "Differences").views
    view = next(view for view in views if view.label.startswith("Log loss in the pool document"))
    sideways = ("triangle-left", "triangle-right")
    assert [t["marker"]["symbol"] for t in view.data if t["marker"]["symbol"] in sideways] == ["triangle-left"]


def test_abilities_say_a_verdict_for_each_use_against_its_own_best_baseline(content):
    text = Page(str(abilities(content))).text
    assert "▲ better than ridge-mix" in text
    assert "▼ worse than copy-last" in text
    assert "▲ better than gaussian" in text
    assert "skill" in text
    assert "for ranking, in the document" in text
    assert "for ranking, among what is still to come" in text


def test_the_rank_histogram_has_a_view_for_everything_that_draws(content):
    plot = rank_histogram(content, Styles([row.name for row in content.trained]))
    assert [view.label for view in plot.views] == ["transformer", "gaussian"]
    bars, level = plot.views[0].data
    assert len(bars["y"]) == 10
    assert sum(bars["y"]) == pytest.approx(1)
    assert level["y"] == [0.1, 0.1]
    assert "88.0 % in the central 90 %" in plot.alt
    alone = SAMPLE.sample(SAMPLE.comparison(["gru"], with_baselines=False))
    assert rank_histogram(alone, Styles([])) is None


def test_reach_leaves_out_only_a_minority_far_out():
    assert reach([0.002, 0.004, 0.005, 0.07]) == 0.005
    assert reach([0.001, 0.05, 0.06, 0.07]) == 0.07
    assert reach([0.07]) == 0.07
    assert reach([0.0, 0.0, 0.1]) == 0.1


def test_curves_show_the_bar_and_leave_out_what_is_not_a_number(content):
    styles = Styles([row.name for row in content.models])
    plot = curves(content, styles)
    assert [view.label for view in plot.views] == [
        "Around the best baseline", "Cosine on validation documents", "Training loss",
    ]  # fmt: skip
    assert "lstm stays below" in plot.caption
    assert plot.views[0].data[-1]["name"] == "best baseline, ridge-mix: 0.5490"
    broken = [{"event": "epoch", "epoch": e, "validation_cosine": v} for e, v in enumerate([0.5, float("nan"), None])]
    short = curves(ReportContent(title="t", comparison=content.comparison, curves={"gru": broken, "amn": []}), styles)
    assert [trace["x"] for trace in short.views[0].data] == [[0.0]]
    assert curves(replace(content, curves={"gru": [{"event": "start"}]}), styles) is None


def test_costs_need_no_latency(content):
    styles = Styles([])
    assert len(costs(content, styles)) == 4
    without = costs(replace(content, latencies={}), styles)
    assert [plot.key for plot in without] == ["cosine-parameters", "mrr-parameters"]
    assert min(x for trace in without[0].views[1].data for x in trace["x"]) == 1


def test_generations_are_linked_from_the_oldest(grown, content):
    plot = generations(grown, Styles([]))
    assert len(plot.views[0].data) == 4
    assert plot.views[0].layout["xaxis"]["ticktext"][0] == "wiki@small<br>60,044 chunks"
    assert "transformer-small 0.5452 then transformer-large 0.5487" in plot.alt
    assert generations(content, Styles([])) is None
    assert "Does more data help?" in Page(render_report(grown)).text


def test_labels_do_not_cover_each_other():
    assert place_labels([0.0, 1.0], [0.0, 1.0], ["a", "b"]) == ["top center", "top center"]
    crowded = place_labels([0.0] + [1.0] * 8, [0.0] + [1.0] * 8, ["far"] + ["the same place"] * 8)
    assert crowded[0] == "top center"
    assert crowded.count("") >= 4


@pytest.mark.parametrize(
    ("low", "high", "written"),
    [
        (-0.012, 0.011, "\N{MINUS SIGN}1.2 to +1.1"),
        (-0.0004, 0.0003, "\N{MINUS SIGN}0.04 to +0.03"),
        (-1e-6, 0.02, "0 to +2.0"),
    ],
)
def test_a_span_of_percents_shows_what_it_spans(low, high, written):
    assert percent_span(Interval(0.0, low, high, 60)) == f"{written}\N{NARROW NO-BREAK SPACE}%"


def test_words_and_numbers():
    assert span(Interval(0.5, 0.4, 0.6, 9), 2) == "0.40\N{EN DASH}0.60"
    assert span(Interval(0.0, -0.1, 0.1, 9), 1) == "\N{MINUS SIGN}0.1 to 0.1"
    assert count(1_510_912) == "1.51\N{NARROW NO-BREAK SPACE}M"
    assert count(999_999) == "1\N{NARROW NO-BREAK SPACE}M"
    assert percent(-0.00001) == "0\N{NARROW NO-BREAK SPACE}%"
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert listed(["a"]) == "a"
    assert figure_title("recall@10[document]") == "Recall@10 in the pool document"


def browse(file, folder):
    """Run a headless browser over a file; returns the document as drawn and what went to its console."""
    done = subprocess.run(
        [
            CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            f"--user-data-dir={folder}", "--virtual-time-budget=8000",
            "--enable-logging=stderr", "--window-size=1280,2000", "--dump-dom",
            file.as_uri(),
        ],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here to draw the page with")
class TestInABrowser:
    def test_every_plot_is_drawn_without_a_word_on_the_console(self, grown, tmp_path):
        write_report(tmp_path / "report.html", grown)
        drawn, console = browse(tmp_path / "report.html", tmp_path / "profile")
        assert console == []
        keys = [d["id"] for d in Page(render_report(grown)).all("div") if d.get("class") == "plot"]
        assert len(keys) == 10
        for key in keys:
            assert re.search(rf'id="{key}"[^>]*class="plot js-plotly-plot', drawn) or re.search(
                rf'class="plot js-plotly-plot"[^>]*id="{key}"', drawn
            )
        assert drawn.count('class="main-svg"') >= len(keys)

    def test_wide_tables_scroll_and_the_page_does_not(self, grown, tmp_path):
        """What is hidden for screen readers stays inside its table, too."""
        told = """<script>addEventListener("load", () => {
            const root = document.documentElement;
            const wide = [...document.querySelectorAll(".scroll")].some((box) => box.scrollWidth > box.clientWidth);
            document.body.dataset.widths = `${wide} ${root.scrollWidth > root.clientWidth}`;
        });</script></body>"""
        html = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", render_report(grown))
        file = tmp_path / "told.html"
        file.write_text(html.replace("</body>", told))
        drawn, _ = browse(file, tmp_path / "profile")
        assert re.findall(r'data-widths="([^"]*)"', drawn) == ["true false"]

    def test_headings_sort_and_lists_choose(self, content, tmp_path):
        """A script may not be added to the page, so its policy is taken out for this."""
        acting = """<script>
            const heads = [...document.querySelectorAll(".leaderboard thead button")];
            heads.find((head) => head.textContent.startsWith("Latency")).click();
            const list = document.querySelector("select[data-plot=curves]");
            list.value = "2";
            list.dispatchEvent(new Event("change"));
        </script></body>"""
        html = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", render_report(content))
        file = tmp_path / "acting.html"
        file.write_text(html.replace("</body>", acting))
        drawn, console = browse(file, tmp_path / "profile")
        assert console == []
        body = drawn.partition('class="leaderboard"')[2].partition("<tbody>")[2].partition("</tbody>")[0]
        names = re.findall(r'<th scope="row">([^<]*)<', body)
        assert (names[0], names[-1]) == ("copy-last", "knn-successor")
        assert 'aria-sort="ascending"' in drawn
        assert ">training loss<" in drawn
