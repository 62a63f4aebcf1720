"""The OpenAPI document is true to the routes: nothing fails inside, nothing answers otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation.case import Case
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from flowdbg.dialects.noukai import wire
from tests.flows import FAILING, LOOP, THREE_STEP, TWO_STEP
from tests.serving import ServerProcess, running_server, server_process, write_flows

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
KNOWN = {"org": ["acme"], "project": ["demo"], "flow": ["two-step", "loop", "failing", "nothing"]}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server of its own: the queue of runs draws from `random`, which hypothesis minds."""
    folder = write_flows(tmp_path_factory.mktemp("flows"), TWO_STEP, LOOP, FAILING)
    with server_process([folder], "--db", str(folder / "server.db")) as running:
        for definition in (TWO_STEP, LOOP):
            flow = definition.partition("\n")[0].removeprefix("flow: ")
            body = {"definition": definition, "production": True}
            httpx.post(f"{running.base}/flows/{flow}/versions", json=body)
        yield running


@pytest.fixture(scope="module")
def api(server: ServerProcess) -> Any:
    """The served document, with parameters that meet flows which exist."""
    document = httpx.get(f"{server.base}/openapi.json").json()
    for item in document["paths"].values():
        for operation in item.values():
            for parameter in operation["parameters"]:
                if parameter["name"] in KNOWN:
                    parameter["schema"] = {"enum": KNOWN[parameter["name"]]}
    loaded = schemathesis.openapi.from_dict(document)
    loaded.config.update(base_url=server.url)
    return loaded


schema = schemathesis.pytest.from_fixture("api")


@schema.parametrize()
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_documented_and_none_is_a_fault(case: Case[Any]) -> None:
    case.call_and_validate(checks=CHECKS)


def test_every_route_of_the_application_is_in_the_document(server: ServerProcess) -> None:
    document = httpx.get(f"{server.base}/openapi.json").json()
    assert document["openapi"] == "3.1.0"
    paths = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    for needed in (
        ("GET", "/healthz"),
        ("GET", "/metrics"),
        ("POST", "/api/v1/flows/{org}/{project}/{flow}/versions"),
        ("PUT", "/api/v1/flows/{org}/{project}/{flow}/production"),
        ("POST", "/api/v1/seq/{org}/{project}/{flow}/step"),
        ("POST", "/api/v1/seq/{org}/{project}/{flow}/v{version}/step"),
        ("GET", "/api/v1/seq/{org}/{project}/{flow}/v{version}/plan"),
    ):
        assert needed in paths
    assert len(
        {op["operationId"] for item in document["paths"].values() for op in item.values()}
    ) == len(paths)
    assert all(
        path.startswith(wire.API_PREFIX)
        for _, path in paths - {("GET", "/healthz"), ("GET", "/metrics")}
    )


def test_a_key_is_part_of_the_document_where_one_is_asked_for(tmp_path: Any) -> None:
    write_flows(tmp_path, THREE_STEP)
    with running_server([tmp_path], tmp_path / "server.db", api_keys=("k",)) as server:
        document = httpx.get(f"{server.base}/openapi.json").json()
    assert document["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
    step = document["paths"]["/api/v1/seq/{org}/{project}/{flow}/step"]["post"]
    assert step["security"] == [{"key": []}]
    assert "401" in step["responses"]
    assert "security" not in document["paths"]["/healthz"]["get"]
