"""Which points are accepted over HTTP, which are not, and what the answers say of them."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.api import LIVE, SCORING, UPLOAD, Api, problem, rejected, without
from tests.support.points import OWN_COLUMNS, SCORED, flight_uuid, point, text
from tests.support.sites import Site


class TestAccepting:
    @pytest.mark.parametrize(("path", "kind"), [(LIVE, "live"), (UPLOAD, "upload")])
    def test_the_answer_names_the_flight(self, api: Api, path: str, kind: str) -> None:
        whole = point(elevation=1000, barometric_altitude=990.5, speed=11, heading=270, accuracy=5, valid=True)
        found = api.accepted(api.send([whole, point(lat=45.2)], path), 2)
        assert found["flight_id"] == api.flight
        assert uuid.UUID(found["flight_uuid"]) == flight_uuid(kind, api.flight)

    def test_a_flight_id_in_any_language_is_hashed_as_utf_8(self, api: Api) -> None:
        name = "Über Žiar und die Höhe 🪂"
        found = api.accepted(api.client.post(UPLOAD, {"flight_id": name, "track_points": [point()]}), 1)
        assert found["flight_id"] == name
        assert uuid.UUID(found["flight_uuid"]) == flight_uuid("upload", name)

    def test_scoring_under_a_flight_uuid(self, api: Api) -> None:
        given = uuid.uuid4()
        found = api.accepted(api.client.post(SCORING, {"flight_uuid": str(given), "tracks": [SCORED]}), 1)
        assert uuid.UUID(found["flight_uuid"]) == given

    def test_scoring_under_a_flight_id(self, api: Api) -> None:
        found = api.accepted(api.client.post(SCORING, {"flight_id": api.flight, "tracks": [SCORED]}), 1)
        assert found["flight_id"] == api.flight
        assert uuid.UUID(found["flight_uuid"]) == flight_uuid("scoring", api.flight)

    @pytest.mark.parametrize(
        "moment",
        [
            "2025-06-01T10:00:00Z",
            "2025-06-01T10:00:00.123456Z",
            "2025-06-01T12:00:00+02:00",
            "2025-06-01T04:30:00-05:30",
            1_748_772_000,
            1_748_772_000.25,
            "1980-01-06T00:00:00Z",
            "1999-12-31T23:59:59Z",
            "2000-01-03T00:00:00Z",
        ],
    )
    def test_times(self, api: Api, moment: object) -> None:
        api.accepted(api.send([point(datetime=moment)]), 1)

    def test_a_clock_that_is_a_little_ahead(self, api: Api) -> None:
        api.accepted(api.send([point(datetime=text(datetime.now(UTC) + timedelta(hours=23)))]), 1)

    @pytest.mark.parametrize(
        "place", [(90, 180), (-90, -180), (0, 6.5), (45.5, 0), (1e-7, 1e-7), (45, 6), (-0.0000001, 179.9999999)]
    )
    def test_places(self, api: Api, place: tuple[float, float]) -> None:
        api.accepted(api.send([point(lat=place[0], lon=place[1])]), 1)

    def test_optional_fields_may_be_null(self, api: Api) -> None:
        api.accepted(api.send([point(**dict.fromkeys(OWN_COLUMNS["live"]))]), 1)

    def test_fields_that_pointq_does_not_know_are_no_trouble(self, api: Api) -> None:
        api.accepted(api.send([point(battery=0.7, extra={"a": [1]})]), 1)

    def test_the_same_points_again_are_accepted_again(self, api: Api) -> None:
        api.accepted(api.send([point(), point()]), 2, fresh=1)
        api.accepted(api.send([point(), point()]), 2, fresh=0)


class TestFlightOfTheDay:
    def test_the_day_is_in_utc_by_default(self, api: Api) -> None:
        body = {"device_id": api.flight, "track_points": [point(datetime="2025-06-01T23:30:00Z")]}
        found = api.accepted(api.client.post(LIVE, body), 1)
        assert found["flight_id"] == f"{api.flight}:2025-06-01"
        assert uuid.UUID(found["flight_uuid"]) == flight_uuid("live", f"{api.flight}:2025-06-01")

    def test_the_day_in_another_time_zone(self, site: Site) -> None:
        there = replace(site, extra={"POINTQ_FLIGHT_DAY_TIMEZONE": "Pacific/Auckland"})
        night = [point(datetime=moment) for moment in ("2025-06-01T11:59:59Z", "2025-06-01T12:00:00Z")]
        with there.serve() as server, server.client() as client:
            answer = client.post(LIVE, {"device_id": "phone", "track_points": night[1:]})
            assert answer.json["flight_id"] == "phone:2025-06-02"
            answer = client.post(LIVE, {"device_id": "phone", "track_points": night})
            assert (answer.status, answer.json["points"]) == (202, 2)
        there.drain()
        flights = there.rows("SELECT flight_id, flight_uuid, points, device_id FROM flights ORDER BY flight_id")
        assert flights == [
            {"flight_id": day, "flight_uuid": flight_uuid("live", day), "points": 1, "device_id": "phone"}
            for day in ("phone:2025-06-01", "phone:2025-06-02")
        ]


class TestRejecting:
    @pytest.mark.parametrize("path", [LIVE, UPLOAD])
    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("lat", 91),
            ("lat", -90.0000001),
            ("lon", 180.5),
            ("lat", "north"),
            ("lat", [45]),
            ("lat", True),
            ("lat", None),
            ("lon", None),
            ("datetime", None),
            ("datetime", "2025-06-01T10:00:00"),
            ("datetime", "2025-06-01 10:00:00"),
            ("datetime", "2025-06-01"),
            ("datetime", "yesterday"),
            ("datetime", "2025-02-30T10:00:00Z"),
            ("datetime", True),
            ("datetime", {}),
            ("datetime", "1979-12-31T23:59:59Z"),
            ("datetime", 0),
            ("datetime", "2000-01-01T00:00:09Z"),
            ("datetime", 1_748_772_000_000),
            ("datetime", 10**18),
            ("datetime", 1e300),
            ("elevation", "high"),
            ("speed", []),
            ("heading", {"deg": 3}),
            ("accuracy", "5 m"),
            ("valid", "maybe"),
        ],
    )
    def test_a_bad_value(self, api: Api, path: str, field: str, value: object) -> None:
        rejected(api.send([point(**{field: value})], path), field)

    @pytest.mark.parametrize("field", ["lat", "lon", "datetime"])
    def test_a_missing_field(self, api: Api, field: str) -> None:
        rejected(api.send([without(point(), field)]), field)

    def test_the_time_is_too_far_ahead(self, api: Api) -> None:
        rejected(api.send([point(datetime=text(datetime.now(UTC) + timedelta(hours=25)))]), "datetime")

    @pytest.mark.parametrize("zero", [0, 0.0, -0.0])
    def test_null_island(self, api: Api, zero: float) -> None:
        assert problem(api.send([point(lat=zero, lon=zero)]), 422)["rejected"][0]["reason"]

    @pytest.mark.parametrize("junk", [None, 7, "point", [45, 6], True])
    def test_a_point_that_is_no_object(self, api: Api, junk: object) -> None:
        found = api.accepted(api.send([junk, point()]), 1, rejected=1)
        assert found["rejected"][0]["index"] == 0

    def test_the_good_ones_among_bad_ones_are_accepted(self, api: Api) -> None:
        found = api.accepted(api.send([point(), point(lat=91), point(lat=45.3)]), 2, rejected=1)
        assert found["rejected_count"] == 1
        (entry,) = found["rejected"]
        assert (entry["index"], entry["field"]) == (1, "lat")
        assert "91" in entry["reason"]

    def test_none_good(self, api: Api) -> None:
        rejected(api.send([point(lat=91), point(lon=181), point(datetime="2025-06-01T10:00:00")]), "lat", "lon", "datetime")

    def test_at_most_a_hundred_are_listed(self, api: Api) -> None:
        found = api.accepted(api.send([point(lat=91)] * 150 + [point()]), 1, rejected=150)
        assert [entry["index"] for entry in found["rejected"]] == list(range(100))

    def test_at_most_a_hundred_are_listed_where_none_is_good(self, api: Api) -> None:
        found = problem(api.send([point(lat=91)] * 150), 422)
        assert len(found["rejected"]) == 100
        assert found["rejected_count"] == 150

    def test_a_scoring_point_without_a_time_is_not_stamped_with_the_present(self, api: Api) -> None:
        undated = without(SCORED, "date_time")
        rejected(api.client.post(SCORING, {"flight_id": api.flight, "tracks": [undated]}), "date_time")
        api.accepted(api.client.post(SCORING, {"flight_id": api.flight, "tracks": [SCORED, undated]}), 1, rejected=1)

    @pytest.mark.parametrize("field", ["lat", "lon"])
    def test_a_scoring_point_without_a_place(self, api: Api, field: str) -> None:
        rejected(api.client.post(SCORING, {"flight_id": api.flight, "tracks": [without(SCORED, field)]}), field)
