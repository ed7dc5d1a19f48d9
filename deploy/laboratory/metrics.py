"""Metrics as numbers: what a scrape of L7LB says."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families


class Metrics:
    """One scrape."""

    def __init__(self, exposition: str) -> None:
        self._samples = [sample for family in text_string_to_metric_families(exposition) for sample in family.samples]

    def total(self, name: str, **labels: str) -> float:
        """The sum of the samples of `name` that carry `labels`; 0 if there is none."""
        return sum(
            sample.value for sample in self._samples if sample.name == name and labels.items() <= sample.labels.items()
        )

    @property
    def slow_packets(self) -> int:
        """Packets that went through the slow path, either way."""
        return int(self.total("l7lb_slowpath_packets_total"))

    @property
    def fast_packets(self) -> int:
        """Packets that the fast path forwarded for servers, either way."""
        return int(self.total("l7lb_server_packets_total"))
