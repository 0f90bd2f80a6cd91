"""What the catalogue says is what the workspace holds; it writes nothing and trusts no name."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from nextvec.errors import IntegrityError, NotFoundError, UsageError
from nextvec.evaluation.evaluation import read_evaluations, save_evaluation
from nextvec.records import read_json, write_json
from nextvec.records.study import LOCK, Run, write_event, write_study
from nextvec.sequences.splits import split_snapshot
from nextvec.serving.catalogue import CURVE_POINTS, SAMPLED_CHUNKS, Catalogue, _curve, _shown_encoder
from nextvec.serving.catalogue_schemas import (
    CorpusDetail,
    CorpusList,
    Leaderboard,
    ModelDetail,
    StudyDetail,
    StudyList,
)
from nextvec.serving.settings import ListenerSettings, ModelSettings, Settings
from nextvec.sharing.cards import Rights
from nextvec.sharing.models import model_card
from nextvec.store.lock import exclusive
from nextvec.store.vectors import Corpus, corpus_names, open_snapshot
from nextvec.workspace import Workspace

OUTSIDE = ["../gru", "..", ".", "/etc/passwd", "gru/../gru", "", "a\0b", "gru\n"]


@pytest.fixture
def catalogue(compared):
    return Catalogue(compared)


def test_a_model_says_what_it_is(catalogue, compared):
    model = catalogue.model("gru")
    known = model["nextvec"]
    assert (model["id"], model["object"], model["owned_by"]) == ("gru", "model", "nextvec")
    assert (known["architecture"], known["dim"], known["corpus"]) == ("gru", 32, "tales@first")
    assert known["card"] == (compared.model("gru") / "README.md").read_text()
    assert known["aliases"] == ["production"]
    assert [change["sentence"][:17] for change in known["history"]] == ["production is gru"]
    assert "golden" not in known["config"]["encoder"]
    assert str(compared.root) not in json.dumps(model)


@pytest.mark.parametrize("damage", ["", "[]", "{}", '{"rows": []}'])
def test_what_is_damaged_hides_nothing_else(compared, tmp_path, damage):
    root = tmp_path / "ws"
    shutil.copytree(compared.root, root)
    whole = Catalogue(Workspace(root))
    corpora, comparisons = whole.corpora(), whole.comparisons()
    shutil.copytree(next((root / "studies").glob("*/comparison.json")).parent, root / "studies" / "damaged")
    (root / "studies" / "damaged" / "comparison.json").write_text(damage)
    shutil.copytree(root / "corpora" / f"{corpora[0]['name']}.lance", root / "corpora" / "damaged.lance")
    for manifest in (root / "corpora" / "damaged.lance").glob("_versions/*.manifest"):
        manifest.write_text(damage)
    catalogue = Catalogue(Workspace(root))
    assert [each["name"] for each in catalogue.corpora()] == [each["name"] for each in corpora]
    assert [each["id"] for each in catalogue.comparisons()] == [each["id"] for each in comparisons]
    assert catalogue.leaderboard()["comparison"]["id"] == comparisons[0]["id"]
    with pytest.raises(IntegrityError):
        catalogue.corpus("damaged")


def test_what_goes_while_it_is_listed_hides_nothing_else(catalogue, monkeypatch):
    def listed():
        return catalogue.comparisons(), catalogue.studies(), catalogue.corpora(), catalogue.model_names()

    there, glob = listed(), Path.glob
    monkeypatch.setattr(Path, "glob", lambda self, pattern: [self / pattern.replace("*", "gone"), *glob(self, pattern)])
    monkeypatch.setattr("nextvec.serving.catalogue.corpus_names", lambda workspace: ["gone", *corpus_names(workspace)])
    assert listed() == there


def test_a_comparison_that_goes_before_it_is_read_is_not_shown(compared, tmp_path, monkeypatch):
    root = tmp_path / "ws"
    shutil.copytree(compared.root, root)
    catalogue = Catalogue(Workspace(root))
    (first,) = (each["id"] for each in catalogue.comparisons())
    shutil.copytree(root / "studies" / first, root / "studies" / "newer", copy_function=shutil.copy)
    listed = catalogue.comparisons()
    assert [each["id"] for each in listed] == ["newer", first]
    shutil.rmtree(root / "studies" / "newer")
    answers = iter([listed, listed[1:]])
    monkeypatch.setattr(catalogue, "comparisons", lambda: next(answers))
    assert catalogue.leaderboard()["comparison"]["id"] == first


def test_a_model_that_goes_before_it_is_read_is_not_found(compared, tmp_path, monkeypatch):
    shutil.copytree(compared.root, tmp_path / "ws")
    catalogue = Catalogue(Workspace(tmp_path / "ws"))
    names = catalogue.model_names()
    monkeypatch.setattr(catalogue, "model_names", lambda: names)
    shutil.rmtree(tmp_path / "ws" / "models" / "gru")
    with pytest.raises(NotFoundError, match="there is no finished model at"):
        catalogue.model("gru")


def test_folders_of_the_server_are_not_told(compared, tmp_path):
    shutil.copytree(compared.root, tmp_path / "ws")
    path = tmp_path / "ws" / "models" / "gru" / "config.json"
    config = json.loads(path.read_text())
    config["encoder"]["reference"] = "sentence-transformers:/home/someone/weights/tiny"
    config["command"] = ["nextvec", "train", "--workspace", "/home/someone/ws"]
    path.write_text(json.dumps(config))
    (comparison,) = (tmp_path / "ws" / "studies").glob("*/comparison.json")
    comparison.write_text(
        comparison.read_text().replace("nextvec compare", "nextvec --workspace=/home/someone/ws compare")
    )
    catalogue = Catalogue(Workspace(tmp_path / "ws"))
    model = catalogue.model("gru")
    assert model["nextvec"]["config"]["encoder"]["reference"] == "sentence-transformers:tiny"
    assert model["nextvec"]["config"]["command"][-1] == "ws"
    assert "--workspace=ws compare" in catalogue.leaderboard()["comparison"]["provenance"]["command"]
    assert "someone" not in json.dumps([model, catalogue.leaderboard()])
    assert "someone" not in _shown_encoder({"reference": "openai:http://someone@10.0.0.1/v1#m"})["reference"]


def test_answers_are_as_the_api_describes_them(catalogue):
    described = [
        (ModelDetail, catalogue.model("gru")),
        (ModelDetail, catalogue.model("mix")),
        (Leaderboard, catalogue.leaderboard()),
        (CorpusList, {"object": "list", "data": catalogue.corpora()}),
        *((CorpusDetail, catalogue.corpus(name)) for name in ("tales", "other")),
    ]
    for schema, answer in described:
        schema.model_validate(answer, strict=True)


@pytest.mark.parametrize("damage", ["{", None])
def test_what_is_damaged_or_no_predictor_is_no_model(compared, tmp_path, damage):
    shutil.copytree(compared.root, tmp_path / "ws")
    place = Workspace(tmp_path / "ws")
    of_no_version = {**read_json(place.model("gru") / "config.json"), "corpus": {"name": "tales", "tag": None}}
    (place.model("gru") / "config.json").write_text(damage or json.dumps(of_no_version))
    (place.model("other") / "config.json").parent.mkdir()
    (place.model("other") / "config.json").write_text('{"format": 1, "kind": "inverter"}')
    catalogue = Catalogue(place)
    assert catalogue.model_names() == ["mix"]
    assert catalogue.corpus("tales")["generations"][0]["models"] == ["mix"]
    with pytest.raises(NotFoundError, match="no model 'gru'"):
        catalogue.model("gru")


@pytest.mark.parametrize("damage", [None, "", "[]\n", "{}\n", "{\n"])
def test_a_damaged_record_of_a_model_is_named_and_hides_no_other(compared, tmp_path, damage):
    shutil.copytree(compared.root, tmp_path / "ws")
    whole = Catalogue(Workspace(tmp_path / "ws")).model("gru")["nextvec"]
    assert whole["damaged"] == []
    fields = {"metrics.json": "metrics", "evaluations.jsonl": "evaluations", "run.jsonl": "curve", "README.md": "card"}
    for name, field in fields.items():
        path = tmp_path / "ws" / "models" / "gru" / name
        kept = path.read_text()
        path.unlink() if damage is None else path.write_text(damage)
        answer = Catalogue(Workspace(tmp_path / "ws")).model("gru")
        ModelDetail.model_validate(answer, strict=True)
        told = answer["nextvec"]
        assert set(told["damaged"]) <= {name, "lineage"}
        assert name in told["damaged"] or told[field] != whole[field]
        assert all(told[other] == whole[other] for other in fields.values() if other != field)
        path.write_text(kept)


def test_an_alias_names_its_model(catalogue):
    assert catalogue.model("production") == catalogue.model("gru")


def test_figures_have_the_intervals_of_the_evaluation(catalogue, compared):
    (shown,) = catalogue.model("gru")["nextvec"]["evaluations"]
    (recorded,) = read_evaluations(compared.model("gru") / "evaluations.jsonl")
    assert shown["fingerprint"] == recorded.fingerprint
    assert shown["caution"] == f"only {recorded.documents} documents"
    assert set(shown["figures"]) == set(recorded.columns)
    interval = recorded.interval("cosine")
    assert shown["figures"]["cosine"] == interval.to_dict() | {"chance": None}
    assert shown["figures"]["mrr[document]"]["chance"] == recorded.chance("mrr[document]")


def test_what_was_seen_in_training_stays_with_its_figures(compared, tmp_path):
    shutil.copytree(compared.root, tmp_path / "ws")
    place, warning = Workspace(tmp_path / "ws"), "LEAKAGE WAS ALLOWED, figures are too good: all of it."
    folder = place.model("gru")
    (recorded,) = read_evaluations(folder / "evaluations.jsonl")
    save_evaluation(folder / "evaluations.jsonl", replace(recorded, fingerprint="seen", leakage=warning))
    shown = Catalogue(place).model("gru")["nextvec"]
    assert [each["leakage"] for each in shown["evaluations"]] == [warning, ""]
    tree = json.dumps(shown["lineage"])
    assert tree.count(warning) == 1
    config, evaluations = read_json(folder / "config.json"), read_evaluations(folder / "evaluations.jsonl")
    assert model_card("", "gru", config, evaluations, Rights(given="mit"), []).count(warning) == 1


def test_curves_come_from_the_run_log(catalogue):
    curve = catalogue.model("gru")["nextvec"]["curve"]
    assert [epoch["epoch"] for epoch in curve["epochs"]] == [0, 1, 2]
    assert all(-1 <= epoch["validation_cosine"] <= 1 for epoch in curve["epochs"])
    assert catalogue.model("mix")["nextvec"]["curve"] == {"epochs": [], "steps": []}


@pytest.mark.parametrize("steps", [0, 1, CURVE_POINTS, CURVE_POINTS + 1, 10 * CURVE_POINTS + 3])
def test_long_curves_are_thinned_out_and_keep_their_end(steps):
    events = [{"event": "step", "step": n, "loss": 1 / (n + 1), "lr": 0.1} for n in range(steps)]
    thinned = [point["step"] for point in _curve(events)["steps"]]
    assert len(thinned) <= CURVE_POINTS
    assert thinned[-1:] == [steps - 1][:steps]
    assert thinned == sorted(set(thinned))


def test_the_leaderboard_is_the_recorded_comparison(catalogue, compared):
    board = catalogue.leaderboard()
    (entry,) = board["recorded"]
    record = json.loads((compared.study(entry["id"]) / "comparison.json").read_text())
    shown = board["comparison"]
    assert (entry["corpus"], entry["documents"], entry["models"]) == ("tales@first", record["documents"], 2)
    assert shown["rows"] == record["rows"]
    assert {row["name"] for row in shown["rows"] if row["kind"] == "model"} == {"gru", "mix"}
    assert shown["fingerprint"] == record["fingerprint"]
    assert shown["caution"] == f"only {record['documents']} documents"
    assert all(contrast in record["contrasts"] for contrast in shown["contrasts"])
    assert {c["figure"] for c in shown["contrasts"] if c["role"] == "anchor"} == {"cosine"}
    assert catalogue.leaderboard(entry["id"]) == board


def test_an_older_comparison_can_be_asked_for(compared, tmp_path):
    shutil.copytree(compared.root, tmp_path / "ws")
    place = Workspace(tmp_path / "ws")
    (first,) = Catalogue(place).comparisons()
    shutil.copytree(place.study(first["id"]), place.study("newer"), copy_function=shutil.copy)
    catalogue = Catalogue(place)
    assert [entry["id"] for entry in catalogue.comparisons()] == ["newer", first["id"]]
    assert catalogue.leaderboard()["comparison"]["id"] == "newer"
    assert catalogue.leaderboard(first["id"])["comparison"]["id"] == first["id"]


def test_an_empty_workspace_has_nothing_and_fails_at_nothing(tmp_path):
    catalogue = Catalogue(Workspace(tmp_path / "none"))
    assert (catalogue.model_names(), catalogue.corpora()) == ([], [])
    assert catalogue.leaderboard() == {"object": "leaderboard", "comparison": None, "recorded": []}
    assert not (tmp_path / "none").exists()


def test_corpora_are_listed_with_their_sizes(catalogue, compared):
    other, tales = catalogue.corpora()
    assert (other["name"], other["documents"], other["tags"]) == ("other", 1, {})
    assert (tales["documents"], tales["chunks"]) == (40, 640)
    assert tales["encoder"]["fingerprint"] == open_snapshot(compared, "tales").encoder.fingerprint
    assert "golden" not in tales["encoder"]


def test_a_corpus_shows_generations_coherence_and_text(catalogue, compared):
    tales = catalogue.corpus("tales")
    (first,) = tales["generations"]
    assert (first["tag"], first["documents"], first["chunks"], first["models"]) == ("first", 40, 640, ["gru", "mix"])
    assert tales["coherence"]["passed"]
    assert [point["lag"] for point in tales["coherence"]["lags"]] == [1, 2, 3, 5, 10]
    snapshot = open_snapshot(compared, "tales@first")
    sample = tales["samples"][1]
    number = [record.doc_id for record in snapshot.documents].index(sample["document"])
    start = int(snapshot.offsets[number])
    assert sample["chunks"] == snapshot.texts(range(start, start + len(sample["chunks"])))
    assert sample["title"] == snapshot.documents[number].title


def test_examples_are_beginnings_of_documents_that_no_model_has_seen(catalogue, compared):
    snapshot, examples = open_snapshot(compared, "tales@first"), catalogue.corpus("tales")["examples"]
    begun = {" ".join(snapshot.texts(range(first, first + 4))): i for i, first in enumerate(snapshot.offsets[:-1])}
    assert examples
    assert {begun[example["text"]] for example in examples} <= set(split_snapshot(snapshot).test.tolist())
    first = int(snapshot.offsets[begun[examples[0]["text"]]])
    assert examples[0]["following"] == snapshot.texts(range(first + 4, first + 8))


def test_a_newest_version_without_a_tag_is_shown_as_one(catalogue):
    (newest,) = catalogue.corpus("other")["generations"]
    assert (newest["tag"], newest["documents"], newest["models"]) == (None, 1, [])


def test_an_untagged_version_that_a_model_was_trained_on_is_shown(compared, tmp_path):
    shutil.copytree(compared.root, tmp_path / "ws")
    place = Workspace(tmp_path / "ws")
    config, corpus = place.model("gru") / "config.json", Corpus.open(place, "tales")
    plain = read_json(config)
    write_json(config, {**plain, "corpus": {**plain["corpus"], "version": corpus.tags()["first"] - 1, "tag": None}})
    shown = [(each["tag"], each["models"]) for each in Catalogue(place).corpus("tales")["generations"]]
    assert shown == [(None, ["gru"]), ("first", ["mix"])]


def test_a_corpus_without_documents_has_no_coherence(compared, tmp_path):
    tales = Corpus.open(compared, "tales").metadata
    place = Workspace(tmp_path)
    Corpus.create(place, "bare", encoder=tales.encoder, chunker=tales.chunker, split=tales.split)
    bare = Catalogue(place).corpus("bare")
    assert (bare["chunks"], bare["coherence"], bare["samples"]) == (0, None, [])


def test_a_corpus_made_anew_is_measured_anew(nextvec, write_prose, tmp_path):
    place = Workspace(tmp_path / "ws")
    for seed in (1, 2):
        shutil.rmtree(place.corpora, ignore_errors=True)
        text = write_prose(tmp_path / f"text{seed}", documents=3, seed=seed)
        nextvec("corpus", "ingest", text, "--corpus", "c", "--encoder", "hashing:8", workspace=place.root)
        assert Catalogue(place).corpus("c")["samples"][0]["chunks"][0] in (text / "story-000.txt").read_text()


def test_reading_writes_nothing(catalogue, compared):
    def files():
        return {path: path.stat().st_mtime_ns for path in compared.root.rglob("*") if path.is_file()}

    before = files()
    catalogue.model("gru"), catalogue.leaderboard(), catalogue.corpora(), catalogue.corpus("tales")
    assert files() == before


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_name_never_becomes_a_path(catalogue, name):
    for ask in (catalogue.model, catalogue.corpus):
        with pytest.raises(UsageError, match="cannot name a"):
            ask(name)
    if name:
        with pytest.raises(UsageError, match="cannot name a"):
            catalogue.leaderboard(name)


def test_unknown_names_are_answered_with_the_known(catalogue, compared):
    with pytest.raises(NotFoundError, match=r"no model 'nobody'\. Known: gru, mix\.") as model:
        catalogue.model("nobody")
    with pytest.raises(NotFoundError, match=r"no corpus 'nothing'\. Known: other, tales\."):
        catalogue.corpus("nothing")
    with pytest.raises(NotFoundError, match="no comparison 'never'"):
        catalogue.leaderboard("never")
    assert str(compared.root) not in str(model.value)


def test_over_http(connect, compared, catalogue):
    with connect(compared) as client:
        assert client.get("/v1/models/production").json() == catalogue.model("gru")
        assert client.get("/v1/leaderboard").json() == catalogue.leaderboard()
        assert client.get("/v1/corpora").json() == {"object": "list", "data": catalogue.corpora()}
        assert client.get("/v1/corpora/tales").json() == catalogue.corpus("tales")
        missing = client.get("/v1/models/nobody")
        assert (missing.status_code, missing.headers["content-type"]) == (404, "application/problem+json")
        assert missing.json()["detail"] == "model: no model 'nobody'. Known: gru, mix."
        assert client.get("/v1/corpora/..%2Fmodels").status_code in (404, 422)


def test_a_model_has_the_id_that_it_is_listed_under(connect, compared, catalogue):
    served = Settings(models=(ModelSettings(model="gru", name="team/g"),))
    with connect(compared, served) as client:
        assert [entry["id"] for entry in client.get("/v1/models").json()["data"]] == ["team/g"]
        for name in ("team/g", "team%2Fg", "gru", "production"):
            assert client.get(f"/v1/models/{name}").json() == catalogue.model("gru") | {"id": "team/g"}
            assert client.get(f"/v1/models/{name}").json()["nextvec"]["name"] == "gru"
        assert client.get("/v1/models/mix").json() == catalogue.model("mix"), "the leaderboard has it"


def test_a_listener_of_some_models_knows_no_other(connect, compared):
    with connect(compared, listener=ListenerSettings(models=("mix",))) as client:
        assert client.get("/v1/models/mix").json()["id"] == "mix"
        for name in ("gru", "production"):
            answer = client.get(f"/v1/models/{name}")
            assert (answer.status_code, answer.json()["error"]["param"]) == (404, "model")


def test_samples_are_bounded(compared):
    from nextvec.store.sample import sample_snapshot

    corpus = Corpus.open(compared, "tales")
    assert SAMPLED_CHUNKS >= 16
    sample = sample_snapshot(corpus, corpus.version, documents=7, chunks=5)
    assert (len(sample.documents), len(sample)) == (7, 35)


@pytest.fixture
def studied(compared, tmp_path):
    """A workspace with a study whose model is there, and that searches."""
    shutil.copytree(compared.root, tmp_path / "ws")
    place = Workspace(tmp_path / "ws")
    run = Run(architecture="gru", corpus="tales@first", variant="", seed=0, fingerprint="f", model="gru")
    write_study(place.study("tuned"), {}, [run, replace(run, seed=1, model="lost")], 3)
    write_event(place.study("tuned"), "trial", trial=0, state="running", options={"lr": 0.1})
    write_event(place.study("tuned"), "compare", model="gru", cosine={"estimate": 0.5, "low": 0.4, "high": 0.6})
    write_event(place.study("tuned"), "fail", model="lost", reason="no space in /home/someone/ws/models")
    return place


def test_a_study_says_where_it_stands(studied):
    catalogue = Catalogue(studied)
    with exclusive(studied.study("tuned") / LOCK, what="it"):
        study = catalogue.study("tuned")
    StudyDetail.model_validate(study, strict=True)
    assert (study["id"], study["running"], study["compared"], study["looks"]) == ("tuned", True, False, 1)
    assert study["counts"] == {"done": 1, "running": 0, "waiting": 0, "failed": 1}
    assert [trial["state"] for trial in study["search"]["trials"]] == ["running"]
    assert study["search"]["planned"] == 3
    assert "someone" not in json.dumps(study)
    assert catalogue.study("tuned")["search"]["trials"][0]["state"] == "waiting"
    with pytest.raises(NotFoundError, match="no study 'compare-"):
        catalogue.study("compare-20260101-000000-000000")


def test_studies_are_listed_with_how_far_they_are(studied, catalogue):
    listed = {"object": "list", "data": Catalogue(studied).studies()}
    StudyList.model_validate(listed, strict=True)
    (entry,) = listed["data"]
    assert (entry["id"], entry["running"], entry["trials"], entry["planned"]) == ("tuned", False, 0, 3)
    assert catalogue.studies() == []


def test_a_study_that_has_not_changed_is_not_sent_again(studied, connect):
    from nextvec.serving.settings import Settings

    with connect(studied, Settings()) as client:
        first = client.get("/v1/studies/tuned")
        assert first.json()["id"] == "tuned"
        again = client.get("/v1/studies/tuned", headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        write_event(studied.study("tuned"), "trial", trial=0, state="failed", options={}, reason="x")
        assert client.get("/v1/studies/tuned", headers={"If-None-Match": first.headers["etag"]}).status_code == 200
        assert client.get("/v1/studies/none").status_code == 404
        assert [study["id"] for study in client.get("/v1/studies").json()["data"]] == ["tuned"]
