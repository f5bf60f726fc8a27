"""SSLSockets on puretls: time-outs, sockets that do not block, two threads, `select`, and what goes on in the clear."""

import ctypes
import random
import select
import signal
import socket
import ssl as real_ssl
import threading
from array import array
from contextlib import suppress
from io import BytesIO

import pytest

from tests.support.credentials import NAME
from tests.support.pure_ssl import client_context, pure_ssl, server_context

ours = pure_ssl()


@pytest.fixture
def ends():
    """A connected client on puretls and its server on the real `ssl`."""
    left, right = socket.socketpair()
    left.settimeout(20), right.settimeout(20)
    server = server_context(real_ssl).wrap_socket(right, server_side=True, do_handshake_on_connect=False)
    client = client_context(ours).wrap_socket(left, server_hostname=NAME, do_handshake_on_connect=False)
    both_at_once(server.do_handshake, client.do_handshake)
    yield client, server
    client.close(), server.close()


def both_at_once(there, here):
    """`there` in another thread, `here` in this one; what `there` returned, or raised."""
    found = []

    def run():
        try:
            found.append(there())
        except Exception as error:
            found.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        here()
    finally:
        thread.join(20)
    return found[0]


def fill(sock):
    while True:
        sock.send(bytes(2**16))


def test_a_read_that_times_out_leaves_the_connection_usable(ends):
    client, server = ends
    client.settimeout(0.05)
    with pytest.raises(TimeoutError, match="The read operation timed out"):
        client.recv(10)
    server.sendall(b"late")
    assert client.recv(10) == b"late"
    client.sendall(b"answer")
    assert server.recv(10) == b"answer"


def test_a_handshake_that_times_out_goes_on_with_the_next_call():
    left, right = socket.socketpair()
    with client_context(ours).wrap_socket(left, server_hostname=NAME, do_handshake_on_connect=False) as client:
        client.settimeout(0.05)
        with pytest.raises(TimeoutError, match="The handshake operation timed out"):
            client.do_handshake()
        client.settimeout(20)
        right.settimeout(20)
        with server_context(real_ssl).wrap_socket(right, server_side=True, do_handshake_on_connect=False) as server:
            both_at_once(server.do_handshake, client.do_handshake)
            assert client.version() == "TLSv1.2"


@pytest.mark.parametrize("wait", [0.0, 0.01], ids=["not blocking", "with a time-out"])
def test_a_write_that_cannot_finish_is_retried_and_arrives_once(ends, wait):
    client, server = ends
    client.settimeout(wait)
    data, sent = bytes(range(256)) * 2**12, 0
    stopped = 0
    received = bytearray()
    while sent < len(data):
        try:
            sent += client.send(bytearray(data[sent : sent + 2**19]))  # another buffer each time
        except (ours.SSLWantWriteError, TimeoutError):
            stopped += 1
            received += server.recv(2**20)
    client.settimeout(20)

    def rest():
        while len(received) < len(data):
            received.extend(server.recv(2**20))

    rest()
    assert stopped
    assert received == data


def test_another_write_in_place_of_one_that_could_not_finish_is_refused_where_it_is_shorter(ends):
    client, _ = ends
    client.setblocking(False)
    with pytest.raises(ours.SSLWantWriteError):
        fill(client)
    with pytest.raises(ours.SSLError) as told:
        client.send(b"short")
    assert told.value.reason == "BAD_LENGTH"


def test_a_socket_that_does_not_block_wants_read_and_loses_nothing(ends):
    client, server = ends
    client.setblocking(False)
    with pytest.raises(ours.SSLWantReadError):
        client.recv(10)
    server.sendall(b"x" * 40_000)
    received = bytearray()
    while len(received) < 40_000:
        select.select([client], [], [], 20)
        received += client.recv(40_000)
    assert received == b"x" * 40_000


def test_select_finds_the_socket_readable_while_a_whole_record_waits(ends):
    client, server = ends
    for record in (b"first", b"second", b"third"):
        server.sendall(record)
    select.select([client], [], [], 20)
    got = []
    while select.select([client], [], [], 0.05)[0]:
        got.append(client.recv(5))  # "first" to the end, "secon"
    assert b"".join(got).startswith(b"firstsecon")
    assert client.pending() == len(b"firstsecondthird") - sum(map(len, got)) < len(b"third")


def test_the_end_is_readable_until_it_is_told(ends):
    client, server = ends
    server.sendall(b"data")
    server.setblocking(False)
    with pytest.raises(real_ssl.SSLWantReadError):
        server.unwrap()
    select.select([client], [], [], 20)
    assert client.recv(100) == b"data"
    assert select.select([client], [], [], 5)[0]
    assert client.recv(100) == b""
    assert not select.select([client], [], [], 0)[0]
    client.sendall(b"a last word")  # as OpenSSL, whatever the peer has closed
    server.setblocking(True)
    assert server.recv(100) == b"a last word"


def test_one_thread_writes_while_another_waits_to_read(ends):
    client, server = ends
    found = both_at_once(lambda: client.recv(10), lambda: (client.sendall(b"question"), server.sendall(server.recv(8)[:4])))
    assert found == b"ques"


@pytest.mark.parametrize("wait", [None, 0.0, 0.01], ids=["blocking", "not blocking", "with a time-out"])
def test_four_threads_carry_data_both_ways_at_once(wait):
    left, right = socket.socketpair()
    server = server_context(ours).wrap_socket(right, server_side=True, do_handshake_on_connect=False)
    client = client_context(ours).wrap_socket(left, server_hostname=NAME, do_handshake_on_connect=False)
    both_at_once(server.do_handshake, client.do_handshake)
    sent, received = {}, {client: bytearray(), server: bytearray()}

    def write(end, rng):
        view = memoryview(sent[end])
        while view:
            piece, view = view[: (size := rng.choice([1, 1000, 16384, 70000]))], view[size:]
            while not attempt(end, lambda piece=piece: end.send(piece)):
                pass

    def read(end, rng):
        while len(received[end]) < SIZE:
            size = rng.choice([1, 5000, 16384, 100_000])
            attempt(end, lambda size=size: received[end].extend(end.recv(size)) or True)

    threads = []
    with client, server:
        for number, end in enumerate((client, server)):
            end.settimeout(wait)
            sent[end] = random.Random(number).randbytes(SIZE)
            threads += [threading.Thread(target=work, args=(end, random.Random(number))) for work in (write, read)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert received == {client: sent[server], server: sent[client]}


SIZE = 150_000


def attempt(end, call):
    """The result of a call, or None where it has to be tried again; waits as programs do."""
    try:
        return call()
    except ours.SSLWantReadError:
        assert select.select([end], [], [], 20)[0]
    except ours.SSLWantWriteError:
        assert select.select([], [end], [], 20)[1]
    except TimeoutError:
        pass
    return None


class Stopped(Exception):
    pass


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="no signals to threads here")
def test_a_signal_handler_that_stops_a_write_loses_no_byte(ends):
    client, server = ends
    data, received = bytes(range(256)) * 2**12, bytearray()

    def stop(*_):
        raise Stopped

    def interrupt():
        while select.select([], [client], [], 0)[1]:
            threading.Event().wait(0.001)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGUSR1)

    def read():
        while len(received) < len(data):
            received.extend(server.recv(2**20))

    before = signal.signal(signal.SIGUSR1, stop)
    try:
        with pytest.raises(Stopped):
            both_at_once(interrupt, lambda: client.sendall(data))
    finally:
        signal.signal(signal.SIGUSR1, before)
    both_at_once(read, lambda: client.sendall(data))
    assert received == data


def test_shutting_the_socket_down_wakes_who_waits_to_read(ends):
    client, _ = ends
    waiting = client._sslobj
    entered = threading.Event()

    def read():
        entered.set()
        return waiting.read(10)

    told = both_at_once(read, lambda: (entered.wait(20), client.shutdown(socket.SHUT_RDWR)))
    assert isinstance(told, ours.SSLEOFError)


def test_after_unwrap_both_go_on_in_the_clear_and_no_byte_is_lost(ends):
    client, server = ends
    server_thread = threading.Thread(target=lambda: server.unwrap().sendall(b"in the clear"))
    server_thread.start()
    plain = client.unwrap()
    assert plain.recv(100) == b"in the clear"
    plain.sendall(b"me too")
    server_thread.join(20)
    assert server.recv(100) == b"me too"


def test_unwrap_does_not_read_what_follows_close_notify_in_the_same_segment():
    incoming, outgoing = real_ssl.MemoryBIO(), real_ssl.MemoryBIO()
    served = server_context(real_ssl).wrap_bio(incoming, outgoing, server_side=True)
    left, right = socket.socketpair()
    with right, client_context(ours).wrap_socket(left, server_hostname=NAME, do_handshake_on_connect=False) as client:
        client.settimeout(20), right.settimeout(20)

        def serve():
            done = False
            while not done:
                incoming.write(right.recv(2**16))
                with suppress(real_ssl.SSLWantReadError):
                    served.do_handshake()
                    done = True
                right.sendall(outgoing.read())
            with suppress(real_ssl.SSLWantReadError):
                served.unwrap()
            right.sendall(outgoing.read() + b"+OK go on")

        both_at_once(serve, client.do_handshake)
        with client.unwrap() as plain:
            assert plain.recv(100) == b"+OK go on"


def test_data_that_came_before_an_error_is_read_whatever_a_write_was_told(ends):
    client, server = ends
    server.sendall(b"x" * 100)
    connection = client._sslobj
    assert client.recv(10) == b"x" * 10
    connection._engine.connection.abort()
    with pytest.raises(ours.SSLError):
        client.recv(200) and client.recv(1)
    with pytest.raises(ours.SSLEOFError):
        client.send(b"no more")


def test_a_stream_that_is_cut_reads_as_ended_unless_ragged_ends_are_errors(ends):
    client, server = ends
    server.sendall(b"half")
    server.shutdown(socket.SHUT_WR)
    assert client.recv(100) == b"half"
    assert client.recv(100) == b""
    client.suppress_ragged_eofs = False
    with pytest.raises(ours.SSLEOFError) as told:
        client.recv(100)
    assert told.value.errno == ours.SSL_ERROR_EOF


@pytest.mark.parametrize(
    "data",
    [b"plain", bytearray(b"array"), memoryview(b"view"), array("I", [1, 2, 3]), (ctypes.c_ubyte * 3)(1, 2, 3), b""],
    ids=["bytes", "bytearray", "memoryview", "array", "ctypes", "nothing"],
)
def test_any_buffer_is_written_and_read_into(ends, data):
    client, server = ends
    size = memoryview(data).nbytes
    assert client.send(data) == size
    server.sendall(bytes(data) + b"!")
    target = (ctypes.c_ubyte * (size + 1))()
    assert client.recv_into(target) == size + 1
    assert bytes(target) == bytes(data) + b"!"


def test_buffers_with_gaps_and_read_only_ones_are_refused_before_anything_happens(ends):
    client, server = ends
    with pytest.raises(BufferError):
        client.send(memoryview(b"abcdef")[::2])
    with pytest.raises(TypeError):
        client.send("text")
    server.sendall(b"kept")
    with pytest.raises(TypeError):
        client.recv_into(memoryview(b"read-only"))
    with pytest.raises(ValueError, match="size should not be negative"):
        client.recv(-1)
    assert client.recv(0) == b""
    assert client.recv(4) == b"kept"


def test_a_file_is_sent(ends):
    client, server = ends
    content = bytes(range(256)) * 500
    received = bytearray()

    def read():
        while len(received) < len(content):
            received.extend(server.recv(2**16))

    sent = both_at_once(lambda: client.sendfile(BytesIO(content)), read)
    assert sent == len(content)
    assert received == content


def test_a_socket_that_was_detached_is_told_as_closed(ends):
    client, _ = ends
    connection, number = client._sslobj, client.detach()
    try:
        for operation in (lambda: connection.read(1), lambda: connection.write(b"x"), connection.shutdown):
            with pytest.raises(ours.SSLError, match="Underlying socket has been closed"):
                operation()
    finally:
        socket.close(number)
