"""Python's own sockets over a WebSocket relay, for Pyodide where it can suspend Python."""

from __future__ import annotations

from puretls.errors import UsageError
from puretls.net.js_transport import javascript

CONNECT = """
(url) => ({ hostname, port }) => {
  const socket = new WebSocket(url.replace("{host}", encodeURIComponent(hostname)).replace("{port}", port), ["binary"]);
  socket.binaryType = "arraybuffer";
  const closed = new Promise((done) => socket.addEventListener("close", done));
  const opened = new Promise((done, fail) => {
    socket.onopen = () => done({});
    socket.onerror = () => fail(new Error(`no WebSocket at ${socket.url}`));
  });
  const readable = new ReadableStream({
    start(control) {
      socket.onmessage = ({ data }) =>
        typeof data === "string" ? control.error(new Error("text")) : control.enqueue(new Uint8Array(data));
      closed.then(() => control.close()).catch(() => {});
    },
  });
  const sent = async () => {
    while (socket.readyState === WebSocket.OPEN && socket.bufferedAmount > 65536) await new Promise((done) => setTimeout(done, 5));
  };
  const writable = new WritableStream({ write: (chunk) => (socket.send(chunk.slice()), sent()) });
  return { opened, closed, readable, writable, close: () => (socket.close(), closed) };
}
"""
"""What opens a connection for Pyodide's sockets: host and port to an object as of the sockets API of WinterCG."""


async def relay_sockets(relay: str) -> None:
    """From here on, sockets of this Python that connect are connected by a relay, whose URL is as of `open`.

    So what blocks on sockets works in a page that can suspend Python (JSPI): with `puretls.ssl.install()`, urllib.request, http.client,
    imaplib, smtplib and httpx with https. Raises `UsageError` where this is no Pyodide that has such sockets (314 is the first).
    """
    connect = javascript().eval(CONNECT)(relay)
    import pyodide_js

    prepare = getattr(getattr(pyodide_js, "_api", None), "initializeNodeSockFS", None)
    if prepare is None:
        raise UsageError("this Pyodide has no sockets of its own: 314 is the first that has")
    await prepare(connect)
