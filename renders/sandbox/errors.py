class SandboxError(Exception):
    """The sandbox cannot go on; the message says why, and what to do."""
