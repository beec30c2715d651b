"""A user's project in the sandbox: its function, its bundle, its compositions."""

import time
from pathlib import Path

from renders.remotion.compositions import Composition, list_compositions
from renders.remotion.errors import RemotionError
from renders.sandbox.api_client import ApiClient
from renders.sandbox.aws import Sandbox
from renders.sandbox.errors import SandboxError
from renders.sandbox.functions import install_function, installed_version
from renders.sandbox.project import Project
from renders.sandbox.project_demo import choose, describe, find_renderables, render_first
from renders.sandbox.site import Site
from renders.sandbox.steps import Say
from renders.sandbox.toolchain import Toolchain
from renders.sandbox.web_service import WebService


class ProjectSession:
    """What the sandbox does for a project, from its first bundle to each one after a source file was saved."""

    def __init__(self, project: Project, toolchain: Toolchain, *, say: Say) -> None:
        self.project = project
        self._toolchain = toolchain
        self._say = say
        self.site = Site(project.site, toolchain.folder / "projects" / project.site)

    def install_function(self) -> Path:
        """Return the ``node_modules`` with the function of the project's version, which is installed once."""
        version, toolchain = self.project.version, self._toolchain
        if installed_version(toolchain.node_modules) == version:
            return toolchain.node_modules
        return install_function(version, toolchain.folder / "versions", self._say)

    def bundle(self) -> None:
        """Bundle the project; raise SandboxError if it does not."""
        log = self._toolchain.logs / f"project-{self.project.site}.log"
        started_at = time.monotonic()
        self._say(f"Bundling {self.project.folder} with its own Remotion {self.project.version} …")
        self.project.bundle(self.site.folder, public_path=self.site.public_path, log=log)
        self._say(f"  done in {time.monotonic() - started_at:.0f} s")

    def render(self, sandbox: Sandbox, web: WebService, *, composition: str, once: bool) -> Path | None:
        """Make templates of the compositions, render one, and print the request for each. Raise SandboxError.

        A render that fails is said only, and None returned, unless the sandbox ends with it (``once``).
        """
        web.manage("sync_templates")
        api = ApiClient(web.url)
        renderables = find_renderables(api, self._compositions(sandbox))
        chosen = choose(renderables, composition)
        self._say(f"Rendering {chosen.composition.id} through POST /api/renders/ …")
        output = None
        try:
            output = render_first(api, chosen, folder=self._toolchain.folder, say=lambda text: self._say(f"  {text}"))
        except SandboxError as err:
            if once:
                raise
            self._say(f"  {err}")
        self._say(f"\nCompositions of {self.project.folder}:\n{describe(renderables, url=web.url)}")
        return output

    def bundle_again(self, sandbox: Sandbox, web: WebService, saved: set[Path]) -> None:
        """Bundle and publish what was saved; a project that does not bundle stays as it was, which is said."""
        names = ", ".join(sorted(path.relative_to(self.project.folder).as_posix() for path in saved))
        self._say(f"Saved {names}.")
        try:
            self.bundle()
            sandbox.upload_site()
            web.manage("sync_templates", "--raise-versions")  # so that no render of the old code is reused
            self._say("Published: the next render uses it.")
        except SandboxError as err:
            self._say(f"{err}\nRenders use the last bundle until the next save.")

    def _compositions(self, sandbox: Sandbox) -> list[Composition]:
        """Return the compositions in the project's order, which templates do not have."""
        try:
            return list_compositions(sandbox.target(), serve_url=sandbox.serve_url, input_props={})
        except RemotionError as err:
            raise SandboxError(f"The compositions of {self.project.folder} cannot be listed: {err}") from err
