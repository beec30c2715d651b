"""Remotion's real Lambda function on one machine, without AWS.

``toolchain`` prepares what it needs, ``stack`` runs S3, Lambda and the web service, ``child_process``
makes sure that nothing outlives its parent, ``demo`` renders an example through the API.
"""
