"""The database: results, tokens and a log to which lines can only be added."""

import csv
import io
import json
import sqlite3
import stat
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from fixtures.refuses import refuses
from pulmo.core.files import sha256
from pulmo.daemon.audit_log import export_log, log_rows
from pulmo.serve.database import ServeDatabase
from pulmo.serve.service import Service
from pulmo.serve.tokens import create_token, has_token, holder_of, revoke_token, tokens_of


@pytest.fixture
def database(tmp_path: Path) -> Any:  # noqa: ANN401 - it is closed at the end
    with ServeDatabase(tmp_path / "data") as opened:
        yield opened


class TestLog:
    """Who was answered what and when."""

    def test_a_line_says_who_asked_which_model_about_what(
        self, service: Service, client: TestClient, image: Path
    ) -> None:
        data = image.read_bytes()
        response = client.post("/v1/predictions", content=data)
        answer = response.json()
        (line,) = log_rows(service.database)
        assert line["who"] == "local"
        assert line["action"] == "predict"
        assert line["request_id"] == response.headers["x-request-id"]
        assert line["prediction_id"] == answer["id"]
        assert line["input_sha256"] == sha256(data)
        assert line["model_sha256"] == answer["model"]["sha256"]
        assert answer["created"] <= line["at"]
        assert line["answer"]["probabilities"] == answer["probabilities"]
        assert line["answer"]["decision"] == answer["decision"]

    def test_it_outlives_the_result(
        self, service: Service, client: TestClient, done: dict[str, Any]
    ) -> None:
        client.delete(f"/v1/predictions/{done['id']}")
        lines = list(log_rows(service.database))
        assert [line["action"] for line in lines] == ["predict", "delete"]
        assert {line["prediction_id"] for line in lines} == {done["id"]}

    @pytest.mark.parametrize(
        "change",
        [
            "UPDATE log SET who = 'nobody'",
            "DELETE FROM log",
            "REPLACE INTO log (number, at, who, action) VALUES (1, '', 'nobody', '')",
            "INSERT OR REPLACE INTO log (number, at, who, action) VALUES (1, '', 'nobody', '')",
            "UPDATE OR REPLACE log SET number = 1 WHERE number = 2",
        ],
    )
    def test_no_line_is_changed_or_removed(self, database: ServeDatabase, change: str) -> None:
        create_token(database, "anna")
        create_token(database, "ben")
        before = list(log_rows(database))
        with (
            sqlite3.connect(database.path) as other,
            pytest.raises(sqlite3.IntegrityError, match="append-only"),
        ):
            other.execute(change)
        other.close()
        assert list(log_rows(database)) == before

    def test_it_is_exported_as_a_table_and_as_a_list(
        self, service: Service, done: dict[str, Any]
    ) -> None:
        table, text = io.StringIO(), io.StringIO()
        export_log(service.database, "csv", table)
        export_log(service.database, "json", text)
        (row,) = csv.DictReader(io.StringIO(table.getvalue()))
        (line,) = json.loads(text.getvalue())
        assert line["prediction_id"] == row["prediction_id"] == done["id"]
        assert json.loads(row["answer"]) == line["answer"]

    def test_an_empty_one_is_exported_too(self, database: ServeDatabase) -> None:
        text = io.StringIO()
        export_log(database, "json", text)
        assert json.loads(text.getvalue()) == []


class TestTokens:
    """Who may call."""

    def test_only_its_hash_is_kept(self, database: ServeDatabase) -> None:
        token = create_token(database, "anna")
        assert len(token) > 40
        assert holder_of(database, token) == ("anna", False)
        assert holder_of(database, create_token(database, "ward", sees_all=True)) == ("ward", True)
        assert holder_of(database, f"{token}x") is None
        database.close()
        for path in database.path.parent.iterdir():
            assert token.encode() not in path.read_bytes()

    def test_a_name_is_given_once(self, database: ServeDatabase) -> None:
        assert not has_token(database)
        create_token(database, "anna")
        with refuses("token-exists", "anna"):
            create_token(database, "anna")
        revoke_token(database, "anna")
        assert not has_token(database)
        with refuses("token-exists", "anna"):
            create_token(database, "anna")
        with refuses("token-not-found", "anna"):
            revoke_token(database, "anna")
        (token,) = tokens_of(database)
        assert (token.name, token.sees_all) == ("anna", False)
        assert token.revoked is not None
        actions = [line["action"] for line in log_rows(database)]
        assert actions == ["create token anna", "revoke token anna"]

    @pytest.mark.parametrize("name", ["", "a b", "local", "x" * 65, "ünder"])
    def test_a_name_that_the_log_could_not_tell_is_refused(
        self, database: ServeDatabase, name: str
    ) -> None:
        with refuses("token-name-invalid"):
            create_token(database, name)


class TestFaults:
    """A database that cannot be used."""

    def test_only_the_user_may_read_it(self, database: ServeDatabase) -> None:
        assert stat.S_IMODE(database.path.parent.stat().st_mode) == 0o700
        for path in database.path.parent.iterdir():
            assert stat.S_IMODE(path.stat().st_mode) == 0o600

    @pytest.mark.parametrize(("version", "code"), [(1, "database-older"), (99, "database-newer")])
    def test_one_of_another_version_is_refused(
        self, tmp_path: Path, version: int, code: str
    ) -> None:
        with ServeDatabase(tmp_path) as made, made.transaction() as connection:
            connection.execute(f"PRAGMA user_version = {version}")
        with refuses(code, "serve.db"):
            ServeDatabase(tmp_path)

    def test_what_is_no_database_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "serve.db").write_bytes(b"no database" * 100)
        with refuses("database-unusable", "serve.db"):
            ServeDatabase(tmp_path)

    def test_a_folder_that_is_a_file_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "data").write_text("")
        with refuses("folder-is-file", "data"):
            ServeDatabase(tmp_path / "data")

    def test_a_locked_one_is_said_and_nothing_is_answered(
        self, service: Service, client: TestClient, image: Path
    ) -> None:
        service.database._connection.execute("PRAGMA busy_timeout = 10")
        other = sqlite3.connect(service.database.path)
        other.execute("BEGIN IMMEDIATE")
        response = client.post("/v1/predictions", content=image.read_bytes())
        assert response.status_code == 503
        assert response.json()["error"]["code"] == "database-locked"
        assert "retry-after" in response.headers
        other.rollback()
        other.close()
        assert client.get("/v1/predictions").json()["predictions"] == []
        assert client.post("/v1/predictions", content=image.read_bytes()).status_code == 201

    def test_a_full_disk_is_said_and_nothing_is_half_written(
        self, service: Service, client: TestClient, image: Path
    ) -> None:
        connection = service.database._connection
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")
        files = [("file", ("x", image.read_bytes())) for _ in range(20)]
        response = client.post("/v1/predictions", files=files)
        assert response.status_code == 507
        assert response.json()["error"]["code"] == "disk-full"
        assert client.get("/v1/predictions").json()["predictions"] == []
        assert list(log_rows(service.database)) == []
        assert service.kept.bytes == 0
