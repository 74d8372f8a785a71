"""The report's viewer in headless Chromium: keys, layers, strips, and pictures loaded when they are looked at."""

import json
from urllib.parse import unquote

import pytest

from tests.commands.browser import Watched
from tests.commands.report.page import NASTY, SUB, heading, ids


@pytest.mark.parametrize("width", [1400, 420])
def test_keys_open_go_on_toggle_and_close(browser, small, width):
    watched = Watched(browser, small, width)
    page = watched.page
    heading(watched, "image").click()
    page.keyboard.press("Tab")
    while page.evaluate("!document.activeElement.classList.contains('open')"):
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.innerText").startswith(SUB), "one stop for all rows, the first"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    dialog = page.locator("dialog")
    assert dialog.locator("h2").inner_text() == "scene_00000"
    assert "train" in dialog.locator(".names").inner_text()
    page.keyboard.press("ArrowRight")
    assert dialog.locator("h2").inner_text() == "scene_00001"
    pressed = dialog.locator(".bar .group").first.locator("button[aria-pressed=true]")
    before = pressed.count()
    page.keyboard.press("3")
    assert abs(pressed.count() - before) == 1
    page.keyboard.press("s")
    assert dialog.locator(".panes.side").count() == (width < 760)
    page.keyboard.press("+")
    assert page.evaluate("getComputedStyle(document.querySelector('.panes')).getPropertyValue('--zoom')") == "2"
    page.keyboard.press("0")
    page.keyboard.press("Escape")
    assert not dialog.is_visible()
    # the page hears of the closing in a later task of the browser, until then the focus is where it was before
    page.wait_for_function("document.activeElement.innerText.startsWith('scene_00001')")  # the last image seen
    assert watched.faults == []
    page.close()


def test_layers_are_toggled_blended_and_explained(browser, small):
    watched = Watched(browser, small, 1400)
    page = watched.page
    page.locator("[data-images='0'] .open").first.click()
    dialog = page.locator("dialog")
    captions = dialog.locator(".pane figcaption").all_inner_texts()
    assert ": IoU " in captions[2]
    assert [words.partition(":")[0] for words in captions] == [
        "image", "truth", "Yᵇ", "similarity to 𝒱ᶜ", "Yᵈᵇ", "Yᶜᵒ", "prediction",
    ]  # fmt: skip
    assert dialog.locator(".colour-bar").count() == 1
    dialog.get_by_role("button", name="similarity to 𝒱ᶜ").click()
    assert dialog.locator(".pane").count() == 6
    assert dialog.locator(".colour-bar").count() == 0, "the bar is of the map"
    dialog.get_by_role("button", name="side by side").click()
    assert dialog.locator(".pane").count() == 1
    dialog.get_by_label("blend").fill("0.25")
    over = dialog.locator(".pane img.over").first
    assert over.evaluate("image => getComputedStyle(image).opacity") == "0.25"
    grey = "getComputedStyle(document.querySelector('.pane img.image')).filter"
    assert "grayscale" in page.evaluate(grey)
    dialog.get_by_role("button", name="grey image").click()
    assert page.evaluate(grey) == "none"
    assert page.evaluate("[...document.querySelectorAll('.pane img')].every(image => image.naturalWidth > 0)")
    assert watched.faults == []
    page.close()


def test_strips_open_the_viewer_and_little_removed_means_it(browser, small):
    watched = Watched(browser, small, 1400)
    page = watched.page
    titles = watched.texts("[data-images='0'] .strips h3")
    assert titles[:3] == ["Worst", "Best", "Most removed"]
    told = json.loads(page.locator("#told").text_content())["sets"][0]
    for one in told["strips"]:
        if one["title"] == "Little removed":
            assert all(told["removed"][place] <= 0.05 for place in one["images"])
    strip = page.locator("[data-images='0'] button.strip").first
    assert strip.inner_text().strip().startswith(strip.locator("b").inner_text())
    strip.focus()
    page.keyboard.press("Enter")
    assert page.locator("dialog h2").inner_text() == strip.locator("b").inner_text()
    page.keyboard.press("Escape")
    assert strip.evaluate("element => element === document.activeElement")
    page.close()


def test_a_large_set_loads_what_is_looked_at(browser, large):
    watched = Watched(browser, large, 1400)
    page = watched.page
    page.wait_for_load_state("networkidle")
    assert len(watched.files) < 45, "not every picture of 45 images"
    assert page.locator("[data-images='0'] .pager").inner_text().replace("\n", " ") == "‹ before 1–20 of 45 after ›"
    page.get_by_role("button", name="after ›").click()
    assert len(ids(watched)) == 20
    page.locator("[data-images='0']").get_by_label("image").fill("onerror")
    page.locator(".open").first.click()
    page.wait_for_function("[...document.querySelectorAll('.pane img')].every(image => image.naturalWidth > 0)")
    assert any(NASTY in unquote(url) for url in watched.files), "a name of all sorts is a path nevertheless"
    assert watched.faults == []
    page.close()


def test_an_image_whose_pictures_were_not_kept_says_so(browser, large):
    watched = Watched(browser, large, 1400)
    page = watched.page
    told = json.loads(page.locator("#told").text_content())["sets"][0]
    [without] = [image_id for image_id, kept in zip(told["ids"], told["pictures"], strict=True) if kept is None]
    page.locator("[data-images='0']").get_by_label("image").fill(without)
    page.locator(".open").first.click()
    assert "No picture of this image was kept" in page.locator("dialog").inner_text()
    assert watched.faults == []
    page.close()
