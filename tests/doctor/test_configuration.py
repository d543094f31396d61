"""Settings that are allowed and risky."""

import pytest

from tests.doctor.doctor import Patient, lines_of


@pytest.mark.parametrize(
    ("check", "setting", "value", "severity"),
    [
        ("configuration.durability", "POINTQ_DURABILITY", "fsync", "ok"),
        ("configuration.durability", "POINTQ_DURABILITY", "memory", "warn"),
        ("configuration.fallback", "POINTQ_SERVE__FALLBACK", "spool", "ok"),
        ("configuration.fallback", "POINTQ_SERVE__FALLBACK", "database", "warn"),
        ("configuration.listen", "POINTQ_SERVE__HOST", "127.0.0.1", "ok"),
        ("configuration.listen", "POINTQ_SERVE__HOST", "::1", "ok"),
        ("configuration.listen", "POINTQ_SERVE__HOST", "localhost", "ok"),
        ("configuration.listen", "POINTQ_SERVE__HOST", "0.0.0.0", "warn"),  # noqa: S104 - what is warned of
        ("configuration.listen", "POINTQ_SERVE__HOST", "gps.example.org", "warn"),
        ("configuration.flymaster", "POINTQ_FLYMASTER__SECRET", "secret", "ok"),
        ("configuration.flymaster", "POINTQ_SERVE__HOST", "0.0.0.0", "warn"),  # noqa: S104 - the same
        ("configuration.reclaim", "POINTQ_WORK__RECLAIM_IDLE_SECONDS", "3", "ok"),
        ("configuration.reclaim", "POINTQ_WORK__RECLAIM_IDLE_SECONDS", "2.9", "warn"),
        ("configuration.servers", "POINTQ_PROD", "true", "ok"),
    ],
)
async def test_one_setting(patient: Patient, check: str, setting: str, value: str, severity: str) -> None:
    assert await patient.with_(**{setting: value}).severity(check) == severity


BEYOND = {"POINTQ_SERVE__HOST": "0.0.0.0"}  # noqa: S104 - what is judged
PROXY = {"POINTQ_SERVE__TRUSTED_PROXIES": "10.1.0.0/16"}
SHUT = {f"POINTQ_AUTH__{door}": "token" for door in ("TRACKING", "SCORING", "IMPORT", "STATUS")}


@pytest.mark.parametrize(
    ("settings", "severity", "message"),
    [
        (BEYOND | SHUT, "ok", "every door asks for a token"),
        (PROXY | SHUT, "ok", "every door asks for a token"),
        (BEYOND | SHUT | {"POINTQ_AUTH__STATUS": "none"}, "warn", "reaches 0.0.0.0 is let in without a token: status"),
        (PROXY, "warn", "reaches its proxies (10.1.0.0/16) is let in without a token: tracking, scoring, import, status"),
    ],
)
async def test_the_doors_are_judged_by_who_reaches_them(
    patient: Patient, settings: dict[str, str], severity: str, message: str
) -> None:
    line = await patient.with_(**settings).line("configuration.listen")

    assert line.severity == severity
    assert message in line.message


async def test_the_mend_names_the_doors_that_are_open(patient: Patient) -> None:
    line = await patient.with_(**BEYOND | SHUT | {"POINTQ_AUTH__IMPORT": "none"}).line("configuration.listen")

    assert line.mend == 'set auth.import = "token", and hand out what pointq token create prints'


@pytest.mark.parametrize(("settings", "severity"), [(BEYOND | SHUT, "ok"), (PROXY, "warn")])
async def test_unsigned_uploads_matter_where_no_token_is_asked_for(
    patient: Patient, settings: dict[str, str], severity: str
) -> None:
    assert await patient.with_(**settings).severity("configuration.flymaster") == severity


async def test_a_heartbeat_slower_than_silence_is_judged(patient: Patient) -> None:
    slow = patient.with_(POINTQ_WORK__HEARTBEAT_SECONDS="6", POINTQ_WORK__RECLAIM_IDLE_SECONDS="60")

    line = await slow.line("configuration.reclaim")

    assert line.severity == "warn"
    assert "shown as lost after 5 s" in line.message


async def test_production_without_a_database(patient: Patient) -> None:
    report = await patient.with_(POINTQ_PROD="true", POINTQ_DATABASE__URL="").examine()

    (line,) = lines_of(report, "configuration.servers")
    assert (line.severity, line.mend) == ("fail", "set DATABASE_URL=postgresql://user@host/name")
    assert {skipped.reason for skipped in report.skipped if skipped.check.startswith("tables.")} == {
        "no database is configured"
    }


async def test_who_may_read_a_password(patient: Patient) -> None:
    file = patient.home / "pointq.toml"
    file.write_text('[redis]\npassword = "s3cret"\n')

    file.chmod(0o600)
    assert await patient.severity("configuration.secrets") == "ok"

    file.chmod(0o640)
    line = await patient.line("configuration.secrets")
    assert (line.severity, line.mend) == ("warn", f"chmod 600 {file}")


async def test_a_file_without_passwords_may_be_read_by_all(patient: Patient) -> None:
    (patient.home / "pointq.toml").write_text("[serve]\nport = 9000\n")

    assert not list(lines_of(await patient.examine(), "configuration.secrets"))
