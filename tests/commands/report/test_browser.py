"""The report as a reader uses it, in headless Chromium: sorting, filtering, print, nothing from the network."""

import pytest

from tests.commands.browser import Watched
from tests.commands.report.page import SUB, heading, ids


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


def test_it_prints_light_and_without_controls(browser, small):
    watched = Watched(browser, small, 740, "dark")  # A4 upright has about as many
    assert watched.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(23, 22, 20)"
    watched.page.emulate_media(media="print")
    assert watched.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not watched.page.locator(".controls").first.is_visible()
    assert watched.page.evaluate("document.documentElement.scrollWidth") <= 740
    watched.page.close()
