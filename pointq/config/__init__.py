"""What pointq is told: settings, read once, each knowing where it came from.

    flag > environment > file of --config or POINTQ_CONFIG > ./pointq.toml > user file > default

`load` reads them; `Settings` is what the rest of pointq sees, frozen.
"""

from pointq.config.load import ExplainedSetting, LoadedConfig, load
from pointq.config.origin import Origin
from pointq.config.settings import DatabaseSettings, RedisSettings, Settings
from pointq.config.template import template

__all__ = [
    "DatabaseSettings",
    "ExplainedSetting",
    "LoadedConfig",
    "Origin",
    "RedisSettings",
    "Settings",
    "load",
    "template",
]
