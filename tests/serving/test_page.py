"""The page in a real browser: what a user with a mouse, a keyboard, a screen reader or a phone meets."""

import contextlib
import json
import re
import shutil

import httpx
import pytest

from nextvec.models.bundle import predictions_fingerprint
from nextvec.records import append_line
from nextvec.records.names import EVALUATIONS, TEMPERATURES
from nextvec.records.study import LOCK, Run, write_event, write_study
from nextvec.store.lock import exclusive
from nextvec.workspace import Workspace

VIEWS = {
    "playground": "Playground",
    "order": "Order",
    "models": "Models",
    "leaderboard": "Leaderboard",
    "studies": "Studies",
    "corpora": "Corpora",
}
SHIFT, CONTROL = 8, 2
SENTENCES = ["The of was in.", "In was of the, and the was in of.", "Of."]


@pytest.fixture(scope="module")
def server(launch, furnished):
    with launch(furnished, "--port", 0) as server:
        yield server.urls[0]


def focused(tab):
    return tab.run("document.activeElement.innerText || document.activeElement.id || document.activeElement.tagName")


def complete_text(tab, story):
    """Ask both models for three sentences and wait for their ends."""
    tab.run(f"document.getElementById('text').value = {json.dumps(story[:300])}")
    tab.run("document.querySelectorAll('input[name=model]').forEach((box) => (box.checked = true))")
    tab.run("document.getElementById('sentences').value = 3")
    tab.click("button[name=go]")
    tab.wait("document.querySelector('.reading') && !document.querySelector('.running')")


def order_sentences(tab, story):
    """Put three sentences after a text, and wait for their order."""
    tab.go("#/order", "Order")
    tab.run(f"document.getElementById('context').value = {json.dumps(story[:300])}")
    tab.run(f"document.getElementById('candidates').value = {json.dumps(chr(10).join(SENTENCES))}")
    tab.run("document.getElementById('model').value = 'gru'")
    tab.click(".bench button.primary")
    tab.wait("document.querySelector('.ranking')")


class TestViews:
    def test_every_view_has_an_address_a_title_and_one_heading(self, tab, server):
        tab.open(server)
        for view, heading in VIEWS.items():
            tab.go(f"#/{view}", heading)
            assert tab.run("document.title") == f"{heading} · nextvec"
            assert tab.texts("h1") == [heading]
            assert tab.texts("[aria-current=page]") == [heading]
            assert tab.run("document.querySelectorAll('header, nav[aria-label], main').length") == 3

    def test_an_address_that_names_nothing_says_so(self, chromium, server):
        said = {"models/nobody": "This is not there", "corpora/%": "The server cannot use this request"}
        for address, words in said.items():
            chromium.open(f"{server}/#/{address}")
            chromium.wait("document.querySelector('.trouble')")
            assert words in chromium.text("h1")
            chromium.call("Page.navigate", url="about:blank")

    def test_a_study_is_followed_while_it_runs(self, tab, server, furnished):
        folder = furnished.study("live")
        run = Run(architecture="gru", corpus="tales@first", variant="", seed=0, fingerprint="f", model="gru")
        write_study(folder, {}, [run], 2)
        write_event(folder, "trial", trial=0, state="running", options={"lr": 0.00031249, "note": "<b>&"})
        with exclusive(folder / LOCK, what="it"):
            tab.open(f"{server}/#/studies")
            assert "Running: 0 of 2 trials" in tab.text("tbody tr")
            tab.go("#/studies/live", "live")
            assert "lr 0.000312, note <b>&" in tab.text("section:last-of-type tbody tr")
            tab.run("document.querySelector('section:first-of-type tbody a').focus()")
            write_event(folder, "trial", trial=0, state="done", options={"lr": 0.00031249}, validation=0.5, epochs=3)
            tab.wait("document.querySelector('.lead').textContent.startsWith('Running: 1 of 2 trials')")
            assert focused(tab) == "gru"
            assert tab.text("#live").endswith("Running: 1 of 2 trials, 1 of 1 run done.")
        shutil.rmtree(folder)

    def test_an_address_can_be_opened_and_gone_back_from(self, tab, server):
        tab.open(f"{server}/#/models/gru")
        assert tab.text("h1").startswith("gru")
        tab.go("#/corpora/tales", "tales")
        tab.run("history.back()")
        tab.wait("document.querySelector('main h1').textContent.startsWith('gru')")

    def test_views_change_by_keyboard_and_the_focus_follows(self, tab, server):
        tab.open(server)
        tab.press("Tab")
        assert focused(tab) == "Skip to the content"
        for expected in ("nextvec", "Playground", "Order", "Models"):
            tab.press("Tab")
            assert focused(tab) == expected
        tab.press("Enter")
        tab.wait("document.title.startsWith('Models')")
        assert focused(tab) == "Models"
        assert tab.run("document.activeElement.tagName") == "H1"
        tab.press("Tab")
        tab.press("Tab")
        tab.press("Enter")
        tab.wait("document.querySelector('.trail')")
        assert tab.run("document.activeElement.tagName") == "H1"

    def test_the_way_past_the_navigation(self, tab, server):
        tab.open(server)
        tab.press("Tab")
        tab.press("Enter")
        assert tab.run("document.activeElement.id") == "main"
        tab.press("Tab")
        assert tab.run("document.activeElement.id") == "text"

    def test_a_narrow_window_never_scrolls_sideways(self, tab, server, story):
        tab.look(360)
        tab.open(server)
        complete_text(tab, story)
        tab.run("document.querySelectorAll('details').forEach((part) => (part.open = true))")
        assert tab.run("document.documentElement.scrollWidth") <= 360
        order_sentences(tab, story)
        assert tab.run("document.documentElement.scrollWidth") <= 360
        for view in ("models", "models/gru", "leaderboard", "corpora", "corpora/tales"):
            tab.go(f"#/{view}", VIEWS.get(view, view.partition("/")[2]))
            tab.run("document.querySelectorAll('details').forEach((part) => (part.open = true))")
            assert tab.run("document.documentElement.scrollWidth") <= 360, view

    def test_every_field_and_button_has_a_name(self, tab, server, story):
        tab.open(server)
        complete_text(tab, story)
        nameless = """[...document.querySelectorAll("input, select, textarea, button, a, summary, [role]")]
            .filter((e) => !/row|cell|table|note/.test(e.role))
            .filter((e) => !(e.labels?.length || e.ariaLabel || e.innerText?.trim())).map((e) => e.outerHTML)"""
        order_sentences(tab, story)
        for view in ("playground", "order", "models/gru", "leaderboard", "corpora/tales"):
            tab.go(f"#/{view}", VIEWS.get(view, view.partition("/")[2]))
            assert tab.run(nameless) == [], view

    @pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
    def test_letters_stand_out_from_their_ground(self, tab, server, story, dark):
        tab.look(1280, dark=dark, still=True)
        tab.open(server)
        complete_text(tab, story)
        order_sentences(tab, story)
        for view in ("playground", "order", "models", "models/gru", "leaderboard", "corpora", "corpora/tales"):
            tab.go(f"#/{view}", VIEWS.get(view, view.partition("/")[2]))
            tab.run("document.querySelectorAll('details').forEach((part) => (part.open = true))")
            assert tab.run(FAINT) == [], view

    def test_a_theme_is_chosen_and_kept(self, tab, server):
        tab.look(1280, dark=True)
        tab.open(server)
        ground = "getComputedStyle(document.body).backgroundColor"
        dark = tab.run(ground)
        tab.click("#theme")
        assert tab.run("document.getElementById('theme').ariaLabel") == "Theme: light. Change it"
        assert tab.run(ground) != dark
        tab.call("Page.reload")
        tab.wait("document.querySelector('main h1')")
        assert tab.run("document.documentElement.dataset.theme") == "light"
        tab.click("#theme")
        tab.click("#theme")
        assert tab.run(ground) == dark

    def test_who_wants_no_motion_gets_none(self, tab, server):
        tab.look(1280, still=True)
        tab.open(server)
        assert tab.run("document.getAnimations().length") == 0
        assert tab.run("getComputedStyle(document.querySelector('button')).transitionDuration") == "0s"


FAINT = """(() => {
    const channel = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
    const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    const rgb = (colour) => {
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = colour;
        canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data];
    };
    const light = (colour) => {
        const [r, g, b] = rgb(colour).map((value) => channel(value / 255));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const ground = (element) => {
        for (let e = element; e; e = e.parentElement)
            if (rgb(getComputedStyle(e).backgroundColor)[3] === 255) return getComputedStyle(e).backgroundColor;
    };
    const faint = [];
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        const element = texts.currentNode.parentElement;
        if (!texts.currentNode.data.trim() || !element.checkVisibility()) continue;
        if (element.closest(":disabled, option")) continue;
        const style = getComputedStyle(element);
        const letters = element instanceof SVGElement ? style.fill : style.color;
        const [a, b] = [light(letters), light(ground(element))].sort((x, y) => y - x);
        if ((a + 0.05) / (b + 0.05) < 4.5) faint.push([texts.currentNode.data.slice(0, 40), letters, ground(element)]);
    }
    return faint;
})()"""


class TestPlayground:
    def test_it_begins_with_a_held_out_document_of_the_corpus(self, tab, server):
        tab.open(server)
        examples = tab.run("fetch('/v1/corpora/tales').then((answer) => answer.json())")["examples"]
        texts = [example["text"] for example in examples]
        tab.wait(f"document.querySelector('#text').value === {json.dumps(texts[0])}")
        tab.run(
            "[...document.querySelectorAll('button.link')].find((b) => b.textContent === 'Another example').click()"
        )
        assert tab.run("document.querySelector('#text').value") == texts[1 % len(texts)]

    def test_each_chosen_model_continues_the_text(self, tab, server, story):
        tab.open(server)
        complete_text(tab, story)
        assert tab.texts(".reading h2") == ["gru", "mix"]
        for number in (1, 2):
            column = f".reading:nth-of-type({number})"
            said = tab.texts(f"{column} .utterance")
            assert 1 <= len(said) <= 3
            assert len(set(said)) == len(said)
            assert all(re.fullmatch(r"[A-Z].*\.", sentence) for sentence in said)
            assert f"{len(said)} sentence" in tab.text(f"{column} .status")
        assert re.search(r"(gru|mix): \d sentences?, ", tab.text("#live"))

    def test_a_sentence_shows_what_led_to_it(self, tab, server, story):
        tab.open(server)
        complete_text(tab, story)
        first = tab.text(".steps > li")
        for words in ("stored text from “", "round trip\n", "topic\n", "Stages, ", "predict ", "snap ", "decode "):
            assert words in first
        chunks = tab.run("document.querySelector('.steps > li .strip').querySelectorAll('rect').length")
        label = tab.run("document.querySelector('.steps > li .strip').ariaLabel")
        assert f"each of {chunks} context chunks" in label
        assert len(re.findall(r"\d\.\d\d", label)) == chunks
        assert "Time by stage: predict " in tab.run("document.querySelector('.steps > li .segments').ariaLabel")
        tab.click(".steps > li summary")
        opened = tab.text(".steps > li")
        assert re.search(r"weight \d+\.\d.% · cosine 0\.\d{3} · ", opened)
        assert "held to the topic" in opened

    def test_the_bars_grow_with_the_context(self, tab, server, story):
        tab.open(server)
        complete_text(tab, story)
        bars = "[...document.querySelectorAll('.reading:nth-of-type(1) .strip')].map((e) => e.childElementCount - 1)"
        counts = tab.run(bars)
        assert counts == list(range(counts[0], counts[0] + len(counts)))

    def test_the_keyboard_runs_it(self, tab, server):
        tab.open(server)
        tab.run("document.getElementById('text').focus()")
        tab.press("Enter", CONTROL)
        tab.wait("document.querySelector('.reading .utterance')")
        tab.wait("!document.querySelector('.running')")

    def test_results_survive_a_look_at_another_view(self, tab, server, story):
        tab.open(server)
        complete_text(tab, story)
        before = tab.text(".readings")
        tab.go("#/leaderboard", "Leaderboard")
        tab.go("#/playground", "Playground")
        assert tab.text(".readings") == before

    def test_options_reach_the_server(self, tab, server, story):
        tab.open(server)
        tab.click("input[name=snap]")
        complete_text(tab, story)
        tab.click(".steps > li summary")
        assert "Snap was off" in tab.text(".steps > li")

    def test_without_a_model_nothing_runs_and_it_says_so(self, tab, server):
        tab.open(server)
        tab.run("document.querySelectorAll('input[name=model]').forEach((box) => (box.checked = false))")
        tab.click("button[name=go]")
        assert tab.text(".readings") == "Choose at least one model."


def draw_texts(tab, story, how_many=3):
    """Ask gru, which draws among stored sentences, for several continuations, and wait for their ends."""
    tab.run(f"document.getElementById('text').value = {json.dumps(story[:300])}")
    tab.run("document.querySelectorAll('input[name=model]').forEach((box) => (box.checked = box.value === 'gru'))")
    tab.run("document.getElementById('sentences').value = 2")
    set_field(tab, "choices", how_many)
    set_field(tab, "seed", 7)
    tab.click("button[name=go]")
    tab.wait("document.querySelector('.draws .reading') && !document.querySelector('.running')")


def set_field(tab, name, value):
    """As a user does: the page is told."""
    field = f"document.getElementById('{name}')"
    tab.run(f"{field}.value = {value}; {field}.dispatchEvent(new Event('input', {{ bubbles: true }}))")


class TestDraws:
    def test_continuations_stand_side_by_side_with_how_likely_they_are(self, tab, server, story):
        tab.open(server)
        draw_texts(tab, story)
        assert tab.texts(".draws h2") == ["gru"]
        assert tab.text(".draws > header .status") == "3 continuations · seed 7"
        assert tab.texts(".reading h3") == ["1 of 3", "2 of 3", "3 of 3"]
        tops = tab.run("[...document.querySelectorAll('.reading')].map((e) => e.getBoundingClientRect().top)")
        assert len(set(tops)) == 1
        likely = tab.texts(".reading .likely")
        assert len(likely) == len(tab.texts(".reading .utterance"))
        assert all(re.fullmatch(r"\d+\.\d\u202f% · \u2212\d+\.\d\d nats", words) for words in likely)
        assert tab.run("document.querySelectorAll('.likely .share').length") == len(likely)
        asked = {"model": "gru", "prompt": story[:300], "sentences": 2, "n": 3, "temperature": 1, "seed": 7}
        choices = httpx.post(f"{server}/v1/completions", json=asked, timeout=60).json()["choices"]
        said = [sentence["text"] for choice in choices for sentence in choice["nextvec"]["sentences"]]
        assert tab.texts(".reading .utterance") == said

    def test_the_likeliest_is_marked(self, tab, server, story):
        tab.open(server)
        draw_texts(tab, story)
        notes = tab.texts(".reading header .status:last-child")
        means = [float(re.search(r"\u2212(\d+\.\d\d) nats a sentence", note)[1]) for note in notes]
        best = means.index(min(means))
        assert [note.startswith("the likeliest: ") for note in notes] == [i == best for i in range(3)]
        marked = tab.run("[...document.querySelectorAll('.reading')].map((e) => e.classList.contains('likeliest'))")
        assert marked == [i == best for i in range(3)]

    def test_what_led_to_a_sentence_and_what_else_might_have_come_are_told_on_demand(self, tab, server, story):
        tab.open(server)
        draw_texts(tab, story)
        assert "round trip" not in tab.text(".reading")
        tab.run("document.querySelectorAll('.reading details').forEach((part) => (part.open = true))")
        opened = tab.text(".reading")
        for words in (
            "round trip\n",
            "draw ",
            "weigh ",
            "What was drawn was decoded as it was",
            "3 others that might have come",
        ):
            assert words in opened

    def test_several_need_a_temperature_and_it_needs_no_second_thought(self, tab, server):
        tab.open(server)
        heat = "document.getElementById('temperature').value"
        assert (tab.run(heat), tab.text("output")) == ("0", "0.0")
        set_field(tab, "choices", 3)
        assert (tab.run(heat), tab.text("output")) == ("1", "1.0")
        assert tab.text("#temperature-hint").startswith("At 1 each sentence is drawn")
        set_field(tab, "temperature", 0)
        assert tab.run("document.getElementById('choices').value") == "1"
        assert tab.text("#temperature-hint").startswith("At 0 nothing is left to chance")

    def test_one_draw_is_a_reading_that_tells_its_seed(self, tab, server, story):
        tab.open(server)
        set_field(tab, "temperature", 0.5)
        complete_text(tab, story)
        assert tab.texts(".reading h2") == ["gru", "mix"]
        assert all(re.search(r" · seed \d+$", status) for status in tab.texts(".reading .status:nth-child(2)"))

    def test_a_narrow_window_has_them_one_below_the_other(self, tab, server, story):
        tab.look(390)
        tab.open(server)
        draw_texts(tab, story)
        tab.run("document.querySelectorAll('details').forEach((part) => (part.open = true))")
        assert tab.run("document.documentElement.scrollWidth") <= 390
        lefts = tab.run("[...document.querySelectorAll('.reading')].map((e) => e.getBoundingClientRect().left)")
        assert len(set(lefts)) == 1

    @pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
    def test_its_letters_stand_out(self, tab, server, story, dark):
        tab.look(1280, dark=dark, still=True)
        tab.open(server)
        draw_texts(tab, story)
        tab.run("document.querySelectorAll('details').forEach((part) => (part.open = true))")
        assert tab.run(FAINT) == []


class TestRefusedDraws:
    def test_a_model_that_cannot_draw_says_so_once(self, chromium, server, furnished, story):
        """The browser complains about the refused request, so this does without `tab`."""
        with only_temperature(furnished, None):
            chromium.look(1280)
            chromium.open(server)
            set_field(chromium, "choices", 3)
            chromium.run(
                "document.querySelectorAll('input[name=model]').forEach((b) => (b.checked = b.value === 'gru'))"
            )
            chromium.click("button[name=go]")
            chromium.wait("document.querySelector('.draws .trouble')")
        assert chromium.text(".draws > header .status") == "failed"
        assert chromium.run("document.querySelectorAll('.draws .trouble').length") == 1
        assert "gru gives one vector and draws none: nextvec compare gru fits" in chromium.text(".draws")
        chromium.call("Page.navigate", url="about:blank")


@contextlib.contextmanager
def only_temperature(workspace, value):
    """Meanwhile the records of model gru hold that temperature, or none."""
    records, kept = (workspace.model("gru") / name for name in (EVALUATIONS, TEMPERATURES))
    before = {path: path.read_bytes() for path in (records, kept)}
    for path in before:
        path.write_bytes(b"")
    if value is not None:
        weights = predictions_fingerprint(records.parent)
        append_line(records, {"weights": weights, "temperatures": {"ahead": value}})
    try:
        yield
    finally:
        for path, content in before.items():
            path.write_bytes(content)


class TestOrder:
    def test_sentences_come_in_the_order_that_the_server_gives(self, tab, server, story):
        tab.open(server)
        order_sentences(tab, story)
        asked = {"model": "gru", "query": story[:300], "documents": SENTENCES}
        expected = [
            one["document"]["text"]
            for one in httpx.post(f"{server}/v1/rerank", json=asked, timeout=60).json()["results"]
        ]
        assert tab.texts(".ranking .utterance") == expected
        assert tab.texts("#live p")[-1] == f"Ordered by gru. First: {expected[0]}"
        assert tab.text(".reading h2") == "gru"
        assert re.search(r"3 candidates in .*s · after \d chunks? of yours", tab.text(".status"))
        assert "this model has no query of its own" in tab.text(".reading")
        assert tab.run("document.querySelector('.readings').hasAttribute('aria-busy')") is False

    def test_with_a_fitted_temperature_there_are_probabilities(self, tab, server, furnished, story):
        tab.open(server)
        with only_temperature(furnished, 0.5):
            order_sentences(tab, story)
        shares = [float(share) for share in re.findall(r"([\d.]+)\u202f%", tab.text(".ranking"))]
        assert sum(shares) == pytest.approx(100, abs=0.2)
        assert shares == sorted(shares, reverse=True)
        assert tab.run("document.querySelectorAll('.ranking .share').length") == 3
        assert "at temperature 0.500, fitted on validation documents" in tab.text(".reading")

    def test_without_one_there_are_scores_alone(self, tab, server, furnished, story):
        tab.open(server)
        with only_temperature(furnished, None):
            order_sentences(tab, story)
        assert "%" not in tab.text(".reading")
        assert "Scores, not probabilities" in tab.text(".reading")
        assert re.search(r"score .?\d\.\d{3} · your no\. [123]", tab.text(".ranking"))

    def test_the_keyboard_runs_it(self, tab, server):
        tab.open(server)
        tab.go("#/order", "Order")
        for field in ("context", "candidates"):
            tab.run(f"document.getElementById('{field}').focus()")
            tab.press("Enter", CONTROL)
            tab.wait("document.querySelector('.ranking')")
            tab.run("document.querySelector('.ranking').remove()")

    def test_it_begins_with_a_held_out_document_and_what_follows_there(self, tab, server):
        tab.open(server)
        example, other = tab.run("fetch('/v1/corpora/tales').then((answer) => answer.json())")["examples"][:2]
        tab.go("#/order", "Order")
        tab.wait(f"document.getElementById('context').value === {json.dumps(example['text'])}")
        candidates = tab.run("document.getElementById('candidates').value").split("\n")
        assert candidates == sorted([*example["following"][:3], other["following"][0]])
        tab.click(".bench button.primary")
        tab.wait("document.querySelector('.ranking')")
        (came,) = (words for words in tab.texts(".ranking li") if "this one came" in words)
        assert example["following"][0] in came

    def test_sentences_from_anywhere_are_ordered_by_the_topic(self, tab, server, story):
        tab.open(server)
        order_sentences(tab, story)
        tab.run("document.querySelector('.ranking').remove()")
        tab.run("document.getElementById('among').value = 'anywhere'")
        tab.click(".bench button.primary")
        tab.wait("document.querySelector('.ranking')")
        assert "Ranked by its topic." in tab.text(".reading")

    def test_another_example_can_be_asked_for(self, tab, server):
        tab.open(server)
        tab.go("#/order", "Order")
        tab.wait("!document.getElementById('context').value.startsWith('The lighthouse')")
        texts = "[document.getElementById('context').value, document.getElementById('candidates').value]"
        first = tab.run(texts)
        tab.click(".bench .link")
        assert all(now != before for now, before in zip(tab.run(texts), first, strict=True))
        assert focused(tab) == "context"

    def test_what_was_written_and_its_order_survive_a_look_at_another_view(self, tab, server, story):
        tab.open(server)
        order_sentences(tab, story)
        before = tab.text(".lab")
        tab.go("#/models", "Models")
        tab.go("#/order", "Order")
        assert tab.text(".lab") == before
        assert tab.run("document.getElementById('candidates').value").split("\n") == SENTENCES

    def test_a_refused_request_is_told_and_can_be_made_again(self, tab, server, story):
        tab.open(server)
        order_sentences(tab, story)
        tab.run("document.getElementById('context').value = '...'")
        tab.click(".bench button.primary")
        tab.wait("document.querySelector('.trouble')")
        assert "has no sentence to continue" in tab.text(".trouble")
        tab.run(f"document.getElementById('context').value = {json.dumps(story[:300])}")
        tab.click(".trouble button")
        tab.wait("document.querySelector('.ranking')")
        assert all("422" in str(complaint) for complaint in tab.complaints())


class TestPolicy:
    def test_what_is_injected_does_not_run(self, chromium, server):
        chromium.open(server)
        injected = """(() => {
            const script = document.createElement("script");
            try { script.text = "window.ran = true"; } catch { return "refused"; }
            document.body.append(script);
            return window.ran ? "ran" : "blocked";
        })()"""
        assert chromium.run(injected) in ("refused", "blocked")
        markup = "(() => { try { document.body.innerHTML = '<b>x</b>'; return 'set' } catch { return 'refused' } })()"
        assert chromium.run(markup) == "refused"
        assert chromium.run("fetch('https://example.com').then(() => 'sent', () => 'refused')") == "refused"
        assert chromium.complaints() != []


def test_an_empty_workspace_is_told_what_to_run(tab, launch, tmp_path):
    (tmp_path / "ws").mkdir()
    with launch(Workspace(tmp_path / "ws"), "--port", 0) as server:
        tab.open(server.urls[0])
        for view, heading in VIEWS.items():
            tab.go(f"#/{view}", heading)
            assert re.search(r"^nextvec (corpus ingest|train|study run) ", tab.text(".empty pre"), re.MULTILINE), view
