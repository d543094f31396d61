"""Settings of what workers tell Prometheus."""

from pydantic import Field

from pointq.config.forms import Section


class MetricsSettings(Section):
    """Where `pointq work` tells its metrics; `pointq serve` does at /metrics, behind the door auth.status."""

    port: int | None = Field(
        default=None,
        ge=1,
        le=65535,
        description="Port of the metrics of pointq work, one for all its processes; not set: none",
        examples=[9464],
    )
    host: str = Field(
        default="127.0.0.1",
        min_length=1,
        description="Address of the metrics of pointq work; whoever reaches it may read them, there is no door",
    )
