"""The page that Prometheus reads, in the format that it asks for."""

from collections.abc import Iterator, Sequence
from itertools import accumulate

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import CollectorRegistry
from prometheus_client.utils import floatToGoString

from pointq.metrics.board import Told
from pointq.metrics.families import FAMILIES, Family
from pointq.metrics.figures import Series


def page(told: Told, accept: str = "") -> tuple[bytes, str]:
    """The page, and its content type; `accept` is the header of the request."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Told(told))
    try:
        encode, content_type = choose_encoder(accept)
    except (TypeError, ValueError):
        # a version that is no number: prometheus-client compares it all the same
        encode, content_type = choose_encoder("")
    text: bytes = encode(registry)
    return text, content_type


class _Told:
    """What was told, for prometheus-client."""

    def __init__(self, told: Told) -> None:
        self._told = told

    def collect(self) -> Iterator[Metric]:
        for name, family in FAMILIES.items():
            if series := self._told.get(name):
                yield _metric(family, series)

    def describe(self) -> Iterator[Metric]:
        return iter(())


def _metric(family: Family, told: Sequence[Series]) -> Metric:
    if family.type == "histogram":
        return _histogram(family, told)
    kind = CounterMetricFamily if family.type == "counter" else GaugeMetricFamily
    metric = kind(family.stem, family.help, labels=family.labels)
    for series in told:
        metric.add_metric(series.labels, series.value)
    return metric


def _histogram(family: Family, told: Sequence[Series]) -> Metric:
    metric = HistogramMetricFamily(family.stem, family.help, labels=family.labels)
    bounds = [*map(floatToGoString, family.buckets), "+Inf"]
    for series in told:
        metric.add_metric(series.labels, list(zip(bounds, accumulate(series.buckets), strict=True)), series.value)
    return metric
