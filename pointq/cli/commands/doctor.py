"""``pointq doctor``: what is wrong or risky, and what mends it."""

from typing import Annotated

import typer

from pointq.cli.context import JsonOption, app_context, print_json
from pointq.cli.help import help_text
from pointq.errors import ExitCode

HELP = help_text(
    "Find what is wrong or risky in the set-up, and say how to mend it. Nothing is started or changed.",
    ("pointq doctor", "all checks, OK, WARN or FAIL, and what mends it"),
    ("pointq doctor --quiet", "only what is not OK"),
    ("pointq doctor --strict", "warnings fail too, for a deployment script"),
    ("pointq doctor --json | jq '.findings[] | select(.severity==\"fail\")'", "for a script"),
)


def doctor(
    ctx: typer.Context,
    *,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show only what is not OK.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 also where there are only warnings.")] = False,
    as_json: JsonOption = False,
) -> int:
    """Exit 0 where everything is OK or only warned of, 1 where something is wrong."""
    from pointq import aio
    from pointq.ops.doctor.examine import examine

    app = app_context(ctx)
    report = aio.run_impatiently(examine(app.load_config()))
    if as_json:
        print_json(report)
    else:
        from pointq.cli.doctor_screen import render

        app.out.print(render(report, app.out.width, quiet=quiet))
    return ExitCode.FAILED if report.fail or (strict and report.warn) else ExitCode.OK
