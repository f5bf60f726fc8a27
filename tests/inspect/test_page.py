"""The page: one file that needs nothing else, tells every byte, shows no secret that it should not, and runs nothing of a peer's."""

import json
import re
from functools import cached_property
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from puretls.inspect import Conversation, Gap, Knowledge, Stream
from puretls.inspect.render.markup import children, element, json_text, section_address
from puretls.inspect.render.page import asset, page
from puretls.inspect.render.scenes import scenes
from puretls.inspect.render.story import MOST_BYTES
from puretls.text import printable
from tests.inspect import browser
from tests.support.pair import real
from tests.support.recorded import conversations, every_reference, recorded, recorded_pair, streams
from tests.support.reference import REFERENCE

SIDES = ("client", "server")
MOST = 500_000
QUICK = ("ECDHE, RSA, GCM", "RSA, CBC, MAC first", "client certificate again in a renegotiation")
NAMES = [row.name if row.name in QUICK else pytest.param(row.name, marks=pytest.mark.full) for row in REFERENCE]
VOID = {"meta", "br", "input"}


class Read(HTMLParser):
    """What a page holds: elements with their attributes, the text of each dump, the data."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements, self.open, self.dumps, self.raw = [], [], {}, {}
        self.told = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.elements.append((tag, attributes))
        if tag not in VOID:
            self.open.append((tag, attributes))
        if attributes.get("class") == "hex":
            self.dumps[attributes["id"]] = (attributes, [])

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag, "elements are nested"

    def handle_data(self, data):
        tag, attributes = self.open[-1] if self.open else ("", {})
        if attributes.get("class") == "hex":
            self.dumps[attributes["id"]][1].append(data)
        elif tag in {"script", "style"}:
            self.raw.setdefault(attributes.get("id", tag), data)
        else:
            self.told.append(data)

    @cached_property
    def data(self):
        return json.loads(self.raw["data"])

    @property
    def text(self):
        return "".join(self.told)


def shown(read, side, view):
    """The bytes of a view, in the order of their offsets: (offset, hexadecimal digits, row)."""
    found = []
    for name, (attributes, text) in read.dumps.items():
        if (attributes["data-side"], attributes["data-view"]) != (side, view):
            continue
        digits = iter("".join(text).split())
        for row in read.data["dumps"][name]:
            found += [(row[0] + at, next(digits), row) for at in range(row[2])]
        assert next(digits, None) is None
    return sorted(found, key=lambda each: each[0])


@pytest.mark.parametrize("name", NAMES)
def test_a_page_shows_every_byte_of_a_reference_conversation_with_its_meaning(name):
    for conversation in conversations(name):
        text = page(conversation)
        assert len(text.encode()) <= MOST
        read = Read(text)
        assert not read.open
        strings = read.data["strings"]
        for side in SIDES:
            bytes_shown = shown(read, side, "wire")
            assert [offset for offset, _, _ in bytes_shown] == list(range(conversation.stream(side).length))
            assert bytes.fromhex("".join(digits for _, digits, _ in bytes_shown)) == conversation.stream(side).data
            inside = {offset: digits for offset, digits, _ in shown(read, side, "plaintext")}
            sealed = [leaf for leaf in conversation.byte_map.plain(side) if leaf.key]
            assert set(inside) == {offset for leaf in sealed for offset in range(leaf.start, leaf.end)}
            assert all(conversation.byte_map.plain_bytes(side)[offset] == int(digits, 16) for offset, digits in inside.items())
            for _, _, row in bytes_shown:
                path, (meaning, _, rfc), (states, key, _, _) = (
                    strings[row[4]],
                    *([strings[index] for index in read.data[table][row[at]]] for table, at in (("texts", 7), ("contexts", 8))),
                )
                assert meaning, path
                assert rfc, path
                assert states.count(";") == 2
                assert bool(key) == bool(conversation.byte_map.at(side, row[0]).key)


@pytest.mark.slow
@pytest.mark.parametrize("name", QUICK)
def test_bytes_of_both_views_are_linked_as_the_byte_map_links_them(name):
    for conversation in conversations(name):
        read = Read(page(conversation))
        for side in SIDES:
            for view in ("wire", "plaintext"):
                for offset, _, row in shown(read, side, view):
                    leaf = conversation.byte_map.at(side, offset, view)
                    if leaf.key:
                        expected = conversation.byte_map.linked(side, offset, view)
                        assert linked(row[9:], offset - row[0]) == expected, leaf.path


def linked(link, at):
    if not link:
        return None
    start, unit, phase = link
    first = start + (at + phase) // unit * unit
    return first, first + unit


def test_each_leaf_lies_in_one_scene():
    for conversation in every_reference():
        held = [leaf for scene in scenes(conversation) for leaf in scene.wire]
        for side in SIDES:
            assert sorted(leaf.start for leaf in held if leaf.side == side) == [
                leaf.start for leaf in conversation.byte_map.wire(side)
            ]


def test_a_page_loads_nothing_and_allows_nothing_of_others():
    text = page(conversations(QUICK[0])[0])
    read = Read(text)
    for tag, attributes in read.elements:
        assert tag not in {"link", "img", "iframe", "object", "embed", "base", "form", "audio", "video", "image", "use"}
        assert not {name for name in attributes if name.startswith("on") or name in {"src", "srcset", "style", "action", "data"}}
        if "href" in attributes:
            assert tag == "a"
            assert re.match(r"#|https://www\.rfc-editor\.org/rfc/rfc\d+(#|$)", attributes["href"])
    assert not re.search(r"url\(|@import|https?:", asset("page.css"))
    assert not re.search(
        r"\bfetch\b|XMLHttpRequest|innerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function",
        asset("bytes.js") + asset("page.js"),
    )
    policies = [a["content"] for tag, a in read.elements if a.get("http-equiv") == "Content-Security-Policy"]
    assert len(policies) == 1
    assert policies[0].startswith("default-src 'none';")
    assert "unsafe" not in policies[0]


def test_links_within_a_page_lead_somewhere_and_names_are_used_once():
    for conversation in conversations(QUICK[2]):
        read = Read(page(conversation))
        names = [attributes["id"] for _, attributes in read.elements if "id" in attributes]
        assert len(names) == len(set(names))
        wanted = {attributes["href"][1:] for _, attributes in read.elements if attributes.get("href", "").startswith("#")}
        assert wanted - set(names) == set()
        assert set(read.data["keys"].values()) - set(names) == set()


def test_without_scripts_the_messages_stand_in_order_with_their_texts():
    conversation = conversations(QUICK[0])[0]
    text = Read(page(conversation)).text
    told = text[text.index("Choose a byte") :]
    at = [told.index(f"{scene.seen.path}") for scene in scenes(conversation)]
    assert at == sorted(at)
    for words in ("the client opens the conversation", "Ephemeral Diffie-Hellman", "Both ends compute the keys", "close_notify"):
        assert words in text


# Secrets


@pytest.mark.parametrize("name", [*QUICK, "RSA_PSK, CBC"])
def test_without_secrets_a_page_has_neither_keys_nor_anything_that_was_decrypted(name):
    for conversation in conversations(name):
        for secrets in (False, True):
            text = page(conversation, secrets=secrets)
            digits = re.sub(r"\s+", "", Read(text).text + "".join("".join(part) for _, part in Read(text).dumps.values()))
            values = [node.value.hex() for node in conversation.ledger.nodes if node.secret and node.value]
            assert values
            assert any(value in digits for value in values) is secrets
            assert (b"from the client".hex() in digits) is secrets
            assert ("from the client from the client" in text) is secrets
            assert "Secret(" not in text
            sealed = any(leaf.key for side in SIDES for leaf in conversation.byte_map.plain(side))
            assert bool(shown(Read(text), "client", "plaintext")) is (secrets and sealed)


def test_what_cannot_be_opened_is_told_without_its_keys():
    turns, _ = recorded(QUICK[0])
    conversation = Conversation(*streams(turns[0]), provider=real())
    text = Read(page(conversation)).text
    assert "None are known" in text
    assert "no key log" in text.lower() or "not known" in text
    assert "is not known" in text


# What a peer wrote

EVIL = b"<b id=evil>"
SCRIPT = b"</script><script>evil=1</script>//<"


def hostile():
    """A conversation in which the server's name and the names in its certificate are markup."""
    turns, log = recorded("ALPN, stapled status, SCTs, short records")
    assert len(EVIL) == len(b"server.test")
    assert len(SCRIPT) == len(b"puretls development CA intermediate")
    changed = [
        (
            side,
            data.replace(b"server.test", EVIL)
            .replace(b"puretls development CA intermediate", SCRIPT)
            .replace(b"http/1.1", b"'\"><x a="),
        )
        for side, data in turns[0]
    ]
    return Conversation(
        *streams(changed), Knowledge.of(log), name='"><b id=evil>\u202e', addresses=("<b id=evil>", "&lt;"), provider=real()
    )


def test_names_that_are_markup_stay_text():
    text = page(hostile())
    read = Read(text)
    assert not read.open
    assert {attributes.get("id") for _, attributes in read.elements}.isdisjoint({"evil"})
    assert [tag for tag, _ in read.elements].count("script") == 2
    assert "x" not in {tag for tag, _ in read.elements}
    assert EVIL.decode() in read.text
    assert "evil=1" in json.dumps(read.data)
    assert "\u202e" not in text


@given(st.text(), st.text(min_size=1))
def test_any_text_is_read_back_as_it_was_put_in(text, value):
    made = element("p", text, title=value)
    seen = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag, attributes):
            seen.append((tag, dict(attributes)))

        def handle_data(self, data):
            seen.append(data)

    reader = Reader(convert_charrefs=True)
    reader.feed(made)
    reader.close()
    assert seen[0] == ("p", {"title": printable(value)})
    assert "".join(seen[1:]) == printable(text)


@given(st.recursive(st.text() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_json_in_a_page_cannot_end_its_script(value):
    made = json_text(value)
    assert not re.search("[<>&\u2028\u2029]", made)
    assert json.loads(made) == value


def test_markup_is_not_escaped_twice():
    assert element("p", element("b", "a < b"), None, ["x", 1], hidden=True, title=None) == "<p hidden><b>a &lt; b</b>x1</p>"
    assert children("<", element("br")) == "&lt;<br>"


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("RFC 5246 7.4.1.2", "https://www.rfc-editor.org/rfc/rfc5246#section-7.4.1.2"),
        ("RFC 5246 E.1", "https://www.rfc-editor.org/rfc/rfc5246#appendix-E.1"),
        ("RFC 7627", "https://www.rfc-editor.org/rfc/rfc7627"),
        ("X.690 8.1", ""),
    ],
)
def test_sections_lead_to_where_they_can_be_read(name, address):
    assert section_address(name) == address


# Broken and long conversations


@pytest.mark.parametrize("streams_", [(b"", b""), (b"GET / HTTP/1.1\r\n\r\n", b"<html>"), (b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x03", b""),
                                      (b"\x17\x03\x03\x00\x02ab", b"\x15\x03\x03\x00\x02\x02\x28")])  # fmt: skip
def test_whatever_was_sent_there_is_a_page(streams_):
    read = Read(page(Conversation(*map(Stream.of, streams_))))
    for side, data in zip(SIDES, streams_, strict=True):
        assert "".join(digits for _, digits, _ in shown(read, side, "wire")) == data.hex()


def test_bytes_that_are_missing_are_told():
    client, server = streams(recorded(QUICK[0])[0][0])
    lost = Stream(tuple(chunk for chunk in server.chunks if chunk.offset == 0), (Gap(2000, 100, "not captured"),), "open")
    text = Read(page(Conversation(client, lost, provider=real()))).text
    assert "100 bytes of the server are missing" in text


def test_a_long_conversation_says_what_is_left_out():
    turns, log = recorded(QUICK[0])
    data = [part for part in turns[0] for _ in range(1)]
    # Records of application data that nobody can open: each is a scene of its own.
    data += [("server", (b"\x17\x03\x03\x10\x00" + bytes(4096)))] * 500
    text = page(Conversation(*streams(data), Knowledge.of(log), provider=real()))
    read = Read(text)
    assert len(text) < 1_500_000
    assert f"this page has shown {MOST_BYTES:,} bytes" in read.text
    assert "more messages are not on this page" in read.text


# Colours


def luminance(colour):
    colour = colour.lstrip("#")
    colour = "".join(2 * digit for digit in colour) if len(colour) == 3 else colour
    parts = [int(colour[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    return sum(
        weight * (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4)
        for weight, part in zip((0.2126, 0.7152, 0.0722), parts, strict=True)
    )


def contrast(one, other):
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_every_text_has_a_contrast_of_4_5_at_least(scheme):
    rules = re.findall(r":root \{(.*?)\}", asset("page.css"), re.S)[scheme]
    colours = dict(re.findall(r"--([\w]+): (#[0-9a-f]+)", rules))
    bytes_on = ("plain1", "plain2", "frame", "frame2", "seal", "sealed", "fault", "linked", "paper", "raised")
    pairs = [("ink", each) for each in bytes_on] + [
        ("fieldink", "field"),
        ("choseink", "chosen"),
        ("bad", "badpaper"),
        ("ink", "badpaper"),
    ]
    pairs += [(word, paper) for word in ("soft", "link", "client", "server", "both") for paper in ("paper", "raised", "plain1")]
    pairs += [("soft", "badpaper")]
    for one, other in pairs:
        assert contrast(colours[one], colours[other]) >= 4.5, (one, other)


# In a browser

needs_browser = pytest.mark.skipif(browser.why_not() is not None, reason=str(browser.why_not()))


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    with browser.chromium(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


def opened(driver, folder, conversation, width=1400, *, dark=False, secrets=True):
    browser.looks(driver, width, 900, dark=dark)
    file = folder / "page.html"
    file.write_text(page(conversation, secrets=secrets), encoding="utf-8")
    driver.get(file.as_uri())
    return driver


def no_complaints(driver):
    assert [entry["message"] for entry in driver.get_log("browser")] == []
    assert driver.execute_script("return performance.getEntriesByType('resource').length") == 0


def wait(driver, script):
    from selenium.webdriver.support.wait import WebDriverWait

    WebDriverWait(driver, 30).until(lambda driver: driver.execute_script(script))


CLICK = """
const wrong = [];
let count = 0;
const [start, end, every] = arguments;
for (const byte of [...document.querySelectorAll('.hex b')].filter((_, at) => at >= start && at < end && at % every === 0)) {
  byte.click();
  count += 1;
  const told = document.getElementById('told');
  const titles = [...told.querySelectorAll('h3')].map((title) => title.textContent);
  const complete = ['The field', 'What it is', 'Why, and where it is written', 'States', 'Protection'].every((title) => titles.includes(title));
  if (document.activeElement !== byte || !complete || !told.textContent.includes(`0x${byte.textContent}`)) wrong.push(told.textContent);
}
return [count, wrong.length, wrong[0] || ''];
"""

WALK = """
const press = (key) => document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true, cancelable: true}));
const all = [...document.querySelectorAll('.hex b')];
const [start, end, every] = [arguments[0], Math.min(arguments[1], all.length - 1), arguments[2]];
for (let at = Math.ceil(start / every) * every; at < end; at += every) {
  if (document.activeElement !== all[at]) all[at].focus();
  press('ArrowRight');
  if (document.activeElement !== all[at + 1]) return `stuck before ${at + 1}`;
  if (at % (2 * every)) continue;
  press('ArrowLeft');
  if (document.activeElement !== all[at]) return `stuck behind ${at}`;
  press('ArrowRight');
}
return '';
"""
AT_ONCE = 1000
"""Bytes that one script goes through: a busy machine has time for them."""


def bare_handshake():
    turns, log = recorded_pair("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", talks=0)
    return Conversation(*streams(turns), Knowledge.of(log), provider=real())


@pytest.mark.slow
@needs_browser
@pytest.mark.interop
@pytest.mark.parametrize("every", [61, pytest.param(1, marks=pytest.mark.long)])
@pytest.mark.parametrize("name", ["a handshake", *QUICK[:2]])
def test_click_and_arrow_keys_reach_every_byte_and_each_has_its_panel(driver, tmp_path, name, every):
    """All bytes, or one in so many of each page."""
    conversation = bare_handshake() if name == "a handshake" else conversations(name)[0]
    opened(driver, tmp_path, conversation)
    sealed = sum(leaf.length for side in SIDES for leaf in conversation.byte_map.plain(side) if leaf.key)
    expected = conversation.client.length + conversation.server.length + sealed
    assert driver.execute_script("return document.querySelectorAll('.hex b').length") == expected
    for start in range(0, expected, AT_ONCE):
        count, wrong, first = driver.execute_script(CLICK, start, start + AT_ONCE, every)
        assert (count, wrong) == (len([at for at in range(start, min(start + AT_ONCE, expected)) if at % every == 0]), 0), first
        assert driver.execute_script(WALK, start, start + AT_ONCE, every) == ""
    no_complaints(driver)


@pytest.mark.slow
@needs_browser
@pytest.mark.interop
def test_a_person_walks_with_real_keys_and_clicks(driver, tmp_path):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    opened(driver, tmp_path, conversations(QUICK[0])[0])

    def told():
        return driver.find_element(By.ID, "told").text

    def press(*keys):
        driver.switch_to.active_element.send_keys(*keys)

    driver.find_elements(By.CSS_SELECTOR, "#w0 b")[11].click()
    assert "client.ClientHello.random" in told()
    press("n")
    assert "client.ClientHello.session_id.length" in told()
    press("p", Keys.ARROW_LEFT)
    assert "client.ClientHello.client_version" in told()
    press(Keys.END)
    assert "Byte 153 of what the client sends" in told()
    press(Keys.HOME, Keys.ARROW_DOWN, Keys.ARROW_UP)
    assert "Byte 0 of what the client sends" in told()
    finished = driver.find_elements(By.CSS_SELECTOR, "#w7 b")[13]
    driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", finished)
    finished.click()
    assert "client.record[3].ciphertext" in told()
    assert len(driver.find_elements(By.CSS_SELECTOR, "b.linked")) == 1
    press(Keys.ENTER)
    assert "client.Finished.msg_type" in told()
    assert "Under client_write_key, epoch 1, sequence number 0." in told()
    press(Keys.ENTER)
    assert "client.record[3].ciphertext" in told()
    press(Keys.ESCAPE)
    assert "Choose a byte" in told()
    find = driver.find_element(By.ID, "find")
    find.send_keys("verify_data", Keys.ENTER)
    assert "server.Finished.verify_data" in told()
    wait(driver, "return location.hash.startsWith('#server/plaintext/')")
    driver.refresh()
    assert "server.Finished.verify_data" in told()
    no_complaints(driver)


@needs_browser
@pytest.mark.interop
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [380, 768, 1400])
def test_a_page_fits_its_window(driver, tmp_path, width, dark):
    opened(driver, tmp_path, conversations(QUICK[0])[0], width, dark=dark, secrets=not dark)
    assert driver.execute_script("return window.innerWidth") == width, "a telephone does not zoom out to show what is too wide"
    for index in (0, 2, 7):
        byte = f"document.querySelectorAll('#w{index} b')[12]"
        driver.execute_script(f"{byte}.click()")
        assert driver.execute_script("return document.documentElement.scrollWidth") <= width
        seen = driver.execute_script(
            f"const box = {byte}.getBoundingClientRect(); const on = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);"
            f"return on === {byte};"
        )
        assert seen, "what was chosen is covered"
    no_complaints(driver)


@needs_browser
@pytest.mark.interop
def test_names_that_are_markup_do_nothing_in_a_browser(driver, tmp_path):
    opened(driver, tmp_path, hostile())
    driver.execute_script(CLICK.replace(".hex b", ".hex b.begins"), 0)
    assert driver.execute_script("return [document.getElementById('evil'), window.evil, document.querySelector('x')]") == [
        None,
        None,
        None,
    ]
    no_complaints(driver)


@needs_browser
@pytest.mark.interop
def test_without_scripts_a_page_is_still_to_be_read(driver, tmp_path):
    driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        opened(driver, tmp_path, conversations(QUICK[0])[0])
        driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
        text = driver.execute_script("return document.body.innerText")
        assert "Without JavaScript the bytes cannot be chosen" in text
        assert "16 03 01 00 95 01" in text
        assert "Find a field" not in text
    finally:
        driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
