"""The commands that a page shows in its ```sh blocks."""

import re
import shlex

FENCE = re.compile(r"^```(?:sh|bash|shell|console)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def commands(text):
    """The `make` and `mars` commands in the fenced blocks, lines joined at a backslash, without prompt and comment."""
    found = []
    for block in FENCE.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            for part in re.split(r"&&|;|\|", re.sub(r"(^|\s)#.*", "", line).strip().removeprefix("$ ")):
                words = shlex.split(part)
                while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
                    words = words[1:]
                if words and words[0].rsplit("/", 1)[-1] in ("make", "mars"):
                    found.append([words[0].rsplit("/", 1)[-1], *words[1:]])
    return found
