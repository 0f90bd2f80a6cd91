"""serving.toml: what it may say, and what is refused."""

import tomllib
from pathlib import Path

import pytest

from nextvec.errors import NotFoundError, UsageError
from nextvec.serving.settings import (
    ListenerSettings,
    Settings,
    is_loopback,
    parse_settings,
    read_settings,
    read_token,
    require_safe,
)
from nextvec.serving.token import Token

EXAMPLE = Path(__file__).parents[2] / "examples" / "serving.toml"
TOKEN = "0123456789abcdef"


def test_without_a_file_everything_is_served_on_loopback() -> None:
    settings = Settings()
    (listener,) = settings.listeners
    assert (listener.host, listener.port, listener.models) == ("127.0.0.1", 9000, None)
    assert settings.models == ()


def test_the_example_is_the_reference_layout() -> None:
    settings = read_settings(EXAMPLE)
    ports = {listener.port: listener.models for listener in settings.listeners}
    assert ports == {
        9000: None,
        9001: ("amn",),
        9002: ("transformer",),
        9003: ("gru",),
        9004: ("lstm",),
        9005: (),
        9006: ("transformer-optimised",),
    }
    require_safe(settings, None)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"worker": 2}, "unknown option of serving.toml 'worker'. Did you mean 'workers'?"),
        ({"limits": {"bodybytes": 1}}, r"serving.toml \[limits\] 'bodybytes'. Did you mean 'body_bytes'?"),
        ({"models": [{"model": "a", "decoders": "x"}]}, "Did you mean 'decoder'?"),
        ({"listeners": [{"prot": 1}]}, "Did you mean 'port'?"),
        ({"listeners": [{"port": 70_000}]}, "less than or equal to 65535"),
        ({"listeners": {"port": 1}}, "expected a list of tables"),
        ({"limits": [1]}, "expected keys and values"),
        ({"listeners": []}, "nowhere to listen"),
        ({"models": [{"model": "a"}, {"model": "b", "name": "a"}]}, "two models are called 'a'"),
        ({"models": [{"model": "gru"}], "listeners": [{"models": ["gur"]}]}, "Did you mean 'gru'?"),
        ({"timeouts": {"encode": 0}}, "greater than 0"),
        ({"stages": {"fil": {}}}, r"serving.toml \[stages\] 'fil'. Did you mean 'fill'?"),
        ({"stages": {"snap": {"anchr": {}}}}, r"\[stages\] \[snap\] 'anchr'. Did you mean 'anchor'?"),
        ({"stop": {"patince": 1}}, r"serving.toml \[stop\] 'patince'. Did you mean 'patience'?"),
        ({"models": [{"model": "a", "stop": {"patince": 1}}]}, r"\[\[models\]\] \[stop\] 'patince'"),
        ({"stages": {"snap": {"anchor": {"snap": 1, "query": 1, "context": 1}}}}, "sum to 3, expected 1"),
    ],
)
def test_what_is_no_setting_is_refused_by_name(content, told) -> None:
    with pytest.raises(UsageError, match=told.replace("?", r"\?")):
        parse_settings(content, owner="serving.toml")


def test_a_model_changes_single_parameters_of_the_server_s_stages() -> None:
    stages = {"bank": "all", "fill": {"nearest": 4, "relevance": 0.5}}
    models = [{"model": "a"}, {"model": "b", "stages": {"fill": {"nearest": 8}}, "stop": {"patience": 9}}]
    settings = parse_settings({"stages": stages, "stop": {"min_topic_cosine": 0}, "models": models}, owner="x")
    plain, own = settings.models
    assert (settings.stages.fill.nearest, plain.stages, plain.stop) == (4, None, None)
    assert own.stages is not None
    assert (own.stages.bank, own.stages.fill.nearest, own.stages.fill.relevance) == ("all", 8, 0.5)
    assert own.stop is not None
    assert (own.stop.patience, own.stop.min_topic_cosine) == (9, 0)


def test_the_example_lists_every_parameter_with_its_default() -> None:
    content = tomllib.loads(EXAMPLE.read_text())
    plain = Settings().to_dict()
    for section in ("limits", "timeouts", "stages", "stop"):
        assert content[section] == plain[section]


def test_a_file_that_is_not_there_or_not_toml_is_said_so(tmp_path) -> None:
    with pytest.raises(NotFoundError, match="leave --config out"):
        read_settings(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("workers = = 2")
    with pytest.raises(UsageError, match="is not TOML"):
        read_settings(tmp_path / "bad.toml")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost", "LOCALHOST"])
def test_loopback(host) -> None:
    assert is_loopback(host)
    require_safe(Settings(listeners=(ListenerSettings(host=host),)), None)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org", "localhost.example.org", ""])
def test_any_other_address_needs_a_token(host) -> None:
    settings = Settings(listeners=(ListenerSettings(), ListenerSettings(host=host)))
    assert not is_loopback(host)
    with pytest.raises(UsageError, match="no token is set"):
        require_safe(settings, None)
    require_safe(settings, Token.of(TOKEN))


def test_the_token_comes_from_the_environment_or_a_file(monkeypatch, tmp_path) -> None:
    monkeypatch.delenv("NEXTVEC_TOKEN", raising=False)
    assert read_token(Settings()) is None
    (tmp_path / "token").write_text(f"{TOKEN}-file\n# made today\n")
    from_file = Settings(token_file=str(tmp_path / "token"))
    assert read_token(from_file) == Token.of(f"{TOKEN}-file")
    monkeypatch.setenv("NEXTVEC_TOKEN", TOKEN)
    assert read_token(from_file) == Token.of(TOKEN)
    monkeypatch.setenv("NEXTVEC_TOKEN", "short")
    with pytest.raises(UsageError, match="has 5 characters"):
        read_token(Settings())
    monkeypatch.delenv("NEXTVEC_TOKEN")
    with pytest.raises(NotFoundError, match="no token file"):
        read_token(Settings(token_file=str(tmp_path / "none")))


def test_threads_are_shared_out_among_workers() -> None:
    alone, many = Settings().torch_threads(), Settings(workers=64).torch_threads()
    assert alone >= many == 1
    assert Settings(threads=3, workers=2).torch_threads() == 3
