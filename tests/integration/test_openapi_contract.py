"""The description at /openapi.json, held against a running server by schemathesis."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from tests.support.processes import Server
from tests.support.sites import Site

CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
SEED = os.environ.get("POINTQ_TEST_SEED", "8")
MOST_SECONDS = 120
"""For a run, which takes a tenth of it on an idle machine."""


def test_a_server_does_what_its_description_says(site: Site) -> None:
    with site.serve() as server:
        kept(server, site)


def test_so_does_one_with_doors(site: Site) -> None:
    groups = ("TRACKING", "SCORING", "IMPORT", "STATUS")
    site = replace(site, extra={f"POINTQ_AUTH__{group}": "token" for group in groups})
    made = site.run("token", "create", "--name", "all", "--scope", "live,upload,scoring,import,view")
    with site.serve() as server:
        shown = f"Authorization: Bearer {made.stdout.strip()}"
        kept(server, site, "--phases", "coverage", "--mode", "positive", "--header", shown)


def kept(server: Server, site: Site, *more: str) -> None:
    """Let schemathesis call every operation."""
    program = (sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIGURATION))
    command = (*program, "run", f"{server.url}/openapi.json", "--seed", SEED, "--no-color", *more)
    done = subprocess.run(command, cwd=site.home, capture_output=True, text=True, timeout=MOST_SECONDS, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert "Traceback" not in server.log
