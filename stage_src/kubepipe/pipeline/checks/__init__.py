"""What `kubepipe doctor --cluster` looks at: one module per kind of thing, each yields plain results."""

from kubepipe.pipeline.checks.model import Check
from kubepipe.pipeline.checks.order import check_cluster

__all__ = ["Check", "check_cluster"]
