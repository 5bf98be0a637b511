"""Sends leads from the local example's page in headless Chromium, and sees the responses and the pushes.

Usage: docs_page.py URL SCREENSHOT. It needs Debian's packages chromium and chromium-driver, and selenium.
"""

import json
import random
import re
import sys
from contextlib import contextmanager

from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

PATH = "/v1/accounts/{account}/leads"
# No single step takes longer. `.ci/run` limits the whole test to a minute.
WAIT_SECONDS = 15


class Page:
    """The page, as a user sees it."""

    def __init__(self, driver):
        self.driver = driver

    def wait(self, what, condition):
        """Waits for a condition, and returns its value."""
        wait = WebDriverWait(self.driver, WAIT_SECONDS, 0.1, [WebDriverException])
        return wait.until(lambda _: condition(), f"the page does not show {what}")

    def find(self, selector, within=None):
        return (within or self.driver).find_element(By.CSS_SELECTOR, selector)

    def all(self, selector, within=None):
        return (within or self.driver).find_elements(By.CSS_SELECTOR, selector)

    def open_operation(self):
        """Opens the operation that sends a lead, and returns its block."""
        summary = f'.opblock-summary-path[data-path="{PATH}"]'
        path = self.wait(f"the operation POST {PATH}", lambda: self.find(summary))
        block = path.find_element(By.XPATH, "ancestor::div[contains(@class, 'opblock-post')]")
        self.find(".opblock-summary-control", block).click()
        self.wait("the button Execute", lambda: self.find(".btn.execute", block).is_displayed())
        return block

    def send(self, block, account, lead):
        """Executes the operation, and returns the status and the headers of the response."""
        for select in self.all(".opblock-section-request-body .body-param-content-type select", block):
            Select(select).select_by_value("application/json")
        fill(self.find('tr[data-param-name="account"] input', block), account)
        fill(self.find(".opblock-section-request-body textarea", block), json.dumps(lead))
        for clear in self.all(".btn-clear", block):
            clear.click()
        self.wait("an operation without a response", lambda: not self.all(".live-responses-table", block))
        self.find(".btn.execute", block).click()
        live = self.wait("a response", lambda: self.find(".live-responses-table .response", block))
        status = self.find(".response-col_status", live).text.split()[0]
        return status, self.wait("the response's headers", lambda: self.headers(live))

    def headers(self, live):
        """The response's headers once they are shown. `text` keeps their lines apart; values may contain more colons."""
        text = "\n".join(part.text for part in self.all("pre", live))
        found = dict(re.findall(r"^ *([a-z-]+): (.*?) *$", text, re.MULTILINE))
        return found if "request-id" in found else None

    def exchange(self, request_id, text):
        """The text of a request in the list, once it contains this text."""

        def shown():
            for item in self.all("#exchanges > li"):
                if item.get_attribute("data-request-id") == request_id and text in item.text:
                    return item.text
            return None

        return self.wait(f"{text!r} for the request {request_id}", shown)


def fill(field, text):
    field.send_keys(Keys.CONTROL, "a")
    field.send_keys(text)


def equal(what, found, expected):
    if found != expected:
        raise AssertionError(f"{what}: {found!r} instead of {expected!r}")


def run(page, url):
    page.driver.get(f"{url}/")
    equal("the start page leads to", page.driver.current_url, f"{url}/docs")
    block = page.open_operation()

    # Another lead in each run: the example replays the response to one that it has sent.
    amount = random.randint(1000, 8999)
    lead = {"caller_id": "(650) 123-1234", "loan_amount": f"${amount:,}", "first_name": "Ann", "details": {}}
    status, headers = page.send(block, "acme", lead)
    equal("a valid lead", (status, headers["lead-outcome"]), ("200", "accepted"))
    shown = page.exchange(headers["request-id"], "AI Rudder received and took this")
    push = json.loads(shown[shown.index("{") :])
    expected = {"caller_id": 16501231234, "loan_amount": amount, "customer_name": "Ann", "details": {}}
    equal("the push", push, expected)

    # Chromium logs what the page's policy blocks, and errors of its scripts.
    equal("the browser's log", [entry["message"] for entry in page.driver.get_log("browser")], [])
    loaded = page.driver.execute_script("return performance.getEntriesByType('resource').map(entry => entry.name)")
    elsewhere = [address for address in loaded if not address.startswith((f"{url}/", "data:"))]
    equal("loaded from other servers", elsewhere, [])

    status, headers = page.send(block, "acme-sandbox", lead | {"loan_amount": 9001})
    equal("a lead that the sandbox refuses", (status, headers["lead-outcome"]), ("422", "refused"))
    page.exchange(headers["request-id"], "AI Rudder received nothing.")


@contextmanager
def chromium():
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    # Without its sandbox Chromium also runs as root and in containers. The page is the project's own.
    for argument in ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1440,1000"]:
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService("/usr/bin/chromedriver"))
    try:
        yield driver
    finally:
        driver.quit()


def main():
    url, screenshot = sys.argv[1:]
    with chromium() as driver:
        driver.set_page_load_timeout(WAIT_SECONDS)
        page = Page(driver)
        try:
            run(page, url)
        except (AssertionError, WebDriverException) as error:
            text = page.find("body").text
            print(f"{error}\n\nThe page, also in {screenshot}:\n{text}", file=sys.stderr)
            return 1
        finally:
            driver.save_screenshot(screenshot)
    print(f"A lead was sent from {url}/docs; {screenshot} shows the page.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
