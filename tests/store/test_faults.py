"""What each error of the database means: the contract's list."""

import psycopg
import pytest
from psycopg import errors

from pointq.store.faults import Fault, fault, one_line, unreachable

STATES = [
    ("22001", Fault.DATA),  # too long for the column
    ("22003", Fault.DATA),  # out of range
    ("22021", Fault.DATA),  # no valid UTF-8
    ("22P03", Fault.DATA),  # incorrect binary format
    ("23502", Fault.DATA),  # NOT NULL
    ("23503", Fault.DATA),  # foreign key
    ("23505", Fault.DATA),  # unique
    ("23514", Fault.DATA),  # CHECK
    ("44000", Fault.DATA),  # WITH CHECK OPTION
    ("P0001", Fault.DATA),  # RAISE in a trigger
    ("40001", Fault.CONFLICT),  # serialization
    ("40P01", Fault.CONFLICT),  # deadlock
    ("55P03", Fault.CONFLICT),  # lock_timeout
    ("53400", Fault.SIZE),  # a configured limit, such as of decompressed tuples
    ("57014", Fault.SIZE),  # statement_timeout
    ("08006", Fault.INSTALLATION),  # connection failure
    ("0A000", Fault.INSTALLATION),  # not supported, such as a cached plan's new type
    ("25006", Fault.INSTALLATION),  # read-only: a demoted primary
    ("25P03", Fault.INSTALLATION),  # idle_in_transaction_session_timeout
    ("26000", Fault.INSTALLATION),  # a prepared statement is gone
    ("28P01", Fault.INSTALLATION),  # wrong password
    ("3D000", Fault.INSTALLATION),  # no such database
    ("40003", Fault.INSTALLATION),  # it is not known whether the statement completed
    ("42501", Fault.INSTALLATION),  # revoked right
    ("42703", Fault.INSTALLATION),  # no such column
    ("42804", Fault.INSTALLATION),  # column of another type
    ("42P01", Fault.INSTALLATION),  # no such table
    ("53100", Fault.INSTALLATION),  # disk full
    ("53200", Fault.INSTALLATION),  # out of memory
    ("53300", Fault.INSTALLATION),  # too many connections
    ("55000", Fault.INSTALLATION),  # object not in the needed state
    ("57P01", Fault.INSTALLATION),  # administrator's shutdown
    ("57P03", Fault.INSTALLATION),  # starting up
    ("58030", Fault.INSTALLATION),  # input or output
    ("P0000", Fault.INSTALLATION),  # an error in a trigger itself
    ("XX000", Fault.INSTALLATION),  # internal
    ("XX001", Fault.INSTALLATION),  # data corrupted: the server's, not the points
    (None, Fault.INSTALLATION),
    ("", Fault.INSTALLATION),
]


@pytest.mark.parametrize(("state", "expected"), STATES)
def test_fault(state: str | None, expected: Fault) -> None:
    error = psycopg.Error()
    error.sqlstate = state

    assert fault(error) is expected


def test_the_errors_of_psycopg_itself() -> None:
    assert fault(errors.CheckViolation()) is Fault.DATA
    assert fault(errors.ReadOnlySqlTransaction()) is Fault.INSTALLATION
    assert fault(psycopg.OperationalError("the connection is lost")) is Fault.INSTALLATION
    assert fault(psycopg.DataError("of the client")) is Fault.INSTALLATION


def test_a_message_is_one_line() -> None:
    assert one_line(ValueError("first\n   second\n\n")) == "first second"
    assert one_line(ValueError()) == "ValueError"


@pytest.mark.parametrize(
    ("message", "told", "hint"),
    [
        (
            'connection failed: connection to "10.0.0.1" failed: FATAL:  password authentication failed for user "x"',
            'the database at here refuses the login: password authentication failed for user "x"',
            "check user and password",
        ),
        (
            "connection failed: fe_sendauth: no password supplied",
            "the database at here refuses the login: fe_sendauth",
            "check user",
        ),
        (
            "connection timeout expired",
            "the database at here cannot be reached: connection timeout expired",
            "check that it is running",
        ),
    ],
)
def test_why_there_is_no_connection(message: str, told: str, hint: str) -> None:
    error = unreachable(psycopg.OperationalError(message), "here")

    assert error.message.startswith(told)
    assert str(error.hint).startswith(hint)
