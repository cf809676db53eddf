"""Talking to an installed release from outside the cluster: submit, follow, fetch."""

from kubepipe.pipeline.remote.release import Release, find_release

__all__ = ["Release", "find_release"]
