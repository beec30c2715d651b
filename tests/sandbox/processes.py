import psutil


def wait_until_gone(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Those that are still there after a few seconds."""
    return psutil.wait_procs(processes, timeout=8)[1]
