"""The report as a reader uses it, in headless Chromium: sorting, filtering, layers, keys, nothing from the network."""

import json
from urllib.parse import unquote

import pytest

from mars_pl.commands.report import command as report
from mars_pl.commands.report.images import data as images_data
from tests.commands.browser import Watched, chromium
from tests.fakes.fake_run import add_networks, make_run, rename_image

NASTY = "<img src=x onerror=alert(1)> #1 %41 [bold]"
SUB = f"of one's own/{NASTY}"


@pytest.fixture(scope="module")
def browser():
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A page with everything in one file: six images, one with a name of all sorts in a folder of its own."""
    run = make_run(tmp_path_factory.mktemp("small"), images=6)
    add_networks(run)
    rename_image(run, "scene_00005", SUB)
    report.main([str(run), "--gallery", "6"])
    return run / "report.html"


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A page whose pictures lie beside it, for it has more images than one file holds."""
    run = make_run(tmp_path_factory.mktemp("large"), images=45)
    rename_image(run, "scene_00000", SUB)
    kept, images_data.EMBEDDED = images_data.EMBEDDED, 10
    report.main([str(run), "--gallery", "0", "--pictures", "44"])
    images_data.EMBEDDED = kept
    return run / "report.html"


def ids(watched):
    return watched.texts("[data-images='0'] .open b")


def heading(watched, words):
    return watched.page.locator("[data-images='0'] .images thead button", has_text=words)


@pytest.mark.parametrize("width", [1400, 420])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_opens_without_a_fault_and_nothing_is_wider_than_the_window(browser, small, width, scheme):
    watched = Watched(browser, small, width, scheme)
    watched.page.wait_for_load_state("networkidle")
    assert watched.faults == []
    assert len(watched.files) == 1, "the page is one file"
    assert len(ids(watched)) == 6
    assert watched.page.evaluate("document.documentElement.scrollWidth") <= width
    paper = watched.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (paper == "rgb(251, 250, 247)") == (scheme == "light")
    watched.page.close()


def test_every_heading_sorts_both_ways(browser, small):
    watched = Watched(browser, small, 1400)
    for place, words in enumerate(["IoU %", "FP", "FN", "removed", "restored"]):
        column = f"[data-images='0'] .images tbody td:nth-child({place + 3})"
        found = []
        for _ in range(2):
            heading(watched, words).click()
            direction = watched.page.locator("[data-images='0'] .images th[aria-sort]").get_attribute("aria-sort")
            values = [float(text.removesuffix(" %")) for text in watched.texts(column)]
            assert values == sorted(values, reverse=direction == "descending"), words
            found.append(direction)
        assert set(found) == {"ascending", "descending"}
    heading(watched, "image").click()
    assert ids(watched) == [SUB, *(f"scene_{place:05d}" for place in range(5))]
    assert watched.faults == []
    watched.page.close()


def test_static_tables_sort_and_what_was_not_measured_stands_last(browser, small):
    watched = Watched(browser, small, 1400)
    table = watched.page.locator("table.classes-table")
    table.locator("thead tr").last.locator("button").nth(1).click()
    values = [float(text) for text in watched.texts("table.classes-table tbody td:nth-child(2)")]
    assert values == sorted(values, reverse=True)
    table.locator("thead tr").last.locator("button").first.click()
    names = watched.texts("table.classes-table tbody td:first-child")
    assert names == sorted(names)
    assert watched.page.evaluate("[[null, 1], [1, null]].map(([a, b]) => compare(a, b, 1))") == [1, -1]
    assert watched.page.evaluate("[[null, 1], [1, null]].map(([a, b]) => compare(a, b, -1))") == [1, -1]
    watched.page.close()


def test_filters_by_class_by_removal_and_by_name(browser, small):
    watched = Watched(browser, small, 1400)
    first = watched.page.locator("[data-images='0'] .controls")
    first.get_by_label("class").select_option(label="boat")
    assert ids(watched) == ["scene_00001"]
    first.get_by_label("class").select_option(label="all")
    first.get_by_label("removed").select_option("little")
    shares = [
        float(text.removesuffix(" %")) for text in watched.texts("[data-images='0'] .images tbody td:nth-child(6)")
    ]
    assert all(share <= 5 for share in shares)
    first.get_by_label("removed").select_option("")
    first.get_by_label("image").fill("ONERROR")
    assert ids(watched) == [SUB]
    assert "1 of 6 images" in first.inner_text()
    first.get_by_label("image").fill("nothing is called so")
    assert "no image is like that" in watched.page.locator("[data-images='0'] .pager").inner_text()
    assert watched.faults == []
    watched.page.close()


def test_figures_of_another_mask(browser, small):
    watched = Watched(browser, small, 1400)
    before = watched.texts("[data-images='0'] .images tbody td:nth-child(3)")
    watched.page.locator("[data-images='0']").get_by_label("figures of").select_option(label="Yᵇ")
    assert watched.texts("[data-images='0'] .images tbody td:nth-child(3)") != before
    networks = watched.page.locator("[data-images='1']").get_by_label("figures of")
    assert networks.locator("option").all_inner_texts() == ["baseline network", "MARS network"]
    assert len(watched.texts("[data-images='1'] .open b")) == 4
    watched.page.close()


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


def test_the_confusion_matrix_follows_its_choice(browser, small):
    watched = Watched(browser, small, 1400)
    place = watched.page.locator("#confusion")
    words = place.locator("select option").all_inner_texts()
    assert words == [
        "Yᵇ (train)", "Yᵈᵇ (train)", "Yᶜᵒ (train)", "prediction (train)",
        "baseline network (val)", "MARS network (val)",
    ]  # fmt: skip
    before = place.locator("tbody").inner_text()
    place.locator("select").select_option(label="Yᵇ (train)")
    assert place.locator("tbody").inner_text() != before
    assert len(place.locator("tbody tr").all()) == 7
    watched.page.close()


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


def test_it_prints_light_and_without_controls(browser, small):
    watched = Watched(browser, small, 740, "dark")  # A4 upright has about as many
    assert watched.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(23, 22, 20)"
    watched.page.emulate_media(media="print")
    assert watched.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not watched.page.locator(".controls").first.is_visible()
    assert watched.page.evaluate("document.documentElement.scrollWidth") <= 740
    watched.page.close()
