"""The playground in headless Chromium, served by `puretls playground`: what a visitor does, by mouse and by keyboard."""

import threading

import pytest

from puretls.cli.playground import Server
from puretls.labs.playground import engine
from tests.inspect import browser
from tests.labs.visitor import Visitor, first_visit
from tests.support.axe import serious_faults

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(browser.why_not() is not None, reason=str(browser.why_not())),
]


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    with browser.chromium(tmp_path_factory.mktemp("profile"), offline=False) as driver:
        yield driver


@pytest.fixture(scope="module")
def server():
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def visitor(driver, server):
    browser.looks(driver, 1400, 900)
    driver.get("about:blank")
    driver.get_log("browser")
    visitor = Visitor(driver)
    visitor.come(server.address)
    yield visitor
    assert visitor.complaints() == []


def test_a_first_visit(visitor):
    first_visit(visitor)


def test_a_reload_loses_nothing_and_a_link_is_the_whole_run(visitor, server):
    visitor.press("Start")
    visitor.press("Run on")
    visitor.press("Close…")
    visitor.press("Do it")
    address, messages = visitor.driver.current_url, visitor.messages()
    assert len(address) < 1000
    visitor.driver.refresh()
    visitor.until("return document.documentElement.classList.contains('ready')")
    assert visitor.messages() == messages
    assert visitor.usable("Undo")
    visitor.driver.get("about:blank")
    visitor.come(address)
    assert visitor.messages() == messages
    assert visitor.messages(".coming") == ["client.Alert"]
    assert not visitor.usable("Undo")
    visitor.driver.get("about:blank")
    visitor.come(f"{server.address}#run=broken")
    assert "The link is broken" in visitor.text("error")
    assert visitor.messages() == []


def test_messages_are_dropped_and_what_both_wait_for_is_told(visitor):
    visitor.press("Start")
    visitor.press("Run on")
    visitor.look_at("server.ServerHelloDone")
    visitor.press("Drop")
    assert visitor.messages()[-1] == "server.ServerKeyExchange"
    assert "Why it does not go on" in visitor.text("why")
    visitor.press("Take back")
    visitor.press("Run on")
    assert "complete" in visitor.text("outcome")
    visitor.press("Inject…")
    visitor.press("Inject")
    assert "The server gave up" in visitor.text("outcome")


def test_a_new_run_is_chosen_and_a_tape_opened(visitor, tmp_path):
    from selenium.webdriver.support.select import Select

    visitor.press("New…")
    Select(visitor.at("presets")).select_by_visible_text("Client certificate")
    visitor.press("Begin")
    visitor.press("Start")
    visitor.press("Run on")
    assert "client.CertificateVerify" in visitor.messages()
    link = visitor.driver.current_url
    visitor.press("Share…")
    assert visitor.at("link").get_attribute("value") == link[link.index("#") :]
    visitor.driver.find_element("css selector", "#share-dialog .cancel").click()
    visitor.press("New…")
    Select(visitor.at("presets")).select_by_visible_text("Wrong name")
    visitor.press("Begin")
    visitor.press("Open…")
    visitor.at("pasted").send_keys(link[link.index("#") :])
    visitor.press("Open")
    visitor.until("return document.querySelectorAll('#ladder li').length > 10")
    assert "client.CertificateVerify" in visitor.messages()


HOSTILE = "<img src=x onerror=document.title='run'>\"'><script>document.title='run'</script>"


def test_what_an_attackers_link_holds_is_shown_and_does_nothing(visitor, server):
    def asked(do, tape, **more):
        answer = engine.answer({"do": do, "tape": tape, **more})
        assert "error" not in answer, answer
        return answer["tape"]

    tape = asked("new", None, choices={"psk": True}) | {"name": HOSTILE, "note": HOSTILE}
    for side in ("client", "server"):
        tape[side] |= {"psk": {"identity": {"text": HOSTILE}, "key": {"text": "key"}}, "extensions": [{"name": "Alpn", "protocols": [HOSTILE]}]}
    said = asked("send", asked("run", tape), side="client", text=HOSTILE)
    name = "client.ClientHello.extensions[0].server_name.names[0].name"
    changed = asked("change", asked("step", asked("new", None)), path=name, value=f"text:{HOSTILE}", who="sender")
    pack = "const done = arguments[1]; import(new URL('address.js', document.baseURI)).then((made) => made.written(arguments[0], '')).then(done)"
    for run in (asked("run", said), asked("run", changed)):
        link = visitor.driver.execute_async_script(pack, run)
        visitor.driver.get("about:blank")
        visitor.come(server.address + link)
        shown = visitor.text("events")
        for path in visitor.messages():
            visitor.look_at(path)
            shown += visitor.at("scene").get_attribute("textContent")
        assert visitor.driver.title == "TLS 1.2 playground"
        assert visitor.driver.find_elements("css selector", "img") == []
        assert "<img src=x" in shown


def test_a_page_whose_playground_has_ended_keeps_its_run_and_says_where_it_goes_on(visitor, server):
    visitor.press("Start")
    messages, token = visitor.messages(), server.token
    server.token = "that of another one"
    try:
        visitor.at("run").click()
        visitor.until("return document.getElementById('error').textContent !== ''")
    finally:
        server.token = token
    assert "a playground that has ended" in visitor.text("error")
    assert visitor.messages() == messages
    assert [line for line in visitor.complaints() if "403" not in line] == []
    visitor.press("Run on")
    assert "complete" in visitor.text("outcome")


def test_everything_is_reached_by_the_keyboard(visitor):
    from selenium.webdriver.common.keys import Keys

    def press(*keys):
        for key in keys:
            visitor.driver.switch_to.active_element.send_keys(key)
        visitor.settled()

    def tab_to(script):
        for _ in range(80):
            press(Keys.TAB)
            if visitor.driver.execute_script(f"const now = document.activeElement; return {script}"):
                return
        raise AssertionError(script)

    tab_to("now.id === 'step'")
    press(Keys.ENTER)
    assert visitor.messages() == ["client.ClientHello"]
    press(Keys.ENTER)
    assert visitor.driver.execute_script("return document.activeElement.id") == "step"
    tab_to("now.dataset.path === 'server.ServerHello'")
    press(Keys.ENTER)
    visitor.until("return document.querySelector('#scene .path').textContent === 'server.ServerHello'")
    tab_to("now.matches('.hex b')")
    press(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    assert "server.record[0].version" in visitor.text("told")
    tab_to("now.id === 'byte'")
    press("ff", Keys.ENTER)
    assert visitor.messages(".coming")[0] == "server.ServerHello"
    assert "0xff" in visitor.text("told")
    press(Keys.ESCAPE)
    assert not visitor.at("change-byte").is_displayed()


OPEN = (
    "",
    "document.querySelector('#new-dialog').showModal()",
    "document.querySelector('#new-dialog').close(); document.getElementById('ask-read').click()",
)
"""What is opened, one after the other, before the page is looked at."""


@pytest.mark.parametrize(("width", "dark"), [(1400, False), (380, True)], ids=["desktop, light", "phone, dark"])
def test_no_serious_fault_is_found_for_those_who_see_or_click_otherwise(visitor, width, dark):
    browser.looks(visitor.driver, width, 900, dark=dark)
    visitor.press("Start")
    visitor.press("Run on")
    visitor.driver.execute_script("document.getElementById('keys').open = true")
    visitor.bytes()[-1].click()
    visitor.until("return document.querySelector('#ledger .node')")
    for script in OPEN:
        visitor.driver.execute_script(script)
        visitor.until("return document.getElementById('reading').hidden || document.querySelector('#text').textContent")
        assert serious_faults(visitor.driver) == []


@pytest.mark.parametrize("width", [380, 1400])
def test_nothing_is_wider_than_the_window(visitor, width):
    browser.looks(visitor.driver, width, 900)
    visitor.press("Start")
    visitor.press("Run on")
    visitor.look_at("server.Certificate")
    assert visitor.driver.execute_script("return document.documentElement.scrollWidth") <= width
