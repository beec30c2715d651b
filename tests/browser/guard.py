"""Sees what a page must not do: errors in the console, errors of scripts, requests to other hosts."""

from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Request, WebError

MEDIA = ("media", "image")
"""What may come from S3."""


class Guard:
    """Notes the faults of all pages of a browser's session, each as a sentence.

    ``server`` is the service's address, ``media`` that of S3.
    """

    def __init__(self, *, server: str, media: str = "") -> None:
        self.faults: list[str] = []
        self._server = urlsplit(server).netloc
        self._media = urlsplit(media).netloc

    def watch(self, context: BrowserContext) -> None:
        context.on("console", self._note_console)
        context.on("weberror", self._note_error)
        context.on("request", self._note_request)

    def _note_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            at = message.location.get("url", "")
            self._note(f"The console shows an error: {message.text} ({at})")

    def _note_error(self, error: WebError) -> None:
        self._note(f"A script failed: {error.error}")

    def _note_request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in {"http", "https", "ws", "wss"} or address.netloc == self._server:
            return
        if address.netloc != self._media or request.resource_type not in MEDIA:
            self._note(f"A {request.resource_type} was asked of another host: {request.url}")

    def _note(self, fault: str) -> None:
        if fault not in self.faults:
            self.faults.append(fault)
