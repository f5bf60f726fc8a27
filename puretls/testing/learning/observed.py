"""What was observed of a peer: a tree of words with their answers. Nothing is asked of the peer twice, unless it has to be told again.

A peer that can be forked goes on from a copy. Any other is started again and told the word so far; when its answers are not those of
before, `NonDeterministic` is raised. Silence is what nobody can see at a socket; it is listened for with some patience, an answer that is
known to come with much more, and no answer where none is known to come.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

from puretls.errors import UsageError
from puretls.inspect.peer import Peer, SocketPeer, Told
from puretls.testing.learning.mapper import Mapper
from puretls.testing.learning.model import CLOSED, SILENCE, Word


class NonDeterministic(UsageError):
    """The same word was answered in two ways."""


class Talk:
    """A mapper and a peer in conversation. What the peer's application hears, it answers, where it can be told to (`Peer` has `send`).

    A peer in memory is done when it gives no more bytes: no time-out. One at the end of a socket is done when it has been silent for its
    patience, when it has ended its stream, or when it has said what is expected.
    """

    LONG = 10.0
    """Seconds that are waited for an answer which is expected."""

    def __init__(self, mapper: Mapper, peer: Peer, *, sends_first: bool = False) -> None:
        self.mapper: Mapper = mapper
        self.peer: Peer = peer
        self.is_over: bool = False
        if sends_first:
            self._hear()

    def fork(self) -> Self:
        """A copy that goes on by itself. Raises `UsageError` where the peer cannot be copied."""
        peer = self.peer.fork()
        twin = object.__new__(type(self))
        twin.mapper, twin.peer, twin.is_over = self.mapper.fork(), peer, self.is_over
        return twin

    def step(self, symbol: str, expected: str | None = None) -> str:
        """Say a symbol; what is answered. `expected` is the answer of before, after which nothing more is waited for."""
        if self.is_over:
            return CLOSED
        self.peer.receive(self.mapper.say(symbol))
        if not isinstance(self.peer, SocketPeer) or expected is None:
            return self._hear()
        if expected == SILENCE:
            return SILENCE
        patience, self.peer.patience = self.peer.patience, self.LONG
        try:
            return self._hear(expected)
        finally:
            self.peer.patience = patience

    def _hear(self, expected: str | None = None) -> str:
        heard: list[str] = []
        while not self.is_over:
            data = self.peer.take()
            heard += self.mapper.hear(data)
            answered = self._application(self.peer.events())
            if self.is_over:
                heard += [*self.mapper.hear(self.peer.take()), CLOSED]
            if not (data or answered) or " ".join(heard) == expected:
                break
        return " ".join(heard) or SILENCE

    def _application(self, told: list[Told]) -> bool:
        """Answer what arrived. Whether there was anything."""
        arrived = b"".join(one.data for one in told)
        send = getattr(self.peer, "send", None)
        if arrived and send is not None:
            send(arrived)
        self.is_over = self.is_over or any(one.kind in {"closed", "failed"} for one in told)
        return bool(arrived)

    def close(self) -> None:
        """Give up what the peer holds."""
        if isinstance(self.peer, SocketPeer):
            self.peer.close()


class _Node:
    """A word that was said: what its last symbol came to, and a copy of the conversation where there can be one."""

    def __init__(self, answer: str, talk: Talk | None) -> None:
        self.answer = answer
        self.talk = talk
        self.children: dict[str, _Node] = {}

    @property
    def is_over(self) -> bool:
        return self.answer.endswith(CLOSED)


class Observed:
    """All that was observed. `begin()` starts a conversation; `forks` says whether it can be copied."""

    def __init__(self, begin: Callable[[], Talk], *, forks: bool) -> None:
        self._begin = begin
        self._forks = forks
        self._root = _Node("", begin() if forks else None)
        self.conversations: int = 0
        """Conversations begun, or gone on with from a copy."""
        self.symbols: int = 0
        """Symbols said, those said again included."""

    def answers(self, word: Word) -> Word:
        """What is answered to each symbol of a word. Raises `NonDeterministic`."""
        path, node = [self._root], self._root
        for symbol in word:
            if node.is_over or symbol not in node.children:
                break
            node = node.children[symbol]
            path.append(node)
        known = len(path) - 1
        if not node.is_over and known < len(word):
            path += self._go_on(node, word[:known], path, word[known:])
        made = tuple(one.answer for one in path[1:])
        return made + (CLOSED,) * (len(word) - len(made))

    def confirm(self, word: Word, patience: float) -> None:
        """Have the last answer to a word again, listened for so many seconds. Raises `NonDeterministic` where it is another."""
        known = self.answers(word)
        talk = self._told(word[:-1], known[:-1])
        if isinstance(talk.peer, SocketPeer):
            talk.peer.patience = patience
        try:
            _check(word, word[-1], known[-1], talk.step(word[-1]))
        finally:
            talk.close()

    def _go_on(self, node: _Node, known: Word, path: list[_Node], rest: Word) -> list[_Node]:
        talk = self._again(node, known, path)
        self.conversations += 1
        made: list[_Node] = []
        try:
            for symbol in rest:
                answer = talk.step(symbol)
                self.symbols += 1
                child = _Node(answer, talk.fork() if self._forks and not talk.is_over else None)
                node.children[symbol] = child
                node = child
                made.append(node)
                if talk.is_over:
                    break
        finally:
            talk.close()
        return made

    def _again(self, node: _Node, known: Word, path: list[_Node]) -> Talk:
        """A conversation in which this word was said."""
        if node.talk is not None:
            return node.talk.fork()
        return self._told(known, tuple(one.answer for one in path[1:]))

    def _told(self, word: Word, answers: Word) -> Talk:
        """A new conversation in which this word was said, and answered as before."""
        talk = self._begin()
        try:
            for symbol, answer in zip(word, answers, strict=True):
                self.symbols += 1
                _check(word, symbol, answer, talk.step(symbol, answer))
        except BaseException:
            talk.close()
            raise
        return talk


def _check(word: Word, symbol: str, before: str, now: str) -> None:
    if now != before:
        raise NonDeterministic(f"{', '.join(word)}: {symbol} was answered by {before}, then by {now}")
