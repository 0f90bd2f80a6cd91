"""Modules that are found without being imported."""

from __future__ import annotations

import sys

import pytest

from nextvec.corpus.modules import library_modules, package_licence, package_modules
from nextvec.errors import UsageError


def test_the_library_is_found_by_name_without_tests_and_packages():
    modules = list(library_modules())
    names = [module.name for module in modules]
    assert names == sorted(names)
    assert {"shutil", "email", "email.message", "xml.etree.ElementTree"} <= set(names)
    assert not {"test", "tests", "site-packages"} & {part for name in names for part in name.split(".")}


def test_a_package_is_found_and_not_imported(tmp_path, monkeypatch):
    folder = tmp_path / "fleet"
    (folder / "tests").mkdir(parents=True)
    for name in ("__init__", "boats", "not-a-name", "tests/test_boats"):
        (folder / f"{name}.py").write_text("raise RuntimeError")
    (tmp_path / "single.py").write_text("raise RuntimeError")
    monkeypatch.syspath_prepend(tmp_path)
    assert [module.name for module in package_modules("fleet")] == ["fleet", "fleet.boats"]
    assert [module.name for module in package_modules("single")] == ["single"]
    assert not {"fleet", "single"} & set(sys.modules)


@pytest.mark.parametrize("name", ["numpi", "numpy.linalg", ""])
def test_a_package_that_is_not_installed_is_named(name):
    with pytest.raises(UsageError, match=rf"no package '{name}' is installed"):
        list(package_modules(name))


def test_licences_are_those_of_the_distribution():
    assert "BSD" in package_licence("numpy")
    assert package_licence("fleet") == "unknown"
