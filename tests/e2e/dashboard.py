"""The queries of the Grafana dashboard and of the alerts, as Prometheus is asked them."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

_DEPLOY = Path(__file__).parents[2] / "deploy"


def dashboard_queries(interval: str) -> dict[str, str]:
    """PromQL by panel and position; `interval` stands for what Grafana puts in for a rate."""
    document = json.loads((_DEPLOY / "grafana" / "l7lb.json").read_text())
    found = {
        f"{panel['title']} {target['refId']}": target["expr"]
        for panel in document["panels"]
        for target in panel.get("targets", [])
    }
    found |= {note["name"]: note["expr"] for note in document["annotations"]["list"]}
    values = {"$__rate_interval": interval, "$__interval": interval, "$instance": ".*"}
    for variable, value in values.items():
        found = {name: query.replace(variable, value) for name, query in found.items()}
    return found


def alert_queries() -> dict[str, str]:
    """PromQL by alert."""
    document = yaml.safe_load((_DEPLOY / "prometheus" / "alerts.yml").read_text())
    return {rule["alert"]: rule["expr"] for group in document["groups"] for rule in group["rules"]}
