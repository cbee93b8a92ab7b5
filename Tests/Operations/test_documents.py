"""docs/threat-model.md and SECURITY.md, held against what they name."""

import re

import pytest

from service import ROOT

PAGES = [ROOT / "SECURITY.md", ROOT / "docs" / "threat-model.md", ROOT / "docs" / "keys.md"]


def anchors(page):
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in re.findall(r"^#+ (.+)$", page.read_text(), re.M)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    links = re.findall(r"\]\(([^)]+)\)", page.read_text())
    for target in links:
        path, _, section = target.partition("#")
        file = page.parent / path
        assert file.exists() and (not section or section in anchors(file)), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_named_exist(page):
    """Sources by the end of their path, tests by their path below Tests."""
    files = {str(file.relative_to(ROOT)) for part in ("Sources", "Tests", "deploy") for file in (ROOT / part).rglob("*") if file.is_file()}
    files |= {file.name for file in ROOT.iterdir()}
    for name in re.findall(r"`([\w./+-]+\.(?:swift|lua|py|yml|resolved))`", page.read_text()):
        assert any(file == name or file.endswith("/" + name) for file in files), name
