"""The folders that belong to a user, by the rules of each system."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path


def default_data_dir(environ: Mapping[str, str]) -> Path:
    """Return where pointq keeps its data unless told otherwise.

    Root has a folder of its own whatever the environment says, since sudo keeps variables that point into another user's home.
    """
    if sys.platform == "win32":
        return Path(environ.get("LOCALAPPDATA") or _home(environ) / "AppData/Local") / "pointq"
    if os.geteuid() == 0:
        return Path("/var/lib/pointq")
    if sys.platform == "darwin":
        return _home(environ) / "Library/Application Support/pointq"
    return _xdg(environ, "XDG_DATA_HOME", ".local/share") / "pointq"


def user_config_file(environ: Mapping[str, str]) -> Path:
    """Return the user's own settings file, by the XDG base directory specification, on every system."""
    return _xdg(environ, "XDG_CONFIG_HOME", ".config") / "pointq" / "pointq.toml"


def _xdg(environ: Mapping[str, str], variable: str, below_home: str) -> Path:
    """Return the folder that a variable names; the specification has relative paths ignored."""
    named = Path(environ.get(variable, ""))
    return named if named.is_absolute() else _home(environ) / below_home


def _home(environ: Mapping[str, str]) -> Path:
    return Path(environ["HOME"]) if environ.get("HOME") else Path.home()
