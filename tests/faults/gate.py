"""A point in a call at which a process can be killed."""

import threading


class Gate:
    """Stops the start that carries the mark at one of its stages, until the harness lets it go on."""

    def __init__(self) -> None:
        self.stage, self.mark = "", b""
        self.reached = threading.Event()
        self.go_on = threading.Event()

    def arm(self, stage: str, mark: str) -> None:
        self.stage, self.mark = stage, mark.encode()
        self.reached.clear()
        self.go_on.clear()

    def pass_through(self, stage: str, body: bytes) -> None:
        if self.stage != stage or self.mark not in body:
            return
        self.stage = ""
        self.reached.set()
        self.go_on.wait(60)
