"""Remotion's real Lambda function on one machine, without AWS.

``toolchain`` prepares Node's packages, Chromium and the site. ``aws`` stands in for S3 and Lambda,
``web_service`` is this service in front of it, ``demo`` renders an example through its API.
``node/`` holds the JavaScript: the Lambda API, its worker processes and the site.
"""
