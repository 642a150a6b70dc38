"""`pulmo serve`: tokens, the log, and what is handed to the server."""

import csv
import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from pulmo.serve.options import ServeOptions

Call = Callable[..., tuple[int, str, str]]


def test_a_token_is_made_listed_and_revoked(pulmo: Call, tmp_path: Path) -> None:
    place = ("--data", tmp_path)
    status, out, err = pulmo("serve", "token", "create", "anna", *place)
    assert status == 0
    assert out.startswith("pulmo_")
    assert err == "It is not kept and cannot be shown again.\n"
    assert pulmo("serve", "token", "revoke", "anna", *place)[:2] == (0, "")
    pulmo("serve", "token", "create", "ben", "--see-all", *place)
    _, listed, _ = pulmo("serve", "token", "list", *place)
    first, second = listed.splitlines()
    assert first.startswith("anna  ")
    assert " revoked " in first
    assert second.startswith("ben  ")
    assert "  sees its own  " in first
    assert second.endswith("  sees all  valid")
    assert out.strip() not in listed
    status, _, err = pulmo("serve", "token", "revoke", "carl", *place)
    assert status == 3
    assert "pulmo serve token list" in err


def test_the_log_is_printed_or_written(pulmo: Call, tmp_path: Path) -> None:
    place = ("--data", tmp_path / "data")
    pulmo("serve", "token", "create", "anna", *place)
    _, out, _ = pulmo("serve", "log", *place)
    (row,) = csv.DictReader(io.StringIO(out))
    assert row["action"] == "create token anna"
    file = tmp_path / "log.json"
    assert pulmo("serve", "log", "--export", "json", "-o", file, *place) == (0, "", "")
    (line,) = json.loads(file.read_text())
    assert line["at"] == row["at"]


def test_what_is_typed_reaches_the_server(
    pulmo: Call, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    got: list[tuple[list[Path], ServeOptions]] = []

    def serve(models: Sequence[Path], options: ServeOptions, on_ready: object) -> None:
        assert on_ready
        got.append((list(models), options))

    monkeypatch.setattr("pulmo.serve.server.serve", serve)
    monkeypatch.setenv("PULMO_MODEL", str(bundle))
    pulmo("serve", "--port", "9", "--keep", "0", "--allow-host", "here", "--behind-proxy")
    pulmo("serve", "--model", tmp_path, "--model", bundle)
    assert [models for models, _ in got] == [[bundle], [tmp_path, bundle]]
    options = got[0][1]
    assert (options.port, options.keep, options.allow_host) == (9, 0, ("here",))
    assert options.behind_proxy
    assert not options.require_token


def test_what_others_could_reach_is_refused(pulmo: Call, bundle: Path, tmp_path: Path) -> None:
    words = ("serve", "--model", bundle, "--data", tmp_path, "--host", "0.0.0.0")  # noqa: S104 - it is refused
    status, _, err = pulmo(*words)
    assert status == 5
    assert err.endswith("Make one with: pulmo serve token create NAME.\n")
    pulmo("serve", "token", "create", "anna", "--data", tmp_path)
    status, _, err = pulmo(*words)
    assert status == 5
    assert "--tls-certificate" in err


def test_an_option_at_the_wrong_place_is_not_lost(pulmo: Call, tmp_path: Path) -> None:
    status, _, err = pulmo("serve", "--data", tmp_path, "log")
    assert status == 2
    assert "--data is for the server, not for log." in err
