from nextvec.models.card import card
from nextvec.models.network import build_network


def make_card(**encoder):
    spec = build_network("gru", 8, {"width": 4, "layers": 1}, anchor="ewma-mix", context=5).spec
    heads = {"point": {"loss": "mse", "rho": None}, "rank": {}}
    config = {
        "network": {"head_options": heads},
        "spec": spec.to_dict(),
        "corpus": {"name": "wiki", "tag": "small", "fingerprint": "c0ffee", "licences": ["CC BY-SA 4.0"]},
        "encoder": {"name": "minilm", **encoder},
        "encoder_fingerprint": "ab12",
        "split": {"salt": "s", "test": 100},
        "training": {"epochs": 3, "lr": 0.001},
        "versions": {"torch": "2.x"},
    }
    return card("my-model", config, {"validation_cosine": 0.52345, "best_epoch": 2, "collapsed": True})


def test_front_matter_is_what_hugging_face_reads():
    front = make_card().split("---\n")[1].splitlines()
    assert front == [
        "library_name: nextvec",
        "pipeline_tag: feature-extraction",
        "tags: [latent-vector-model, next-vector-prediction, gru]",
    ]


def test_a_licence_of_the_encoder_s_weights_is_the_model_s():
    text = make_card(licence="CC-BY-NC-4.0")
    assert "license: cc-by-nc-4.0" in text.split("---\n")[1].splitlines()
    assert "| licence of the encoder's weights | CC-BY-NC-4.0 |" in text


def test_it_says_what_the_model_is_was_made_from_and_scores():
    text = make_card()
    for expected in (
        "# my-model",
        "from the last 5 vectors",
        "unit vectors of 8 numbers",
        "| anchor | ewma-mix |",
        "| options | width 4, layers 1, dropout 0.1 |",
        "| head point | loss mse |",
        "| head rank | none |",
        "| corpus name | wiki |",
        "| corpus tag | small |",
        "| corpus licences | ['CC BY-SA 4.0'] |",
        "| encoder | minilm (fingerprint ab12) |",
        "| split salt | s |",
        "| training lr | 0.001 |",
        "| version of torch | 2.x |",
        "| validation_cosine | 0.5234 |",
        "| best_epoch | 2 |",
        "| collapsed | yes |",
        "nextvec evaluate my-model",
    ):
        assert expected in text


def test_a_fitted_baseline_has_a_card_without_origin():
    spec = {"name": "ewma", "dim": 8, "context": None, "anchor": "none", "parameters": 0, "fitted": 1, "options": {}}
    text = card("ewma", {"spec": spec}, {})
    assert "all vectors so far" in text
    assert "Made from" not in text
    assert "Figures" not in text
