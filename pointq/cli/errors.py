"""The error boundary: every exception becomes one line on stderr, a hint where there is one, and an exit code."""

import os
import sys
import traceback

import typer

from pointq.errors import ExitCode, PointqError


def report(error: Exception, *, debug: bool) -> int:
    """Tell the user about `error`, with a traceback if `debug`; return the exit code."""
    if isinstance(error, BrokenPipeError):
        return _reader_went_away()
    if isinstance(error, typer.Abort):  # Ctrl-C or end of file at a question
        return ExitCode.INTERRUPTED
    if debug:
        traceback.print_exception(error)
    code, message, hint = _describe(error)
    _print(f"pointq: error: {message}")
    if hint:
        _print(f"hint: {hint}")
    return code


def _describe(error: Exception) -> tuple[int, str, str | None]:
    match error:
        case PointqError():
            return error.exit_code, error.message, error.hint
        case typer.TyperException():
            return error.exit_code, _uncapitalized(error.format_message()), _help_hint(error)
        case _:
            what = f"unexpected {type(error).__name__}: {error}" if str(error) else f"unexpected {type(error).__name__}"
            return ExitCode.FAILED, what, "put --debug before the command to see where it happened"


def _help_hint(error: typer.TyperException) -> str:
    context = getattr(error, "ctx", None)
    return f"see `{context.command_path if context else 'pointq'} --help`"


def _uncapitalized(message: str) -> str:
    """Make a sentence of Typer's continue ours."""
    return message[:1].lower() + message[1:].rstrip(".")


def _print(line: str) -> None:
    from pointq.logs import printable

    print(printable(" ".join(line.split())), file=sys.stderr)  # noqa: T201 - this is the boundary


def _reader_went_away() -> int:
    """Stop quietly, as in ``pointq … | head``: nobody is left to tell, and Python's own last flush must find an open file."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return ExitCode.FAILED
