"""States that an observer tells are those that the two ends were in."""

import pytest

from puretls.inspect import Conversation, Knowledge
from puretls.intercept import Direction
from puretls.trace import Layer
from tests.support.conversations import flows, mapped, resumptions
from tests.support.pair import no_security
from tests.support.recorded import streams, watched

CONVERSATIONS = [*mapped(), *flows(no_security), *resumptions(no_security)]


def received(end):
    """Name, state before and after of each message that an end received, as its trace has them."""
    return [
        (entry.name, entry.state_before, entry.state_after)
        for entry in end.connection.trace
        if entry.layer is Layer.MESSAGE and entry.direction is Direction.INBOUND and entry.content_type != 23
    ]


@pytest.mark.rfc("5246", "7.3")
@pytest.mark.parametrize("conversation", CONVERSATIONS, ids=lambda conversation: conversation.name)
def test_states_are_those_that_both_ends_were_in(conversation):
    """A passive decoder sees the messages alone; both ends say in their traces where they were. Mostly there is one state possible."""
    lines = []
    joined = watched(conversation.make(client={"key_log": lines.append}))
    joined.handshake()
    joined.exchange()
    joined.client.connection.close()
    joined.run()
    seen = Conversation(*streams(joined.turns), Knowledge.of(lines), provider=joined.client.connection.config.provider)
    assert [str(message.problem) for message in seen.messages if message.problem] == []
    told = certain = 0
    for side, end in (("client", joined.client), ("server", joined.server)):
        messages = [message for message in seen.messages if message.side != side and message.name != "ApplicationData"]
        assert [message.name for message in messages] == [name for name, _, _ in received(end)]
        for message, (name, before, after) in zip(messages, received(end), strict=True):
            possible = getattr(message.states_before, side), getattr(message.states_after, side)
            if name != "Alert":  # the trace tells where an end was before it acted on an alert
                assert before in possible[0]
                # The verifier answers at once, which the trace counts in and an observer sees when the end next sends something.
                assert after in possible[1] or possible[1][0].endswith("VERDICT")
                told += 2
                certain += sum(len(states) == 1 for states in possible)
    assert certain / told > 0.95
