"""The page in a real browser: what a user with a mouse, a keyboard, a screen reader or a phone meets."""

import json
import re
import runpy
import shutil
import threading
import time
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import pytest
from fastapi import FastAPI
from fastapi.responses import JSONResponse, StreamingResponse

from nextvec.serving.routes.page import POLICY, page_router, read_assets
from nextvec.workspace import Workspace

BROWSER = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("chromium.py"))))
in_a_browser = pytest.mark.skipif(BROWSER.PROGRAM is None, reason="no Chromium to show the page in")
VIEWS = {"playground": "Playground", "models": "Models", "leaderboard": "Leaderboard", "corpora": "Corpora"}
HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>"
SHIFT, CONTROL = 8, 2


class Elements(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))


class TestFiles:
    def test_they_are_small(self):
        assert sum(len(asset.content) for asset in read_assets().values()) < 120_000

    def test_the_document_holds_no_script_no_style_and_no_foreign_address(self):
        elements = Elements(read_assets()["index.html"].content.decode()).found
        assert not [tag for tag, _ in elements if tag == "style"]
        assert all(attributes["src"].startswith("/static/") for tag, attributes in elements if tag == "script")
        assert not [name for _, attributes in elements for name in attributes if name == "style" or name[:2] == "on"]

    def test_every_file_that_is_named_exists_and_nothing_is_loaded_from_elsewhere(self):
        assets = read_assets()
        for name, asset in assets.items():
            text = asset.content.decode()
            for path in re.findall(r'/static/([\w./-]+)"', text):
                assert path in assets
            for path in re.findall(r'from "(\.[^"]+)"', text):
                base = Path("/", name).parent
                assert str((base / path).resolve()).lstrip("/") in assets
            assert set(re.findall(r"https?://[\w./]+", text)) <= {"http://www.w3.org/2000/svg"}
            assert "innerHTML" not in text

    def test_they_are_served_under_the_policy_and_revalidated(self, client):
        page = client.get("/")
        assert page.headers["content-security-policy"] == POLICY
        assert "unsafe" not in POLICY
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert client.get("/static/app.js").headers["content-type"].startswith("text/javascript")
        known = {"if-none-match": page.headers["etag"]}
        again = client.get("/", headers=known)
        assert (again.status_code, again.content) == (304, b"")
        assert client.get("/static/app.js", headers=known).status_code == 200

    @pytest.mark.parametrize(
        "path", ["nothing.js", "../catalogue.py", "..%2fcatalogue.py", "%2fetc/passwd", "views", ""]
    )
    def test_no_other_path_is_a_file(self, client, path):
        assert client.get(f"/static/{path}").status_code == 404


@pytest.fixture(scope="session")
def furnished(nextvec, compared, tmp_path_factory):
    """A workspace with everything in it, and HTML where a page might believe it."""
    root = tmp_path_factory.mktemp("page") / "ws"
    shutil.copytree(compared.root, root)
    with (root / "models" / "gru" / "README.md").open("a") as card:
        card.write(f"\n{HOSTILE}\n\n[click](javascript:alert(3)) **bold** `{HOSTILE}`\n\n| {HOSTILE} |\n|---|\n")
    text = root.parent / "hostile"
    text.mkdir()
    (text / "hostile.txt").write_text(f"{HOSTILE} is how it begins. And this is how it goes on. {HOSTILE} is the end.")
    nextvec("corpus", "ingest", text, "--corpus", "hostile", "--encoder", "hashing:8", workspace=root)
    lone = root.parent / "lone.txt"
    lone.write_text("Two sentences stand here. That is too few.")
    nextvec("corpus", "ingest", lone, "--corpus", "lone", "--encoder", "hashing:8", workspace=root)
    return Workspace(root)


@pytest.fixture(scope="module")
def server(launch, furnished):
    with launch(furnished, "--port", 0) as server:
        yield server.urls[0]


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    browser = BROWSER.Chromium(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.fixture
def tab(chromium):
    """A browser at 1280 pixels that must have nothing to complain about at the end."""
    chromium.look(1280)
    chromium.call("Page.navigate", url="about:blank")
    chromium.complaints()
    yield chromium
    assert chromium.complaints() == []


def focused(tab):
    return tab.run("document.activeElement.innerText || document.activeElement.id || document.activeElement.tagName")


def complete_text(tab, story):
    """Ask both models for three sentences and wait for their ends."""
    tab.run(f"document.getElementById('text').value = {json.dumps(story[:300])}")
    tab.run("document.querySelectorAll('input[name=model]').forEach((box) => (box.checked = true))")
    tab.run("document.getElementById('sentences').value = 3")
    tab.click("button[name=go]")
    tab.wait("document.querySelector('.reading') && !document.querySelector('.running')")


@in_a_browser
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
        for address, words in {"models/nobody": "This is not there", "corpora/%": "Something in this page"}.items():
            chromium.open(f"{server}/#/{address}")
            chromium.wait("document.querySelector('.trouble')")
            assert words in chromium.text("h1")
            chromium.call("Page.navigate", url="about:blank")

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
        for expected in ("nextvec", "Playground", "Models"):
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
        for view in ("playground", "models/gru", "leaderboard", "corpora/tales"):
            tab.go(f"#/{view}", VIEWS.get(view, view.partition("/")[2]))
            assert tab.run(nameless) == [], view

    @pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
    def test_letters_stand_out_from_their_ground(self, tab, server, story, dark):
        tab.look(1280, dark=dark, still=True)
        tab.open(server)
        complete_text(tab, story)
        for view in ("playground", "models", "models/gru", "leaderboard", "corpora", "corpora/tales"):
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


@in_a_browser
class TestPlayground:
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

    def test_a_text_survives_a_change_of_the_models(self, chromium, scripted):
        chromium.open(scripted.url)
        chromium.run("document.getElementById('text').select()")
        chromium.type("My own words.")
        chromium.go("#/models", "Models")
        scripted.answers["v1/models"] = lambda: one_model("another")
        chromium.go("#/playground", "Playground")
        assert chromium.run("document.querySelector('input[name=model]').value") == "another"
        assert chromium.run("document.getElementById('text').value") == "My own words."

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


@in_a_browser
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

    def test_what_a_card_or_a_corpus_says_is_never_markup(self, tab, server):
        tab.open(f"{server}/#/models/gru")
        tab.run("document.querySelectorAll('details').forEach((part) => (part.open = true))")
        assert tab.text(".card").count(HOSTILE) == 3
        assert "[click](javascript:alert(3))" in tab.text(".card")
        assert tab.run("document.querySelectorAll('main img, main script, main [href^=javascript]').length") == 0
        assert tab.texts(".card strong") == ["bold"]
        tab.go("#/corpora/hostile", "hostile")
        assert HOSTILE in tab.text(".chunks")
        assert tab.run("document.querySelectorAll('main img, main script').length") == 0

    def test_the_leaderboard_says_what_may_be_said(self, tab, server):
        tab.open(f"{server}/#/leaderboard")
        shown = tab.text()
        assert "best baseline" in tab.text(".lead")
        assert re.search(r"Caution: only \d+ documents\.", shown)
        assert re.search(r"Measured on \d+ targets in \d+ test documents of tales@first", shown)
        assert len(tab.texts("tbody tr")) == 10
        assert tab.run("document.querySelectorAll('.whisker .hollow').length") == 8

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

    def test_a_corpus_shows_its_generations_and_lag_curve(self, tab, server):
        tab.open(f"{server}/#/corpora/tales")
        shown = tab.text()
        assert "tales@first" in shown
        assert "The order carries something to learn." in shown
        assert "lag 1 0." in tab.run("document.querySelector('.plot').ariaLabel")
        assert len(tab.texts("details[open] .chunks li")) == 8


@in_a_browser
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


class Scripted:
    """A server whose answers a test writes: `answers[path]` gives a response."""

    def __init__(self):
        import uvicorn

        app = FastAPI(openapi_url=None)
        app.include_router(page_router())
        self.answers = {}
        app.api_route("/{path:path}", methods=["GET", "POST"], response_model=None)(self.answer)
        self._server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical", timeout_graceful_shutdown=1))
        self._thread = threading.Thread(target=self._server.run)

    def answer(self, path: str):
        return self.answers[path]()

    def start(self):
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)
        return f"http://127.0.0.1:{self._server.servers[0].sockets[0].getsockname()[1]}"

    def stop(self):
        self._server.should_exit = True
        self._thread.join(30)


def problem(status, title, detail, **headers):
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return JSONResponse(body, status, headers, media_type="application/problem+json")


def one_model(name="m"):
    known = {"architecture": "gru", "corpus": "c@1", "aliases": [], "decoders": ["nearest"], "ready": True}
    return JSONResponse({"object": "list", "data": [{"id": name, "nextvec": known}]})


STEP = {
    "number": 1, "text": "It went on.", "passed": True, "reasons": [], "degraded": False, "steps": 0, "row": 3,
    "document": "d", "title": "D", "round_trip": 0.7, "topic_cosine": 0.5, "context_cosines": [0.1, 0.4],
    "neighbours": [], "snap": None, "times": {"predict": 1.0, "decode": 2.0},
}  # fmt: skip
CONTEXT = {"chunks": ["One.", "Two."], "own": 2, "filled": 0, "rows": [], "left_out": 0, "empty": 0, "times": {}}


def event(**extension):
    return f"data: {json.dumps({'choices': [{'index': 0, 'text': '', 'nextvec': extension}]})}\n\n"


@pytest.fixture
def scripted():
    server = Scripted()
    server.answers["v1/models"] = one_model
    server.url = server.start()
    yield server
    server.stop()


@in_a_browser
class TestTrouble:
    """These leave complaints about refused requests on the console, so they do not use `tab`."""

    def test_a_busy_server_is_asked_again(self, chromium, scripted):
        busy = lambda: problem(503, "Service Unavailable", "9 requests wait", **{"Retry-After": "7"})  # noqa: E731
        scripted.answers["v1/completions"] = busy
        chromium.open(scripted.url)
        chromium.click("button[name=go]")
        chromium.wait("document.querySelector('.reading .trouble')")
        shown = chromium.text(".trouble")
        assert "The server is busy" in shown
        assert "9 requests wait" in shown
        assert "Try again in 7 seconds." in shown
        assert chromium.text(".status") == "failed"
        scripted.answers["v1/completions"] = lambda: StreamingResponse(
            iter([event(context=CONTEXT, sentences=[STEP]), "data: [DONE]\n\n"]), media_type="text/event-stream"
        )
        chromium.click(".trouble button")
        chromium.wait("document.querySelector('.utterance')")
        assert chromium.text(".utterance") == "It went on."
        assert not chromium.texts(".trouble")

    def test_an_error_in_the_middle_keeps_what_came_before(self, chromium, scripted):
        broken = {"type": "t", "title": "Gateway Timeout", "status": 504, "detail": "decode took longer than 60 s"}
        parts = [event(context=CONTEXT, sentences=[STEP]), f"data: {json.dumps(broken)}\n\n"]
        scripted.answers["v1/completions"] = lambda: StreamingResponse(iter(parts), media_type="text/event-stream")
        chromium.open(scripted.url)
        chromium.click("button[name=go]")
        chromium.wait("document.querySelector('.trouble')")
        assert chromium.text(".utterance") == "It went on."
        assert "decode took longer than 60 s" in chromium.text(".trouble")

    @pytest.mark.parametrize("crash", [False, True])
    def test_a_stream_that_breaks_off_is_not_taken_for_its_end(self, chromium, scripted, crash):
        def parts():
            yield event(context=CONTEXT, sentences=[STEP])
            if crash:
                raise ConnectionAbortedError

        scripted.answers["v1/completions"] = lambda: StreamingResponse(parts(), media_type="text/event-stream")
        chromium.open(scripted.url)
        chromium.click("button[name=go]")
        chromium.wait("document.querySelector('.trouble')")
        assert "The answer broke off" in chromium.text(".trouble")

    def test_a_running_continuation_is_stopped(self, chromium, scripted):
        goes_on = threading.Event()

        def endless():
            yield event(context=CONTEXT, sentences=[STEP])
            goes_on.wait(60)

        scripted.answers["v1/completions"] = lambda: StreamingResponse(endless(), media_type="text/event-stream")
        chromium.open(scripted.url)
        chromium.click("button[name=go]")
        chromium.wait("document.querySelector('.utterance')")
        assert chromium.run("document.querySelector('.readings').ariaBusy") == "true"
        chromium.click("button[name=stop]")
        chromium.wait("!document.querySelector('.running')")
        goes_on.set()
        assert chromium.text(".status") == "stopped by you"
        chromium.wait("document.querySelector('button[name=stop]').disabled")

    def test_a_server_that_is_gone_is_said_to_be(self, chromium, scripted):
        chromium.open(scripted.url)
        scripted.stop()
        chromium.go("#/models", "The server does not answer")
        assert "Is nextvec serve still running?" in chromium.text()
        assert chromium.texts(".trouble button") == ["Try again"]

    def test_a_degraded_sentence_says_so_in_words(self, chromium, scripted):
        weak = STEP | {"degraded": True, "passed": False, "reasons": ["repeats itself"], "round_trip": None}
        ends = {"reason": "drift", "detail": "2 sentences off the topic", "sentences": 1, "milliseconds": 5.0}
        parts = [event(context=CONTEXT, sentences=[weak]), event(sentences=[], finish=ends), "data: [DONE]\n\n"]
        scripted.answers["v1/completions"] = lambda: StreamingResponse(iter(parts), media_type="text/event-stream")
        chromium.open(scripted.url)
        chromium.click("button[name=go]")
        chromium.wait("document.querySelector('.utterance') && !document.querySelector('.running')")
        assert "degraded: an extract, for want of a better text" in chromium.text(".badges")
        assert "repeats itself" in chromium.text(".badges")
        assert "stopped: it drifted away from the topic (2 sentences off the topic)" in chromium.text(".status")

    def test_a_server_that_loads_is_waited_for(self, chromium, scripted):
        asked = []

        def models():
            asked.append(1)
            return JSONResponse({"object": "list", "data": []}) if len(asked) < 2 else one_model()

        scripted.answers["v1/models"] = models
        scripted.answers["health/ready"] = lambda: JSONResponse({"status": "loading", "models": 0, "faults": []}, 503)
        chromium.open(scripted.url)
        assert chromium.texts("h1") == ["Playground"]
        assert chromium.texts(".choice input[name=model]") == [""]

    def test_models_that_cannot_be_loaded_are_named(self, chromium, scripted):
        scripted.answers["v1/models"] = lambda: JSONResponse({"object": "list", "data": []})
        faults = ["model gru: its probe is off by 0.5"]
        scripted.answers["health/ready"] = lambda: JSONResponse(
            {"status": "faulty", "models": 0, "faults": faults}, 503
        )
        chromium.open(scripted.url)
        assert "its probe is off by 0.5" in chromium.text(".empty")

    def test_a_token_is_asked_for_and_kept_in_memory_alone(self, chromium, launch, furnished):
        with launch(furnished, "--port", 0, environment={"NEXTVEC_TOKEN": "open-sesame-1234567890"}) as server:
            chromium.open(server.urls[0])
            assert "Enter the token" in chromium.text()
            assert chromium.run("document.querySelector('.token input').type") == "password"
            chromium.run("document.querySelector('.token input').focus()")
            chromium.type("wrong")
            chromium.press("Enter")
            chromium.wait("document.querySelector('main').innerText.includes('The token was not accepted')")
            chromium.run("document.querySelector('.token input').focus()")
            chromium.type("open-sesame-1234567890")
            chromium.press("Enter")
            chromium.wait("document.querySelector('button[name=go]')")
            chromium.go("#/corpora", "Corpora")
            assert "tales" in chromium.text()
            kept = "JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href])"
            assert "sesame" not in chromium.run(kept)


@in_a_browser
def test_an_empty_workspace_is_told_what_to_run(tab, launch, tmp_path):
    (tmp_path / "ws").mkdir()
    with launch(Workspace(tmp_path / "ws"), "--port", 0) as server:
        tab.open(server.urls[0])
        for view, heading in VIEWS.items():
            tab.go(f"#/{view}", heading)
            assert re.search(r"^nextvec (corpus ingest|train) ", tab.text(".empty pre"), re.MULTILINE), view
