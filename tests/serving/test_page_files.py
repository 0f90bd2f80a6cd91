"""The files of the page: small, complete, without a foreign address, and served under their policy."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from nextvec.serving.routes.page import POLICY, read_assets


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
