"""Settings of what one client may take, and of when the server takes no more."""

from typing import Annotated

from pydantic import Field

from pointq.config.forms import Count, LimitText, Seconds, Section

Rate = Annotated[float, Field(ge=0, allow_inf_nan=False)]
"""0: no limit."""


class LimitsSettings(Section):
    """What one client may take of `pointq serve`, and when it takes no more; 0 is no limit, of a rate."""

    header_seconds: Seconds = Field(
        default=10.0, description="Longest that the head of a request may be on its way, in seconds"
    )
    body_seconds: Seconds = Field(
        default=120.0, description="Longest that a body may be on its way, in seconds: 16 MiB by 2 Mbit/s take 67"
    )
    answer_seconds: Seconds = Field(default=30.0, description="Longest that a client may leave an answer unread, in seconds")
    idle_seconds: Seconds = Field(default=75.0, description="Longest that a connection is kept without a request, in seconds")
    max_connections: Count = Field(default=4096, description="Most open connections of one server process")
    max_connections_per_address: Count = Field(
        default=512, description="Most of them from one address; an IPv6 address counts as its /64, a trusted proxy not at all"
    )
    token_requests_per_second: Rate = Field(
        default=0.0, description="Most requests a second with one token, all servers together"
    )
    token_points_per_second: Rate = Field(default=0.0, description="Most points a second with one token, all servers together")
    address_requests_per_second: Rate = Field(
        default=0.0, description="Most requests a second from one address without a token, all servers together"
    )
    address_points_per_second: Rate = Field(
        default=0.0, description="Most points a second from one address without a token, all servers together"
    )
    burst_seconds: Seconds = Field(default=10.0, description="How much may come at once, in seconds of those rates")
    failed_tokens_per_minute: Rate = Field(
        default=600.0, description="Most wrong or missing tokens a minute from one address, all servers together"
    )
    max_queue_points: LimitText = Field(
        default="20000000:100000000",
        description="Waiting points over which upload, Flymaster, import and scoring ones are refused, and live ones, too",
    )
    max_redis_memory_percent: LimitText = Field(
        default="85:", description="The same for the memory of Redis, in percent of its maxmemory"
    )
