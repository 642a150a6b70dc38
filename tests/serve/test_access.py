"""Who may ask: tokens, hosts, origins, and the headers that every answer has."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from fixtures.served import client_of
from pulmo.bundle.card import read_card
from pulmo.core.record import Record
from pulmo.serve.answers import Answer, Page
from pulmo.serve.errors import ErrorBody
from pulmo.serve.frame import HEADERS
from pulmo.serve.models import ModelList, ModelSummary
from pulmo.serve.service import Service
from pulmo.serve.tokens import create_token, revoke_token
from pulmo.serve.views import Boxes, Explanation, Lungs

MakeService = Callable[..., Service]

OPEN = ("/", "/docs", "/docs.css", "/openapi.json", "/healthz", "/readyz")
GUARDED = ("/v1/predictions", "/v1/models", "/v1/predictions/export?format=csv", "/metrics")


def code_of(response: object) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]  # type: ignore[attr-defined]


class TestTokens:
    """A token, where one is needed."""

    def test_results_need_one_and_the_page_does_not(self, make: MakeService) -> None:
        service = make(needs_token=True)
        token = create_token(service.database, "anna")
        for path in GUARDED:
            response = client_of(service).get(path)
            assert code_of(response) == (401, "token-missing")
            assert response.headers["www-authenticate"] == "Bearer"
            assert code_of(client_of(service, "pulmo_wrong").get(path)) == (401, "token-unknown")
            assert client_of(service, token).get(path).status_code == 200
        for path in OPEN:
            assert client_of(service).get(path).status_code == 200

    def test_a_body_is_not_read_without_one(self, make: MakeService) -> None:
        read = []

        def body() -> Iterator[bytes]:
            read.append(1)
            yield b"x"

        response = client_of(make(needs_token=True)).post("/v1/predictions", content=body())
        assert code_of(response) == (401, "token-missing")

    def test_a_revoked_one_is_refused_at_once(self, make: MakeService) -> None:
        service = make(needs_token=True)
        client = client_of(service, create_token(service.database, "anna"))
        assert client.get("/v1/models").status_code == 200
        revoke_token(service.database, "anna")
        assert code_of(client.get("/v1/models")) == (401, "token-unknown")

    def test_on_this_machine_none_is_needed_but_a_wrong_one_is_refused(
        self, service: Service
    ) -> None:
        assert client_of(service).get("/v1/models").status_code == 200
        assert code_of(client_of(service, "wrong").get("/v1/models")) == (401, "token-unknown")

    def test_who_asked_is_in_the_log(
        self, make: MakeService, capfd: pytest.CaptureFixture[str]
    ) -> None:
        service = make(needs_token=True)
        token = create_token(service.database, "anna")
        client_of(service, token).get("/v1/models", headers={"X-Request-ID": "mine-1"})
        (line,) = [json.loads(text) for text in capfd.readouterr().err.splitlines()]
        assert (line["who"], line["request_id"], line["route"]) == ("anna", "mine-1", "/v1/models")


class TestScope:
    """Whose results a token shows."""

    def test_a_token_shows_and_deletes_its_own_results_alone(
        self, make: MakeService, image: Path
    ) -> None:
        service = make(needs_token=True)
        anna, ben = (client_of(service, create_token(service.database, n)) for n in ("anna", "ben"))
        key = anna.post("/v1/predictions", content=image.read_bytes()).json()["id"]
        own = ben.post("/v1/predictions", content=image.read_bytes()).json()["id"]
        path = f"/v1/predictions/{key}"
        # What the server has drawn for one is not shown to another either.
        assert anna.get(f"{path}/heatmap").status_code == 200
        views = ("image", "heatmap", "explanation", "lungs", "boxes", "report.pdf")
        for asked in (path, *(f"{path}/{view}" for view in views)):
            assert code_of(ben.get(asked)) == (404, "prediction-unknown")
        assert code_of(ben.delete(path)) == (404, "prediction-unknown")
        for client, seen in ((anna, key), (ben, own)):
            listed = client.get("/v1/predictions").json()["predictions"]
            assert [each["id"] for each in listed] == [seen]
            for form in ("json", "csv"):
                text = client.get(f"/v1/predictions/export?format={form}").text
                assert (key in text, own in text) == (seen == key, seen == own)
        assert anna.delete(path).status_code == 204

    def test_a_token_may_show_the_results_of_all(self, make: MakeService, image: Path) -> None:
        service = make(needs_token=True)
        anna = client_of(service, create_token(service.database, "anna"))
        ward = client_of(service, create_token(service.database, "ward", sees_all=True))
        key = anna.post("/v1/predictions", content=image.read_bytes()).json()["id"]
        assert len(ward.get("/v1/predictions").json()["predictions"]) == 1
        assert key in ward.get("/v1/predictions/export?format=csv").text
        assert ward.get(f"/v1/predictions/{key}/boxes").status_code == 200
        assert ward.delete(f"/v1/predictions/{key}").status_code == 204
        assert anna.get("/v1/predictions").json()["predictions"] == []

    def test_on_this_machine_all_results_are_seen_without_a_token(
        self, service: Service, client: TestClient, done: dict[str, object]
    ) -> None:
        anna = client_of(service, create_token(service.database, "anna"))
        assert anna.get("/v1/predictions").json()["predictions"] == []
        (seen,) = client.get("/v1/predictions").json()["predictions"]
        assert seen["id"] == done["id"]


class TestPlace:
    """Names of the server, and pages that ask."""

    @pytest.mark.parametrize(
        ("host", "status"),
        [
            ("localhost", 200),
            ("localhost:8000", 200),
            ("127.0.0.1:8000", 200),
            ("[::1]:8000", 200),
            ("evil.example", 421),
            ("localhost.evil.example", 421),
            ("[", 421),
            ("", 421),
        ],
    )
    def test_only_its_own_names_reach_it(self, client: TestClient, host: str, status: int) -> None:
        response = client.get("/v1/models", headers={"Host": host})
        assert response.status_code == status
        assert status == 200 or code_of(response)[1] == "host-unknown"

    @pytest.mark.parametrize(
        ("headers", "allowed"),
        [
            ({}, True),
            ({"Origin": "http://localhost"}, True),
            ({"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}, True),
            ({"Sec-Fetch-Site": "none"}, True),
            ({"Origin": "http://evil.example"}, False),
            ({"Origin": "http://localhost:3000"}, False),
            ({"Origin": "null"}, False),
            ({"Sec-Fetch-Site": "cross-site"}, False),
            ({"Sec-Fetch-Site": "same-site"}, False),
        ],
    )
    def test_no_foreign_page_changes_anything(
        self, client: TestClient, image: Path, headers: dict[str, str], *, allowed: bool
    ) -> None:
        sent = client.post("/v1/predictions", content=image.read_bytes(), headers=headers)
        gone = client.delete(f"/v1/predictions/{'0' * 32}", headers=headers)
        if allowed:
            assert (sent.status_code, gone.status_code) == (201, 404)
        else:
            assert code_of(sent) == code_of(gone) == (403, "origin-foreign")


class TestFrame:
    """What every answer has."""

    def test_every_answer_has_the_headers(self, client: TestClient, make: MakeService) -> None:
        answers = [client.get(path) for path in (*OPEN, *GUARDED, "/none", "/v1/predictions/x")]
        answers += [
            client.put("/v1/models"),
            client.get("/", headers={"Host": "evil.example"}),
            client.post("/", headers={"Origin": "http://evil.example"}),
            client_of(make(needs_token=True)).get("/metrics"),
        ]
        assert {each.status_code for each in answers} == {200, 401, 403, 404, 405, 421, 422}
        for each in answers:
            assert {name: each.headers[name] for name in HEADERS} == HEADERS
            assert each.headers["cache-control"] in {"no-store", "no-cache"}
            assert len(each.headers["x-request-id"]) == 32
            assert "server" not in each.headers
            assert each.status_code < 400 or set(each.json()) == {"error"}

    def test_the_policy_allows_nothing_from_elsewhere(self) -> None:
        policy = HEADERS["Content-Security-Policy"]
        assert policy.startswith("default-src 'none';")
        assert "unsafe" not in policy
        assert "http" not in policy

    def test_an_id_of_the_caller_is_kept_if_it_is_one(self, client: TestClient) -> None:
        for given, kept in (("a.B-9_", True), ("a b", False), ("x" * 65, False)):
            response = client.get("/healthz", headers={"X-Request-ID": given})
            assert (response.headers["x-request-id"] == given) == kept

    def test_a_fault_says_nothing_of_what_it_was_about(
        self,
        client: TestClient,
        monkeypatch: pytest.MonkeyPatch,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        def fail(*_: object) -> None:
            raise ValueError("ZQX00001")

        monkeypatch.setattr("pulmo.serve.results.find", fail)
        response = client.get(f"/v1/predictions/{'0' * 32}")
        assert code_of(response) == (500, "internal-error")
        said = capfd.readouterr().err + response.text
        assert "ValueError" in said
        assert "ZQX" not in said

    def test_a_route_is_counted_by_its_name(self, client: TestClient) -> None:
        client.get(f"/v1/predictions/{'0' * 32}")
        client.get("/nobody/knows")
        text = client.get("/metrics").text
        assert (
            'pulmo_requests_total{method="GET",route="/v1/predictions/{prediction_id}",status="404"'
            in text
        )
        assert "nobody" not in text


def test_while_it_stops_nothing_is_begun(service: Service, client: TestClient) -> None:
    assert client.get("/readyz").json() == {"status": "ready"}
    service.stopping = True
    for response in (client.get("/v1/models"), client.post("/v1/predictions", content=b"x")):
        assert code_of(response) == (503, "server-stopping")
        assert "retry-after" in response.headers
    assert client.get("/healthz").status_code == 200
    assert code_of(client.get("/readyz")) == (503, "server-stopping")


class TestDocuments:
    """What is read and not asked."""

    def test_the_documentation_names_every_route(self, client: TestClient) -> None:
        schema = client.get("/openapi.json").json()
        page = client.get("/docs").text
        assert len(schema["paths"]) > 12
        for path in schema["paths"]:
            assert path in page
        assert "<script" not in page
        assert "style=" not in page
        assert "prediction_set" in page

    @pytest.mark.parametrize(
        "kind", [Answer, Page, ErrorBody, Explanation, Lungs, Boxes, ModelSummary, ModelList]
    )
    def test_the_examples_are_what_they_are_of(self, kind: type[Record]) -> None:
        (example,) = kind.model_json_schema()["examples"]
        assert kind.model_validate(example).model_dump(mode="json") == example

    def test_the_card_is_that_of_the_bundle(self, client: TestClient, bundle: Path) -> None:
        (model,) = client.get("/v1/models").json()["models"]
        assert client.get(f"/v1/models/{model['id']}").json() == model
        path = f"/v1/models/{model['id']}/card"
        text = client.get(path).text
        assert text == (bundle / "MODEL_CARD.md").read_text("utf-8")
        card = read_card(bundle / "card.json")
        decision = card.decision
        assert list(model["sensitivity"].values()) == list(decision.sensitivity[:4])
        assert list(model["specificity"].values()) == list(decision.specificity[:4])
        assert card.sets is not None
        assert model["sets_coverage"] == card.sets.coverage
        assert card.bands is not None
        limits = {"low": card.bands.rule_out.threshold, "high": card.bands.rule_in.threshold}
        assert model["bands"] == limits
        page = client.get(path, params={"format": "html"})
        assert page.headers["content-type"].startswith("text/html")
        assert "<table>" in page.text
        assert model["name"] in page.text
        assert code_of(client.get(f"/v1/models/{'0' * 16}")) == (404, "model-unknown")
