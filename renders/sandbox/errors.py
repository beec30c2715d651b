class SandboxError(Exception):
    """The sandbox cannot start or go on; the message says why and what to do."""
