"""How nodes and servers are named, and what is told of this one."""

from pathlib import Path

import pytest

from fixtures.refuses import refuses
from pulmo.node.peers import (
    VARIABLE,
    Credentials,
    DicomPeer,
    WebPeer,
    check_secrecy,
    check_title,
    read_credentials,
    read_peer,
    read_web_peer,
)


@pytest.mark.parametrize(
    ("text", "peer"),
    [
        ("PACS@pacs:104", DicomPeer("PACS", "pacs", 104)),
        ("A B@10.0.0.1:11112", DicomPeer("A B", "10.0.0.1", 11112)),
        ("X@Y@[::1]:104", DicomPeer("X@Y", "::1", 104)),
    ],
)
def test_a_node_is_named(text: str, peer: DicomPeer) -> None:
    assert read_peer(text) == peer
    assert str(peer) == text


@pytest.mark.parametrize("text", ["PACS", "PACS@pacs", "@pacs:104", "PACS@pacs:0", "P@p:99999"])
def test_what_names_no_node_is_refused(text: str) -> None:
    with refuses("peer-invalid"):
        read_peer(text)


@pytest.mark.parametrize("title", ["", " ", "x" * 17, "a\\b", "ä", "a\n"])
def test_what_is_no_title_is_refused(title: str) -> None:
    with refuses("ae-title-invalid"):
        check_title(title)


def test_a_server_is_named_without_a_password() -> None:
    assert str(read_web_peer("https://pacs/dicom-web/")) == "https://pacs/dicom-web"
    with refuses("dicomweb-address-with-password") as refused:
        read_web_peer("https://anna:secret@pacs/")
    assert "secret" not in str(refused.value)
    for text in ("pacs", "ftp://pacs", "https://", "http://[x"):
        with refuses("dicomweb-address-invalid"):
            read_web_peer(text)


def test_credentials_are_of_a_file_or_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert read_credentials(None) is None
    monkeypatch.setenv(VARIABLE, "anna:a:b")
    assert read_credentials(None) == Credentials("anna", "a:b")
    file = tmp_path / "credentials"
    file.write_text("Bearer abc\n")
    assert read_credentials(file) == Credentials(None, "abc")
    for text in ("", "anna", ":secret", "a:b\nc:d"):
        file.write_text(text)
        with refuses("credentials-invalid", file) as refused:
            read_credentials(file)
        assert "secret" not in str(refused.value)


def test_credentials_do_not_leave_the_machine_in_the_clear() -> None:
    credentials = Credentials("anna", "secret")
    for url in ("https://pacs", "http://localhost:8042", "http://127.0.0.1"):
        check_secrecy(WebPeer(url), credentials)
    check_secrecy(WebPeer("http://pacs"), None)
    check_secrecy(DicomPeer("PACS", "pacs", 104), credentials)
    with refuses("credentials-without-tls", "http://pacs"):
        check_secrecy(WebPeer("http://pacs"), credentials)
