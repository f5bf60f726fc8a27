"""Somebody who visits the playground in a browser for the first time: what such a person does there, whatever transport the page has."""

from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait


class Visitor:
    """Acts by what stands on the page: buttons by their text, messages by their name."""

    def __init__(self, driver):
        self.driver = driver

    def come(self, address):
        self.driver.get(address)
        self.until("return document.documentElement.classList.contains('ready')")

    def until(self, script, *arguments, seconds=60):
        return WebDriverWait(self.driver, seconds, 0.05).until(lambda driver: driver.execute_script(script, *arguments))

    def at(self, name):
        return self.driver.find_element(By.ID, name)

    def text(self, name):
        return self.at(name).text

    def settled(self):
        self.until("return !document.documentElement.classList.contains('asking')")

    def press(self, text):
        """A button that can be seen and used, by what stands on it."""
        found = [one for one in self.driver.find_elements(By.TAG_NAME, "button") if one.is_displayed() and one.text == text]
        assert len(found) == 1, text
        assert found[0].get_attribute("aria-disabled") != "true", f"{text} is of no use now"
        before, answers = self.driver.current_url, found[0].get_attribute("value") == "ok"
        found[0].click()
        if answers:  # what a dialog was told is done after it has closed
            self.until("return location.href !== arguments[0]", before)
        self.settled()

    def usable(self, text):
        return any(
            one.text == text and one.get_attribute("aria-disabled") != "true"
            for one in self.driver.find_elements(By.TAG_NAME, "button")
        )

    def messages(self, only=""):
        return self.driver.execute_script(
            "return [...document.querySelectorAll(`#ladder li${arguments[0]} a`)].map((link) => link.dataset.path)", only
        )

    def look_at(self, path):
        self.driver.find_element(By.CSS_SELECTOR, f"#ladder a[data-path='{path}']").click()
        self.until("return document.querySelector('#scene .path').textContent === arguments[0]", path)

    def bytes(self, which=""):
        return self.driver.find_elements(By.CSS_SELECTOR, f"#scene .hex{which} b")

    def complaints(self):
        return [entry["message"] for entry in self.driver.get_log("browser")]


def first_visit(visitor):
    """Start, step to ServerKeyExchange, click a byte, change the signature's last byte, run on, read why it failed, undo, complete, send
    data, resume."""
    visitor.press("Start")
    assert visitor.messages() == ["client.ClientHello"]
    while "server.ServerKeyExchange" not in visitor.messages(":not(.coming)"):
        visitor.press("Step")
    assert visitor.text("scene").split("\n")[1] == "ServerKeyExchange"
    assert visitor.text("now-client").startswith("WAIT_REQUEST_OR_DONE")

    last = visitor.bytes()[-1]
    last.click()
    told = visitor.text("told")
    assert "signed.signature.ecdsa_sig_value.s" in told
    assert "RFC 3279 2.2.3" in told
    was = last.text
    assert visitor.at("byte").get_attribute("value") == was
    visitor.at("byte").clear()
    visitor.at("byte").send_keys(f"{int(was, 16) ^ 1:02x}")
    visitor.press("Change the byte")
    assert visitor.messages(".coming") == ["server.ServerKeyExchange", "server.ServerHelloDone"]
    assert visitor.bytes()[-1].text != was

    visitor.press("Run on")
    assert "The client gave up: the signature over the handshake does not verify" in visitor.text("outcome")
    why = visitor.text("why")
    assert "The signature proves that the peer has the key of its certificate." in why
    assert "decrypt_error" in why
    assert visitor.driver.execute_script("return document.querySelector('#state-client-FAILED').classList.contains('now')")

    visitor.press("Undo")
    visitor.press("Undo")
    visitor.until("return !document.querySelector('#changes li') && document.querySelectorAll('#ladder li.coming').length === 1")
    visitor.press("Run on")
    assert "The handshake is complete" in visitor.text("outcome")
    assert visitor.text("now-client").startswith("CONNECTED")

    visitor.press("Send data…")
    visitor.at("say-text").clear()
    visitor.at("say-text").send_keys("two apples, please")
    visitor.press("Send")
    visitor.press("Run on")
    assert [line for line in visitor.text("events").split("\n") if "two apples, please" in line and "The server" in line]
    assert visitor.bytes("[data-view=plaintext]")

    visitor.press("Connect again")
    visitor.press("Run on")
    assert "Connection 2. The handshake is complete" in visitor.text("outcome")
    assert "resumed" in visitor.text("outcome")
    assert "server.Certificate" not in visitor.messages()
