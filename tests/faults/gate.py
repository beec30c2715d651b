"""A point in a call at which a process can be killed."""

import threading

TIME_LIMIT_SECONDS = 60


class Gate:
    """Stops the start that carries the mark at one of its stages, until the run lets it go on."""

    def __init__(self) -> None:
        self.stage, self.mark = "", b""
        self.reached = threading.Event()
        self.go_on = threading.Event()
        self.answered = threading.Event()
        """The caller has read the whole answer."""

    def arm(self, stage: str, mark: str) -> None:
        self.stage, self.mark = stage, mark.encode()
        for event in (self.reached, self.go_on, self.answered):
            event.clear()

    def pass_through(self, stage: str, body: bytes) -> bool:
        """Wait here if this is the start that is meant, and the stage; whether it is."""
        if self.stage != stage or self.mark not in body:
            return False
        self.stage = ""
        self.reached.set()
        self.go_on.wait(TIME_LIMIT_SECONDS)
        return True
