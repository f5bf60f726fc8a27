"""A connection of ours over a socket, step by step."""

from contextlib import suppress

from puretls import ConnectionClosed, drive


class Driven:
    """Drives `connection` over `sock`; `events` keeps all that happened. Whoever inherits sets the three."""

    def step(self):
        """One event, after reading and writing what it takes."""
        event = drive.run(self.connection, self, until=lambda event: True)
        self.events.append(event)
        return event

    def receive(self, size):
        try:
            return self.sock.recv(size)
        except ConnectionResetError:
            return b""

    def flush(self, drain=None):
        """Send what waits; a peer that is gone is found by the next read."""
        data = drain() if drain else self.connection.bytes_to_send()
        if data:
            with suppress(BrokenPipeError, ConnectionResetError):
                self.sock.sendall(data)

    def until(self, kind):
        """Step to the next event of this class."""
        while not isinstance(event := self.step(), kind):
            assert not isinstance(event, ConnectionClosed), f"closed while waiting for {kind.__name__}: {self.events}"
        return event

    def send(self, data):
        self.connection.send(data)
        self.flush()
