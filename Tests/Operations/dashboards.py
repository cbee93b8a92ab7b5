"""The dashboards in deploy/grafana, as Grafana reads them."""

import json
import re

from service import ROOT

GRAFANA = ROOT / "deploy" / "grafana"
DASHBOARDS = {file.stem: json.loads(file.read_text()) for file in sorted((GRAFANA / "dashboards").glob("*.json"))}


def queries():
    """Each query of each panel, with a name that finds it again."""
    for file, dashboard in DASHBOARDS.items():
        for panel in dashboard["panels"]:
            for target in panel["targets"]:
                yield f"{file}: {panel['title']} {target['refId']}", target["expr"]


def variables():
    """The template variables: their names and what lists their values."""
    for dashboard in DASHBOARDS.values():
        for variable in dashboard.get("templating", {"list": []})["list"]:
            metric, label = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["query"]["query"]).groups()
            yield variable, metric, label


def filled_in(expression, **values):
    """`expression` with values for its variables, of which none may be left."""
    for name, value in ({"__rate_interval": "15s", "__range": "5m"} | values).items():
        expression = re.sub(rf"\${name}\b", lambda _: value, expression)
    assert "$" not in expression, expression
    return expression
