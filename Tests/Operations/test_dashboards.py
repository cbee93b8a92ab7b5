"""deploy/grafana: what Grafana would make of it. That every query returns data is test_monitoring.py's."""

import itertools
import json
import re

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards import DASHBOARDS, GRAFANA

register_default_plugins()
each_dashboard = pytest.mark.parametrize("dashboard", DASHBOARDS.values(), ids=DASHBOARDS.keys())


def lost(given, kept, path=""):
    """What of `given` is missing or different in `kept`."""
    if isinstance(given, dict) and isinstance(kept, dict):
        for key, value in given.items():
            yield from lost(value, kept.get(key), f"{path}/{key}")
    elif isinstance(given, list) and isinstance(kept, list) and len(given) == len(kept):
        for number, (one, other) in enumerate(zip(given, kept)):
            yield from lost(one, other, f"{path}/{number}")
    elif given != kept:
        yield path


@each_dashboard
def test_grafana_knows_every_field(dashboard):
    # Grafana's own types leave out what they do not know.
    kept = json.loads(JSONEncoder().encode(Dashboard.from_json(dashboard)))
    assert list(lost(dashboard, kept)) == []


@each_dashboard
def test_panels_have_an_id_and_a_place_each(dashboard):
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    cells = [(x, y) for panel in panels for place in [panel["gridPos"]]
             for x, y in itertools.product(range(place["x"], place["x"] + place["w"]), range(place["y"], place["y"] + place["h"]))]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24


@each_dashboard
def test_dashboards_use_the_provisioned_source(dashboard):
    [source] = yaml.safe_load((GRAFANA / "provisioning" / "datasources" / "prometheus.yml").read_text())["datasources"]
    used = re.findall(r'"datasource": (\{.*?\})', json.dumps(dashboard))
    assert {(one["type"], one["uid"]) for one in map(json.loads, used)} == {(source["type"], source["uid"])}
    assert all("datasource" in panel for panel in dashboard["panels"])


@each_dashboard
def test_links_lead_to_dashboards(dashboard):
    known = {f"/d/{one['uid']}" for one in DASHBOARDS.values()}
    assert {link["url"] for link in dashboard["links"]} <= known
