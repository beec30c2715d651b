"""Remotion Lambda's protocol: start a render, read its progress, find its output.

Nothing here knows the ORM or an HTTP request. The version of Remotion is that of the package
``remotion-lambda``, which requirements.txt pins.
"""
