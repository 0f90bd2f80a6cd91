"""Models, leaderboard and corpora of the page, in a real browser: what is shown of what is recorded."""

import json
import re
import shutil

import pytest

from nextvec.models.baseline import BASELINES


@pytest.fixture(scope="module")
def server(launch, furnished):
    with launch(furnished, "--port", 0) as server:
        yield server.urls[0]


class TestCatalogue:
    def test_a_model_shows_figures_curves_and_its_card(self, tab, server):
        tab.open(f"{server}/#/models/gru")
        shown = tab.text()
        assert "production is gru" in shown
        assert re.search(r"only \d+ documents", shown)
        labels = tab.run("[...document.querySelectorAll('.plot')].map((e) => e.ariaLabel)")
        assert labels[0].startswith("Validation cosine by epoch, from 0.")
        assert tab.run("document.querySelectorAll('.whisker').length") > 5
        tab.run("document.querySelectorAll('details').forEach((part) => (part.open = true))")
        assert "library_name" not in tab.text(".card")
        assert "Predicts the next vector of a document" in tab.text(".card")

    def test_what_a_card_or_a_corpus_says_is_never_markup(self, tab, server, hostile):
        tab.open(f"{server}/#/models/gru")
        tab.run("document.querySelectorAll('details').forEach((part) => (part.open = true))")
        assert tab.text(".card").count(hostile) == 3
        assert "[click](javascript:alert(3))" in tab.text(".card")
        assert tab.run("document.querySelectorAll('main img, main script, main [href^=javascript]').length") == 0
        assert tab.texts(".card strong") == ["bold"]
        tab.go("#/corpora/hostile", "hostile")
        assert hostile in tab.text(".chunks")
        assert tab.run("document.querySelectorAll('main img, main script').length") == 0

    def test_the_leaderboard_says_what_may_be_said(self, tab, server):
        tab.open(f"{server}/#/leaderboard")
        shown = tab.text()
        assert "best baseline" in tab.text(".lead")
        assert re.search(r"Caution: only \d+ documents\.", shown)
        assert re.search(r"Measured on \d+ targets in \d+ test documents of tales@first", shown)
        assert any(text.startswith("Paragraph breaks are worth ") for text in tab.texts("p"))
        assert len(tab.texts("tbody tr")) == 2 + len(list(BASELINES))
        assert tab.run("document.querySelectorAll('.whisker .hollow').length") == len(list(BASELINES))

    def test_the_leaderboard_is_sorted_by_keyboard(self, tab, server):
        tab.open(f"{server}/#/leaderboard")
        names = "[...document.querySelectorAll('tbody th')].map((e) => e.firstChild.textContent)"
        assert tab.run("document.querySelector('th[aria-sort=descending]').innerText.startsWith('Cosine')")
        tab.run("document.querySelector('button.sort').focus()")
        tab.press("Enter")
        assert tab.run(names) == sorted(tab.run(names))
        tab.press("Space")
        assert tab.run(names) == sorted(tab.run(names), reverse=True)
        assert tab.run("document.activeElement.closest('th').getAttribute('aria-sort')") == "descending"
        assert tab.texts("#live p")[-1] == "Sorted by Model, descending"

    def test_another_figure_can_be_chosen(self, tab, server):
        tab.open(f"{server}/#/leaderboard")
        tab.run("figure.value = 'rank_norm[document]'; figure.dispatchEvent(new Event('change'))")
        assert tab.run("document.querySelector('th[aria-sort=ascending]').innerText.startsWith('Normalised rank')")

    def test_a_corpus_too_short_for_a_curve_says_why(self, tab, server):
        tab.open(f"{server}/#/corpora/lone")
        assert "Not sequential: no document has three chunks" in tab.text(".caution")
        assert tab.run("document.querySelectorAll('.plot').length") == 0

    def test_an_earlier_comparison_can_be_chosen(self, tab, server, furnished):
        (first,) = furnished.studies.iterdir()
        shutil.copytree(first, furnished.study("race"), copy_function=shutil.copy)
        tab.open(f"{server}/#/leaderboard")
        assert tab.text("#study option").endswith(" · 2 models on tales@first · race")
        tab.run(f"study.value = {json.dumps(first.name)}; study.dispatchEvent(new Event('change'))")
        tab.wait(f"location.hash.endsWith({json.dumps(first.name)}) && study.selectedIndex === 1")
        shutil.rmtree(furnished.study("race"))

    def test_what_was_seen_in_training_stands_before_the_figures(self, tab, server, furnished):
        (first,) = furnished.studies.iterdir()
        record = json.loads((first / "comparison.json").read_text())
        tab.open(f"{server}/#/leaderboard")
        assert f"{record['title']}, which no model was trained on." in tab.text()
        warning = "LEAKAGE WAS ALLOWED, figures are too good: all of it."
        place = furnished.study("leaky") / "comparison.json"
        place.parent.mkdir()
        place.write_text(json.dumps(record | {"warning": warning}))
        tab.run("location.hash = '#/leaderboard/leaky'")
        tab.wait("document.querySelector('.caution')?.textContent.startsWith('LEAKAGE')")
        assert tab.texts(".caution")[0] == warning
        assert "no model was trained on" not in tab.text()
        shutil.rmtree(place.parent)

    def test_of_one_document_no_interval_is_shown(self, tab, server, furnished):
        (first,) = furnished.studies.iterdir()
        place = furnished.study("lonely") / "comparison.json"
        place.parent.mkdir()
        without = re.sub(r'"(low|high)": [-0-9.e]+', r'"\1": null', (first / "comparison.json").read_text())
        place.write_text(json.dumps(json.loads(without) | {"documents": 1}))
        tab.open(f"{server}/#/leaderboard/lonely")
        assert "Caution: only 1 document. " in tab.text()
        assert tab.texts("tbody .figure small")[0] == "n/a"
        assert all(told.endswith(", n/a") for told in tab.texts(".verdict small"))
        assert tab.run("document.querySelectorAll('.whisker .dot').length") > 1
        assert tab.run("document.querySelectorAll('.whisker line:not(.reference)').length") == 0
        shutil.rmtree(place.parent)

    def test_a_corpus_shows_its_generations_and_lag_curve(self, tab, server):
        tab.open(f"{server}/#/corpora/tales")
        shown = tab.text()
        assert "tales@first" in shown
        assert "The order carries something to learn." in shown
        assert "lag 1 0." in tab.run("document.querySelector('.plot').ariaLabel")
        assert len(tab.texts("details[open] .chunks li")) == 8
