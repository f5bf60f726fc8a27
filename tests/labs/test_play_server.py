"""`puretls playground`: served on this machine alone, to who has the token; one line where something is wrong."""

import http.client
import json
import re
import signal
import socket
import subprocess
import sys
import threading

import pytest

from puretls import cli
from puretls.cli import playground
from puretls.labs.playground.pages import page_files
from tests.support.interrupts import interrupts_are_taken


@pytest.fixture(scope="module")
def server():
    with playground.Server() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def got(server, path="", method="GET", body=None, *, token=None, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.putrequest(method, f"/{server.token if token is None else token}/{path}", skip_host=True)
    headers = {"Host": f"127.0.0.1:{server.port}", "Connection": "close"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders(body)
    response = connection.getresponse()
    content = response.read()
    connection.close()
    return response, content


def asked(server, body, **headers):
    return got(server, "ask", "POST", body, **{"Content_Type": "application/json", "Content_Length": str(len(body))} | headers)


def test_the_page_and_all_that_it_loads_are_there(server):
    response, content = got(server)
    assert response.status == 200
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    wanted = re.findall(r'(?:src|href)="([^"#:]+)"', content.decode())
    assert {"bytes.js", "main.js", "page.css", "playground.css"} <= set(wanted)
    scripts = [name for name in page_files() if name.endswith(".js")]
    wanted += [name for script in scripts for name in re.findall(r'from "\./([\w.]+)"', page_files()[script])]
    for name in wanted:
        response, content = got(server, name)
        assert (response.status, content.decode()) == (200, page_files()[name])
    assert got(server, "worker.py")[0].status == 404
    assert got(server, "../engine.py")[0].status == 404


def test_the_engine_answers(server):
    response, content = asked(server, b'{"do": "new"}')
    assert response.headers["Content-Type"] == "application/json"
    assert json.loads(content)["view"]["messages"] == []
    assert "no request is called" in json.loads(asked(server, b"{}")[1])["error"]
    assert json.loads(asked(server, b"{")[1]) == {"error": "the request is no JSON"}


def test_nothing_of_another_site_runs_or_is_loaded(server):
    policy = got(server)[0].headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for name, text in page_files().items():
        assert not re.search(r"https?://(?!www\.rfc-editor\.org)", text), name
        assert not re.search(r"\beval\(|new Function|document\.write|insertAdjacentHTML|\son\w+=\"", text), name
    assert [name for name, text in page_files().items() if "innerHTML" in text] == ["draw.js"]
    assert page_files()["draw.js"].count("innerHTML") == 1


@pytest.mark.parametrize("token", ["", "x", "x" * 32, "%00", "%C3%A9"])
def test_without_the_token_nothing_is_served(server, token):
    response, content = got(server, token=token)
    assert response.status == 403
    assert server.token.encode() not in content
    assert got(server, "ask", "POST", b"{}", token=token, Content_Length="2", Content_Type="application/json")[0].status == 403


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Host": "127.0.0.1"}, {"Host": ""}, {"Origin": "http://evil.example"}, {"Origin": "null"}],
                         ids=str)  # fmt: skip
def test_a_name_or_a_page_of_another_site_gets_nothing(server, headers):
    assert got(server, **headers)[0].status == 403
    assert asked(server, b'{"do": "new"}', **headers)[0].status == 403


def test_a_token_of_any_bytes_is_only_wrong(server):
    with socket.create_connection(("127.0.0.1", server.port), 10) as sock:
        sock.sendall(b"GET /\xff\xfe\xc3\xa9/ HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n" % server.port)
        assert sock.recv(100).startswith(b"HTTP/1.1 403 ")


def test_the_page_itself_may_ask(server):
    for host in server.hosts:
        response, _ = asked(server, b'{"do": "new"}', Host=host, Origin=f"http://{host}")
        assert response.status == 200
        assert response.headers["Access-Control-Allow-Origin"] is None


@pytest.mark.parametrize("headers", [{"Content_Length": "-1"}, {"Content_Length": "x"}, {"Content_Type": "text/plain"}], ids=str)
def test_what_no_page_of_ours_sends_is_refused(server, headers):
    assert asked(server, b"{}", **headers)[0].status == 400


@pytest.mark.parametrize("length", [str(2**30), "9" * 5000], ids=["1 GiB", "5,000 digits"])
def test_a_request_that_is_too_long_is_not_read(server, length):
    response, content = asked(server, b"{}", Content_Length=length)
    assert response.status == 200
    assert json.loads(content)["error"].startswith("a request has")


def test_it_listens_on_this_machine_alone(server):
    assert server.server_address[0] == "127.0.0.1"


def test_a_port_that_is_taken_is_one_line(server, capsys):
    assert cli.main(["playground", "--no-browser", "--port", str(server.port)]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith(f"puretls: port {server.port} of 127.0.0.1 cannot be had: ")
    assert told.err.count("\n") == 1


def test_a_browser_that_cannot_be_opened_is_told(monkeypatch, capsys):
    import webbrowser

    asked = []
    monkeypatch.setattr(webbrowser, "open", asked.append)
    playground._browse("http://127.0.0.1:1/x/")
    assert asked == ["http://127.0.0.1:1/x/"]
    assert capsys.readouterr().out == "No browser could be opened: open the address yourself.\n"


def test_the_command_prints_its_address_and_ends_with_ctrl_c():
    command = [sys.executable, "-m", "puretls", "playground", "--no-browser"]
    with interrupts_are_taken():
        started = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with started as process:
        try:
            line = process.stdout.readline()
            host, port = re.search(r"http://(127\.0\.0\.1):(\d+)/[\w-]{32}/$", line.strip()).groups()
            socket.create_connection((host, int(port)), 10).close()
        finally:
            process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 0
    assert errors == ""
