"""The page answers to mouse and keyboard, on a screen, a phone and paper."""

import base64
import json
import re
import shutil

import pytest
from page_example import BEST_FIRST, MARKS, STAMP, make_explanations, make_page


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    selenium = pytest.importorskip("selenium.webdriver", reason="no selenium")
    programs = (shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))
    program = next(filter(None, programs), None)
    driver = shutil.which("chromedriver")
    if program is None or driver is None:
        pytest.skip("no headless Chromium: run .ci/install-browser")
    options = selenium.ChromeOptions()
    options.binary_location = program
    flags = "headless=new no-sandbox disable-gpu disable-quic no-first-run disable-background-networking"
    for flag in (*flags.split(), "disable-component-update", "disable-sync", "disable-dev-shm-usage"):
        options.add_argument(f"--{flag}")
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('chromium')}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    session = selenium.Chrome(options=options, service=selenium.ChromeService(driver))
    yield session
    session.quit()


@pytest.fixture
def page(browser, tmp_path):
    (tmp_path / "report.html").write_text(make_page(STAMP), encoding="utf-8")
    set_size(browser, 1280, 900)
    browser.get((tmp_path / "report.html").as_uri())
    browser.execute_script("document.documentElement.style.scrollBehavior = 'auto'")
    yield browser
    assert browser.get_log("browser") == []


def set_size(browser, width, height):
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def find(page, selector):
    return page.find_element("css selector", selector)


def find_all(page, selector):
    return page.find_elements("css selector", selector)


def press(page, *keys):
    from selenium.webdriver import ActionChains, Keys

    for key in keys:
        ActionChains(page).send_keys(getattr(Keys, key, key)).perform()


def focused(page):
    return page.execute_script("return document.activeElement")


def list_models(page):
    return [cell.text for cell in find_all(page, "#table4 tbody th") if cell.is_displayed()]


def test_a_page_asks_the_network_for_nothing(page):
    page.get_log("performance")
    page.refresh()
    messages = [json.loads(entry["message"])["message"] for entry in page.get_log("performance")]
    asked = [each["params"]["request"]["url"] for each in messages if each["method"] == "Network.requestWillBeSent"]
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert any(url.endswith("report.html") for url in asked)


def test_a_heading_sorts_numbers_from_the_largest_with_gaps_last_and_then_gives_the_order_back(page):
    assert list_models(page) == BEST_FIRST
    head = find(page, "#table4 thead th:nth-child(3)")
    find(page, "#table4 thead th:nth-child(3) button").click()
    assert head.get_attribute("aria-sort") == "descending"
    assert list_models(page) == ["tiny-0.5-16", "tiny-1-16", "tiny-0.5-8", "tiny-0.25-16"]
    press(page, "ENTER")
    assert head.get_attribute("aria-sort") == "ascending"
    assert list_models(page) == ["tiny-0.25-16", "tiny-0.5-8", "tiny-1-16", "tiny-0.5-16"]
    press(page, "SPACE")
    assert head.get_attribute("aria-sort") is None
    assert list_models(page) == BEST_FIRST
    find(page, "#table4 thead th:nth-child(2) button").click()
    press(page, "ENTER")
    assert list_models(page) == ["tiny-0.5-16", "tiny-0.25-16", "tiny-1-16", "tiny-0.5-8"]


def test_texts_sort_by_the_numbers_in_them(page):
    find(page, "#table4 thead th button").click()
    assert list_models(page) == ["tiny-0.25-16", "tiny-0.5-8", "tiny-0.5-16", "tiny-1-16"]


def test_a_filter_keeps_the_rows_that_hold_every_word_and_counts_them(page):
    def list_rows():
        return [cell.text for cell in find_all(page, "#metrics tbody > tr > :first-child") if cell.is_displayed()]

    find(page, "#metrics input").send_keys("TINY-1 18.1")
    assert find(page, "#metrics output").text == "2 of 48 rows"
    assert list_rows() == ["tiny-17", "tiny-18"]
    find(page, "#metrics input").clear()
    find(page, "#metrics input").send_keys("tiny-4")
    find(page, "#metrics thead th:nth-child(2) button").click()
    assert list_rows() == [*(f"tiny-{number}" for number in range(47, 39, -1)), "tiny-4"]
    find(page, "#metrics input").send_keys(" no such row")
    assert find(page, "#metrics output").text == "0 of 48 rows"
    press(page, "ESCAPE")
    assert find(page, "#metrics output").text == "48 of 48 rows"


def test_only_tables_of_ten_rows_or_more_have_a_filter(page):
    assert find_all(page, "#table4 input") == []
    assert len(find_all(page, "#metrics input")) == 1


def test_a_long_table_scrolls_with_the_page_and_never_within_it(page):
    heights = "return [...document.querySelectorAll('.scroll')].map((box) => box.scrollHeight - box.clientHeight)"
    assert set(page.execute_script(heights)) == {0}


def test_the_contents_point_out_what_is_being_read(page):
    assert find(page, "#contents [aria-current]").text == "Answer"
    page.execute_async_script(
        "addEventListener('scroll', () => setTimeout(arguments[0]), {once: true});"
        "document.querySelectorAll('#metrics tbody tr')[30].scrollIntoView()"
    )
    assert find(page, "#contents [aria-current]").text == "All metrics"


@pytest.mark.parametrize("way", ["escape", "button", "backdrop"])
def test_a_cell_opens_its_explanation_and_gets_the_focus_back(page, way):
    assert len(find_all(page, ".why")) == len(make_explanations())
    page.execute_script("arguments[0].focus()", find_all(page, ".why")[1])
    press(page, "ENTER")
    dialog = find(page, "dialog")
    assert dialog.get_attribute("open") is not None
    assert find(page, "dialog h2").text == "tiny-1-16, split 60/20/20"
    assert [find(page, f"dialog {tag}").text for tag in ("dt", "dd")] == ["Chosen", "0.1"]
    find(page, "dialog thead th:nth-child(2) button").click()
    find(page, "dialog thead th:nth-child(2) button").click()
    assert [cell.text for cell in find_all(page, "dialog td")] == ["90.0", "90.1", "90.2", "-"]
    match way:
        case "escape":
            press(page, "ESCAPE")
        case "button":
            find(page, "dialog .close").click()
        case "backdrop":
            from selenium.webdriver import ActionChains

            ActionChains(page).move_by_offset(5, 5).click().perform()
            ActionChains(page).move_by_offset(-5, -5).perform()
    assert dialog.get_attribute("open") is None
    assert focused(page) == find_all(page, ".why")[1]


def test_a_mark_tells_its_numbers_once_on_hover(page):
    from selenium.webdriver import ActionChains

    ActionChains(page).move_to_element(find_all(page, "#figure-costs .mark")[1]).perform()
    assert find(page, "#tooltip").text == MARKS[1]
    assert find_all(page, "#figure-costs title") == []
    ActionChains(page).move_to_element(find(page, "h1")).perform()
    assert not find(page, "#tooltip").is_displayed()


def test_a_figure_is_one_tab_stop_and_arrows_lead_through_its_marks(page):
    assert len(find_all(page, '#figure-costs [tabindex="0"]')) == 1
    page.execute_script("document.querySelector('#figure-costs .mark').focus()")
    assert find(page, "#tooltip").text == MARKS[0]
    press(page, "ARROW_RIGHT", "ARROW_DOWN", "ARROW_RIGHT")
    assert find(page, "#tooltip").text == MARKS[2]
    press(page, "HOME")
    assert find(page, "#tooltip").text == MARKS[0]
    press(page, "ESCAPE")
    assert not find(page, "#tooltip").is_displayed()
    press(page, "TAB")
    assert focused(page) == find(page, "#figure-curves .mark")


def test_the_first_tab_stop_leads_past_the_contents(page):
    press(page, "TAB")
    assert focused(page).text == "Skip to the tables and figures"
    press(page, "ENTER", "TAB")
    assert focused(page) == find(page, "#table4 .sort")


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])
def test_the_first_screen_holds_the_answer_and_the_beginning_of_its_picture(page, width, height):
    set_size(page, width, height)
    bottoms = "return [...arguments].map((each) => each.getBoundingClientRect().bottom)"
    seen = [find(page, selector) for selector in ("h1", ".lead", "#figure-best .mark")]
    assert max(page.execute_script(bottoms, *seen)) < height


def test_the_theme_button_says_what_it_does(page):
    button = find(page, "#theme")
    assert button.text == "Dark"
    button.click()
    assert button.text == "Light"


def read_brightness(page):
    colour = page.execute_script("return getComputedStyle(document.body).backgroundColor")
    return sum(int(part) for part in re.findall(r"\d+", colour)[:3]) / 3


def test_a_page_follows_the_system_until_the_reader_chooses(page):
    dark = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    assert read_brightness(page) > 200
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", dark)
    assert read_brightness(page) < 60
    find(page, "#theme").click()
    assert read_brightness(page) > 200
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    find(page, "#theme").click()
    assert read_brightness(page) < 60
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert read_brightness(page) > 200
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


COUNT_FOLDED = "document.querySelectorAll('details:not([open])').length"


def test_a_page_prints_folded_tables_too_and_folds_them_again(page):
    folded = page.execute_script(f"return {COUNT_FOLDED}")
    assert folded > 0
    page.execute_script(f"addEventListener('beforeprint', () => {{ window.foldedInPrint = {COUNT_FOLDED}; }})")
    printed = base64.b64decode(page.execute_cdp_cmd("Page.printToPDF", {})["data"])
    assert printed.startswith(b"%PDF")
    assert page.execute_script("return window.foldedInPrint") == 0
    assert page.execute_script(f"return {COUNT_FOLDED}") == folded


def test_a_phone_scrolls_tables_but_not_the_page(page):
    set_size(page, 375, 700)
    overflow = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.execute_script(overflow) == 0
    box = find(page, "#metrics .scroll")
    assert page.execute_script("return arguments[0].scrollWidth > arguments[0].clientWidth", box)
    assert page.execute_script("return document.querySelector('#contents details').open") is False
    page.execute_script("arguments[0].click()", find_all(page, ".why")[0])
    assert page.execute_script(overflow) == 0


def test_a_link_to_a_folded_table_unfolds_it(page):
    find(page, '#contents a[href="#trials"]').click()
    assert find(page, "#trials tbody th").is_displayed()


def test_a_page_without_scripts_shows_all_tables_and_no_controls(page):
    page.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    page.refresh()
    try:
        assert list_models(page) == BEST_FIRST
        assert [each for each in find_all(page, "button, input") if each.is_displayed()] == []
    finally:
        page.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
