"""The documentation page of a project in a real browser, without a network."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from selenium.webdriver.common.by import By
from selenium.webdriver.support.expected_conditions import (
    element_to_be_clickable,
    presence_of_element_located,
)
from selenium.webdriver.support.wait import WebDriverWait

from conftest import Environment, Render
from projects import ROOT, run
from serving import serve

EMAIL = "ada@example.com"
PASSWORD = "correct horse battery"  # noqa: S105
PICTURE = ROOT / "docs" / "documentation-page.png"


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Chrome]:
    """Start Chromium; it resolves no name."""
    options = ChromeOptions()
    options.binary_location = shutil.which("chromium") or shutil.which("google-chrome") or ""
    for argument in (
        "headless",
        "no-sandbox",
        "disable-gpu",
        "disable-quic",
        "disable-dev-shm-usage",
        "no-first-run",
        "disable-background-networking",
        "disable-component-update",
        "disable-sync",
        "hide-scrollbars",
        "window-size=1000,1420",
        "host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
        f"user-data-dir={tmp_path / 'chromium'}",
    ):
        options.add_argument(f"--{argument}")
    driver = Chrome(options, ChromeService(shutil.which("chromedriver") or "chromedriver"))
    yield driver
    driver.quit()


def example() -> str:
    """Return the tables that the README shows."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return text.partition("```yaml\n")[2].partition("```")[0]


def test_the_documentation_page(
    browser: Chrome, render: Render, environment: Environment, tmp_path: Path
) -> None:
    project = render(
        project_name="Blog", resources=example(), mode="sync", database="sqlite", ci="none"
    )
    with serve(project, environment(project), tmp_path, DOCS_ENABLED="true") as server:
        url = server.url
        browser.get(f"{url}/docs")
        wait = WebDriverWait(browser, 30)
        wait.until(presence_of_element_located((By.CSS_SELECTOR, ".opblock-tag")))

        picture = PICTURE if os.environ.get("UPDATE_PICTURES") else tmp_path / "page.png"
        assert browser.save_screenshot(str(picture))

        loaded = browser.execute_script(
            "return performance.getEntriesByType('resource').map(entry => entry.name)"
        )
        assert len(loaded) >= 3
        assert all(name.startswith((url, "data:")) for name in loaded)

        tags = browser.find_elements(By.CSS_SELECTOR, ".opblock-tag")
        names = {tag.get_attribute("data-tag") for tag in tags}
        resources = re.findall(r"^(\w+):", example(), re.MULTILINE)
        assert {f"{name}s" for name in resources} <= names

        operation = "#operations-authors-create_author"
        browser.find_element(By.CSS_SELECTOR, f"{operation} .opblock-summary-control").click()
        for button in (".try-out__btn", ".execute"):
            place = (By.CSS_SELECTOR, f"{operation} {button}")
            wait.until(element_to_be_clickable(place)).click()
        answer = (By.CSS_SELECTOR, f"{operation} .live-responses-table tbody .response-col_status")
        assert wait.until(presence_of_element_located(answer)).text.startswith("201")


def test_sign_in_on_the_documentation_page(
    browser: Chrome, render: Render, environment: Environment, tmp_path: Path
) -> None:
    project = render(resources="", auth="tokens", mode="sync", database="sqlite")
    python = environment(project)
    with serve(project, python, tmp_path) as server:
        run(
            [str(python), "-m", "app.account", "create", EMAIL],
            project,
            given=f"{PASSWORD}\n",
            DATABASE_URL=server.database.url,
        )
        browser.get(f"{server.url}/docs")
        wait = WebDriverWait(browser, 30)

        def click(selector: str) -> None:
            wait.until(element_to_be_clickable((By.CSS_SELECTOR, selector))).click()

        click(".auth-wrapper .authorize")
        for name, value in (("username", EMAIL), ("password", PASSWORD)):
            place = (By.ID, f"oauth_{name}")
            wait.until(element_to_be_clickable(place)).send_keys(value)
        click(".modal-ux .authorize")
        # The button of a scheme that is authorized.
        click(".modal-ux .btn-done")
        place = (By.CSS_SELECTOR, ".auth-wrapper .authorize.locked")
        wait.until(presence_of_element_located(place))

        operation = "#operations-accounts-read_account"
        click(f"{operation} .opblock-summary-control")
        click(f"{operation} .try-out__btn")
        click(f"{operation} .execute")
        answer = (By.CSS_SELECTOR, f"{operation} .live-responses-table tbody .response-col_status")
        assert wait.until(presence_of_element_located(answer)).text.startswith("200")
