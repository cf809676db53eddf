"""What the chart's hooks do in a cluster; each is idempotent."""
