from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from nextvec.errors import LostRaceError, StorageError, UsageError
from nextvec.storage import Place, Tag, place_of, redacted, redacting, shown, without_secrets, workspace_folder
from nextvec.workspace import Workspace

URIS = ["s3://bucket", "s3://bucket/team/ws", "gs://my-bucket/a.b", "az://container/x_y"]
NONE = [
    "s3://",
    "ftp://host/x",
    "s3:///x",
    "s3://bucket//x",
    "s3://bucket/a b",
    "s3://bucket/../x",
    "s3://bucket/.",
    "memory://x",
    "s3://bucket/a?b=c",
]


@pytest.mark.parametrize("uri", URIS)
def test_a_path_alone_says_what_it_is_a_copy_of(machine, uri):
    folder = workspace_folder(f"{uri}/")
    assert folder.is_absolute()
    assert place_of(folder) == Place(uri, "")
    assert place_of(folder / "models" / "gru" / "config.json") == Place(uri, "models/gru/config.json")
    assert shown(folder / "models") == f"{uri}/models"
    assert workspace_folder(str(folder)) == folder
    assert str(Workspace(uri)) == str(Workspace(folder)) == uri


@pytest.mark.parametrize("path", ["nextvec-workspace", "/tmp/ws", "s3:b", "a:b", "file:b"])
def test_a_path_is_a_path(machine, path):
    assert workspace_folder(path) == Path(path)
    assert place_of(Path(path)) is None
    assert shown(Path(path)) == path


def test_a_home_is_no_folder_of_that_sign(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    assert workspace_folder("~/ws") == Path("/home/somebody/ws")
    assert workspace_folder("./~/ws") == Path("~/ws")
    assert str(Workspace("~/ws")) == "/home/somebody/ws"


def test_a_file_uri_is_a_path():
    assert workspace_folder("file:///tmp/a%20b") == Path("/tmp/a b")
    assert workspace_folder("file://localhost/tmp") == Path("/tmp")


@pytest.mark.parametrize("uri", ["file://host/tmp", "file://relative", "file://localhosts/tmp", "file://"])
def test_a_file_uri_of_another_machine_is_refused(uri):
    """It became a path below the folder at hand, with the machine for its first part."""
    with pytest.raises(UsageError, match=f"{uri} names a file of another machine; expected file:///PATH"):
        workspace_folder(uri)


@pytest.mark.parametrize("uri", NONE)
def test_what_is_no_workspace_is_refused(uri):
    with pytest.raises(UsageError, match=r"is no workspace: expected a path, or s3://BUCKET/PREFIX"):
        workspace_folder(uri)


def test_credentials_in_a_uri_are_refused_and_not_repeated():
    with pytest.raises(UsageError) as refused:
        workspace_folder("s3://AKID:hidden@bucket/ws?sig=hidden")
    assert "hidden" not in str(refused.value)
    assert "AWS_*" in str(refused.value)


def test_a_uri_that_names_no_folder_is_refused(machine):
    with pytest.raises(UsageError, match="too long for a workspace"):
        workspace_folder("s3://bucket/" + 300 * "a")


def test_secrets_are_not_repeated(monkeypatch):
    monkeypatch.setenv("AZURE_STORAGE_SAS_TOKEN", "sv=1&sig=abc")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "very/secret")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    told = redacted("GET https://a.blob/x?sv=1&sig=abc in us-east-1: very/secret")
    assert told == "GET https://a.blob/x in us-east-1: $AWS_SECRET_ACCESS_KEY"


def test_no_word_is_taken_for_a_secret(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    told = "a bucket of secretaries: http://a.secrets:9000"
    assert redacted(told) == told


@pytest.mark.parametrize(
    "password", ["hush", "hu@sh", "hu@s@sh", "hu/sh", "hu?sh", "hu=sh", "a@hu?sh", "hu#sh", "hu:sh"]
)
@pytest.mark.parametrize("scheme", ["postgresql", "mlflow:http", "s3"])
def test_no_part_of_a_password_is_shown_whatever_it_holds(scheme, password):
    assert without_secrets(f"{scheme}://me:{password}@host/place?table=t") == f"{scheme}://...@host/place"


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("postgresql://host/place?query=a@b", "postgresql://host/place"),
        ("postgresql:me:hush@host", "postgresql:...@host"),
        ("s3://bucket/place", "s3://bucket/place"),
        ("folder", "folder"),
    ],
)
def test_what_is_no_secret_is_shown(uri, expected):
    assert without_secrets(uri) == expected


@pytest.mark.parametrize("password", ["hush", "hu@sh", "hu?sh"])
def test_what_is_said_of_a_url_has_no_password_of_it(password):
    assert redacted(f"no answer of http://me:{password}@host/a?b=c.") == "no answer of http://...@host/a"


def test_what_another_library_says_of_a_bucket_is_redacted(machine, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "very/secret")
    path = workspace_folder("s3://bucket/ws") / "corpora" / "c.lance"
    with (
        pytest.raises(StorageError, match=r"s3://bucket/ws/corpora/c.lance cannot be written: no \$AWS_SECRET"),
        redacting(place_of(path), "written"),
    ):
        raise OSError("no very/secret\nDebug source")
    with pytest.raises(OSError, match="of the machine"), redacting(None, "written"):
        raise OSError("of the machine")


def test_an_object_is_made_once_and_replaced_by_who_knows_it(bucket):
    place = Place(bucket, "a/b.json")
    with pytest.raises(FileNotFoundError):
        place.read()
    first = place.write(b"1", None)
    with pytest.raises(LostRaceError, match=r"a/b.json was written by another process meanwhile"):
        place.write(b"2", None)
    second = place.write(b"2", first)
    with pytest.raises(LostRaceError):
        place.write(b"3", first)
    found = place.read()
    assert found is not None
    assert (found.content, found.tag) == (b"2", second)
    assert place.read(unless=second) is None
    assert abs((found.modified - datetime.now(UTC)).total_seconds()) < 600


def test_what_lies_below_a_key_is_listed(bucket):
    place = Place(bucket, "")
    for key in ("a/x", "a/b/y", "ab/z"):
        place.at(key).write(b"12", None)
    assert {key: stat.size for key, stat in place.at("a").below().items()} == {"a/x": 2, "a/b/y": 2}
    assert place.at("a").below()["a/x"].e_tag == place.at("a/x").read().tag.e_tag
    assert sorted(place.folders()) == ["a", "ab"]
    place.at("a/x").remove()
    assert list(place.at("a").below()) == ["a/b/y"]


def test_what_is_gone_is_removed_without_a_word(bucket):
    place = Place(bucket, "")
    for key in "abc":
        place.at(key).write(b"1", None)
    place.at("a").remove()
    place.at("a").remove()
    place.remove_all(["a", "b", "never"])
    assert list(place.below()) == ["c"]


def test_google_goes_by_versions_and_amazon_by_tags():
    assert Tag("e", None).to_dict() == {"e_tag": "e"}
    assert Tag("e", "7").to_dict() == {"e_tag": "e", "version": "7"}


def test_a_bucket_that_is_not_there(object_store):
    with pytest.raises(StorageError, match="no such bucket"):
        Place("s3://nowhere", "a").write(b"1", None)


def test_a_bucket_that_is_not_there_is_not_empty(cloud):
    """A list is refused without an error by name, and what the server says of it is XML."""
    elsewhere = f"{cloud.partition('://')[0]}://nowhere"
    with pytest.raises(StorageError, match=r"a cannot be listed: there is no such bucket\. Check the network"):
        Place(elsewhere, "a").below()
    with pytest.raises(StorageError, match=r"a cannot be listed: there is no such bucket\. Check the network"):
        Place(elsewhere, "a").folders()


def test_whoever_is_refused_a_list_is_told(azure_container, monkeypatch):
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", "d3Jvbmc=")
    with pytest.raises(StorageError, match=r"b cannot be listed: access is denied. Check .* AZURE_"):
        Place(f"{azure_container}/denied", "b").below()


@pytest.mark.parametrize("url", ["localhost:9000", "storage", "ftp://host", "http://", "//host"])
def test_an_endpoint_that_is_no_url_is_refused(object_store, monkeypatch, url):
    """obstore panics there, with a page of Rust."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    with pytest.raises(UsageError, match=rf"AWS_ENDPOINT_URL={url} is no address of a server: expected https://HOST"):
        Place(f"s3://bucket/{len(url)}", "a").below()


@pytest.mark.parametrize("allowed", ["", "false"])
def test_an_endpoint_without_encryption_is_allowed_by_name(object_store, monkeypatch, allowed):
    monkeypatch.setenv("AWS_ALLOW_HTTP", allowed)
    with pytest.raises(UsageError, match=r"AWS_ENDPOINT_URL=http://\S+ is not encrypted: AWS_ALLOW_HTTP=true allows"):
        Place(f"s3://bucket/encrypted{allowed}", "a").below()


def test_a_bucket_that_does_not_answer(object_store, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setattr("nextvec.storage.RETRIES", {"max_retries": 0})
    place = Place("s3://silent/ws", "a")
    with pytest.raises(StorageError, match=r"s3://silent/ws/a cannot be read: .*Check the network, and what AWS_\*"):
        place.read()
