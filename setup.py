"""The one build step that pyproject.toml cannot say: the YAMLs of configs/ travel in the wheel as mars_pl/configs."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithConfigs(build_py):
    """Copy the YAMLs beside the modules; an editable install finds them where they are."""

    def run(self) -> None:
        """Build the packages, then their configs anew: one that was deleted must not come from an earlier build."""
        super().run()
        if self.editable_mode:
            return
        target = Path(self.build_lib, "mars_pl", "configs")
        shutil.rmtree(target, ignore_errors=True)
        for path in shipped():
            copy = target / path.relative_to("configs")
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)

    def get_source_files(self) -> list[str]:
        """Name the YAMLs too, so that a source archive holds what a wheel is built from."""
        return [*super().get_source_files(), *map(str, shipped())]


def shipped() -> list[Path]:
    """Return every YAML of configs/, folders within folders too."""
    return sorted(Path("configs").rglob("*.yaml"))


setup(cmdclass={"build_py": BuildWithConfigs})
