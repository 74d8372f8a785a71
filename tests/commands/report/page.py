"""What tests ask of a report's list of images, and an image's name of all sorts."""

NASTY = "<img src=x onerror=alert(1)> #1 %41 [bold]"
SUB = f"of one's own/{NASTY}"


def ids(watched):
    return watched.texts("[data-images='0'] .open b")


def heading(watched, words):
    return watched.page.locator("[data-images='0'] .images thead button", has_text=words)
