"""The page in a real browser when the server is busy, broken, loading, guarded or gone."""

import json
import threading
import time

import pytest
from fastapi import FastAPI
from fastapi.responses import JSONResponse, StreamingResponse

from nextvec.serving.routes.page import page_router


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


def models_named(*names):
    known = {"architecture": "gru", "corpus": "c@1", "aliases": [], "decoders": ["nearest"], "ready": True}
    return JSONResponse({"object": "list", "data": [{"id": name, "nextvec": known} for name in names]})


def one_model():
    return models_named("m")


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
    server.answers["health/ready"] = lambda: JSONResponse({"status": "ok", "models": 1, "faults": []})
    server.url = server.start()
    yield server
    server.stop()


class TestWhatTheCorpusDoesNotKnow:
    @pytest.mark.parametrize("known", [True, False])
    def test_is_told_before_the_answer(self, chromium, scripted, known):
        told = {"nearest": 0.31, "usual": 0.55, "least": 0.46, "known": known}
        parts = [event(context=CONTEXT | {"familiarity": told}, sentences=[STEP]), "data: [DONE]\n\n"]
        scripted.answers["v1/completions"] = lambda: StreamingResponse(iter(parts), media_type="text/event-stream")
        chromium.open(scripted.url)
        chromium.click("button[name=go]")
        chromium.wait("document.querySelector('.utterance')")
        assert [words[:46] for words in chromium.texts(".reading .caution")] == [
            "The corpus knows nothing like this text, so do"
        ] * (not known)
        first, second = ".reading .caution", ".utterance"
        order = f"document.querySelector('{first}')?.compareDocumentPosition(document.querySelector('{second}'))"
        assert known or chromium.run(order) & 4  # what follows

    def test_is_told_before_the_order_of_sentences(self, chromium, scripted):
        result = {"index": 0, "relevance_score": 1.0, "document": {"text": "It went on."}, "nextvec": {"score": 0.5}}
        ranked = {
            "ranked_by": "query", "temperature": 0.1, "own": 2, "left_out": 0, "milliseconds": 3.0,
            "familiarity": {"nearest": 0.31, "usual": 0.55, "least": 0.46, "known": False},
        }  # fmt: skip
        answer = {"model": "m", "results": [result], "nextvec": ranked}
        scripted.answers["v1/rerank"] = lambda: JSONResponse(answer)
        chromium.open(f"{scripted.url}#/order")
        chromium.click(".bench button.primary")
        chromium.wait("document.querySelector('.ranking')")
        assert chromium.text(".reading .caution").startswith("The corpus knows nothing like this text")
        assert chromium.run("document.querySelector('.caution').nextElementSibling.matches('.ranking')")


class TestOrder:
    def test_shows_that_it_waits_for_the_server(self, chromium, scripted):
        asked, go = threading.Event(), threading.Event()

        def refused():
            asked.set()
            assert go.wait(30)
            return problem(503, "Service Unavailable", "9 requests wait")

        scripted.answers["v1/rerank"] = refused
        chromium.open(f"{scripted.url}#/order")
        chromium.click(".bench button.primary")
        assert asked.wait(30)
        assert chromium.texts(".readings [role=status]") == ["working …"]
        go.set()
        chromium.wait("document.querySelector('.readings .trouble')")
        assert chromium.texts(".readings [role=status]") == []


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

    def begun(self, chromium, scripted):
        """A continuation of which one sentence is there; it ends when what is returned is set."""
        goes_on = threading.Event()

        def endless():
            yield event(context=CONTEXT, sentences=[STEP])
            goes_on.wait(60)

        scripted.answers["v1/completions"] = lambda: StreamingResponse(endless(), media_type="text/event-stream")
        chromium.open(scripted.url)
        chromium.click("button[name=go]")
        chromium.wait("document.querySelector('.utterance')")
        return goes_on

    def test_a_running_continuation_is_stopped(self, chromium, scripted):
        goes_on = self.begun(chromium, scripted)
        assert chromium.run("document.querySelector('.readings').ariaBusy") == "true"
        chromium.click("button[name=stop]")
        chromium.wait("!document.querySelector('.running')")
        goes_on.set()
        assert chromium.text(".status") == "stopped by you"
        chromium.wait("document.querySelector('button[name=stop]').disabled")

    def test_what_is_stopped_by_a_key_leaves_the_focus_in_the_form(self, chromium, scripted):
        goes_on = self.begun(chromium, scripted)
        chromium.run("document.querySelector('button[name=stop]').focus()")
        chromium.click("button[name=stop]")
        chromium.wait("document.querySelector('button[name=stop]').disabled")
        goes_on.set()
        assert chromium.run("document.activeElement.name") == "go"

    def test_other_models_take_nothing_that_was_written_or_said(self, chromium, scripted):
        """Nor what runs: it can be stopped, and ends."""
        goes_on = threading.Event()

        def held():
            yield event(context=CONTEXT, sentences=[STEP])
            goes_on.wait(60)
            yield event(sentences=[STEP | {"number": 2}])
            yield "data: [DONE]\n\n"

        scripted.answers["v1/completions"] = lambda: StreamingResponse(held(), media_type="text/event-stream")
        chromium.open(scripted.url)
        chromium.run("document.getElementById('sentences').value = 9")
        chromium.click("button[name=go]")
        chromium.wait("document.querySelector('.utterance')")
        scripted.answers["v1/models"] = lambda: models_named("a", "m")
        chromium.go("#/models", "Models")
        chromium.go("#/playground", "Playground")
        assert chromium.texts(".utterance") == ["It went on."]
        assert not chromium.run("document.querySelector('button[name=stop]').disabled")
        ticked = "[...document.querySelectorAll('input[name=model]')].map((box) => [box.value, box.checked])"
        assert sorted(chromium.run(ticked)) == [["a", False], ["m", True]]
        assert chromium.run("document.getElementById('sentences').value") == "9"
        goes_on.set()
        chromium.wait("document.querySelectorAll('.utterance').length === 2")

    def test_an_error_in_the_middle_keeps_what_came_of_several(self, chromium, scripted):
        parts = [event(context=CONTEXT, sentences=[STEP])]
        scripted.answers["v1/completions"] = lambda: StreamingResponse(iter(parts), media_type="text/event-stream")
        chromium.open(scripted.url)
        chromium.run("document.getElementById('choices').value = 2")
        chromium.click("button[name=go]")
        chromium.wait("document.querySelectorAll('.trouble').length === 2")
        assert chromium.texts(".utterance") == ["It went on."]

    def test_what_is_wrong_among_hidden_options_is_shown(self, chromium, scripted):
        chromium.open(scripted.url)
        chromium.run("document.getElementById('seed').value = '1.5'")
        chromium.click("button[name=go]")
        chromium.wait("document.querySelector('.bench details').open")

    def test_a_request_that_cannot_be_used_is_not_sent_again_as_it_is(self, chromium, scripted):
        scripted.answers["v1/completions"] = lambda: problem(422, "Unprocessable", "prompt: the text is empty")
        chromium.open(scripted.url)
        chromium.click("button[name=go]")
        chromium.wait("document.querySelector('.trouble')")
        assert "the text is empty" in chromium.text(".trouble")
        assert not chromium.texts(".trouble button")

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
        told = iter([("loading", 503), ("ok", 200)])

        def ready():
            status, code = next(told)
            return JSONResponse({"status": status, "models": 0, "faults": []}, code)

        scripted.answers["health/ready"] = ready
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

    def test_a_text_survives_a_change_of_the_models(self, chromium, scripted):
        chromium.open(scripted.url)
        chromium.run("document.getElementById('text').select()")
        chromium.type("My own words.")
        chromium.go("#/models", "Models")
        scripted.answers["v1/models"] = lambda: models_named("another")
        chromium.go("#/playground", "Playground")
        assert chromium.run("document.querySelector('input[name=model]').value") == "another"
        assert chromium.run("document.getElementById('text').value") == "My own words."

    def test_a_token_is_asked_for_and_kept_in_memory_alone(self, chromium, launch, furnished):
        with launch(furnished, "--port", 0, environment={"NEXTVEC_TOKEN": "open-sesame-1234567890"}) as server:
            chromium.open(server.urls[0])
            assert "Enter the token" in chromium.text()
            assert chromium.run("document.querySelector('.token input').type") == "password"
            for wrong in ("\u201copen-sesame-1234567890\u201d", "wrong"):  # quotation marks that came with it
                chromium.run("document.querySelector('.token input').focus()")
                chromium.type(wrong)
                chromium.press("Enter")
                chromium.wait("document.querySelector('main').innerText.includes('The token was not accepted')")
                chromium.wait("document.querySelector('.token input').value === ''")
            chromium.run("document.querySelector('.token input').focus()")
            chromium.type("open-sesame-1234567890")
            chromium.press("Enter")
            chromium.wait("document.querySelector('button[name=go]')")
            chromium.go("#/corpora", "Corpora")
            assert "tales" in chromium.text()
            kept = "JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href])"
            assert "sesame" not in chromium.run(kept)
