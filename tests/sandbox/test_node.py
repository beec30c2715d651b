import json
import subprocess
from http.client import HTTPConnection
from pathlib import Path

import pytest

from renders.sandbox.aws import Sandbox
from renders.sandbox.steps import NODE
from renders.sandbox.toolchain import SOURCES, Toolchain


@pytest.mark.system
def test_a_worker_refuses_a_temporary_folder_that_is_not_its_own(toolchain: Toolchain, tmp_path: Path) -> None:
    bystander = tmp_path / "bystander"
    bystander.touch()
    result = subprocess.run(
        [NODE, toolchain.app / "worker.cjs"], env={"TMPDIR": str(tmp_path)}, capture_output=True, check=False
    )
    assert result.returncode == 1
    assert b"A worker must have a TMPDIR of its own" in result.stderr
    assert bystander.exists()


FUNCTION_FILES = {
    "package.json": "{}",
    "dist/functions/aws-server-implementation.js": "exports.serverAwsImplementation = { deleteTmpDir() {} };",
    "dist/functions/index.js": "exports.handler = async () => {};",
    "node_modules/@remotion/lambda-client/index.js": (
        "exports.LambdaClientInternals = { awsImplementation: { getChromiumPath() {} } };"
    ),
}


TWO_INVOCATIONS = """
    const child = require("node:child_process").fork(process.argv[1], { serialization: "advanced" });
    let ended = 0;
    child.on("message", ({ type }) => {
      if (type === "ready" || (type === "end" && ++ended < 2)) {
        setTimeout(() => child.send({ requestId: "r", event: {}, deadline: 0 }), 100);
      } else if (type === "end") {
        setTimeout(() => child.disconnect(), 100);
      }
    });
    child.on("exit", (code) => console.log(`${ended} ended, status ${code}`));
"""
"""Starts a worker, which runs two invocations, one after the other."""


def start_worker(folder: Path, *, script: str = "", **changed: str) -> "subprocess.CompletedProcess[bytes]":
    """Start a worker with a function of these files; without ``script``, nobody listens to it, so that it ends."""
    for name, text in {**FUNCTION_FILES, **changed}.items():
        file = folder / "node_modules" / "@remotion" / "lambda" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    own = folder / "renderhub-worker-1"
    own.mkdir()
    (own / "own").touch()
    environment = {"TMPDIR": str(own), "SANDBOX_NODE_MODULES": str(folder / "node_modules")}
    command: list[str | Path] = [NODE, *(["-e", script] if script else []), SOURCES / "worker.cjs"]
    return subprocess.run(command, env=environment, capture_output=True, check=False)


class TestFunctionOfAnUnknownVersion:
    @pytest.mark.parametrize("name", ["deleteTmpDir", "getChromiumPath"])
    def test_is_not_loaded_if_a_part_to_replace_is_missing(self, tmp_path: Path, name: str) -> None:
        changed = {file: text.replace(f"{name}() {{}}", "") for file, text in FUNCTION_FILES.items()}
        changed["dist/functions/index.js"] = "console.error('loaded')"
        result = start_worker(tmp_path, **changed)
        assert f"function has no {name}: the sandbox".encode() in result.stderr
        assert b"loaded" not in result.stderr

    @pytest.mark.parametrize(
        "deletion",
        [
            'require("node:fs").unlinkSync(file)',
            'require("fs").rmSync(file, { force: true })',
            'require("fs").rm(file, () => {})',
            'require("fs/promises").unlink(file)',
        ],
    )
    def test_cannot_delete_what_is_not_its_own(self, tmp_path: Path, deletion: str) -> None:
        bystander = tmp_path / "bystander"
        bystander.touch()
        code = f"const file = {json.dumps(str(bystander))}; {deletion};"
        result = start_worker(tmp_path, **{"dist/functions/index.js": code})
        assert f"does not let Remotion's function delete {bystander}".encode() in result.stderr
        assert bystander.exists()

    def test_cannot_from_a_module_either(self, tmp_path: Path) -> None:
        bystander = tmp_path / "bystander"
        bystander.touch()
        code = f'import {{ rmSync }} from "node:fs"; rmSync({json.dumps(str(bystander))});'
        files = {"dist/functions/index.js": 'require("./module.mjs");', "dist/functions/module.mjs": code}
        assert b"does not let" in start_worker(tmp_path, **files).stderr
        assert bystander.exists()

    def test_deletes_its_own_files(self, tmp_path: Path) -> None:
        code = 'require("node:fs").rmSync(`${process.env.TMPDIR}/own`);'
        start_worker(tmp_path, **{"dist/functions/index.js": code})
        assert not (tmp_path / "renderhub-worker-1" / "own").exists()


def test_a_worker_outlives_what_is_written_after_the_answer_has_ended(tmp_path: Path) -> None:
    """A cancelled renderer does so; the worker may be running its next invocation by then."""
    code = """
        const late = (stream) => new Promise((resolve, reject) => {
          stream.write("late", (err) => (err ? reject(err) : resolve()));
        });
        exports.handler = async (event, stream) => {
          stream.end();
          setTimeout(late, 50, stream);
        };
    """
    result = start_worker(tmp_path, script=TWO_INVOCATIONS, **{"dist/functions/index.js": code})
    assert result.stdout == b"2 ended, status 0\n", result.stderr


@pytest.mark.system
def test_idle_connections_to_the_lambda_api_stay_open(sandbox: Sandbox) -> None:
    """A server that announces a time limit closes connections that a client is about to reuse."""
    connection = HTTPConnection(sandbox.lambda_url.removeprefix("http://"))
    connection.request("GET", "/")
    headers = connection.getresponse().headers
    connection.close()
    assert (headers["Connection"], headers["Keep-Alive"]) == ("keep-alive", None)
