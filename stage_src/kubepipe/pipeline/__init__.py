"""The graph as Kubeflow Pipelines components: compile it, run it on this machine, register it in a cluster."""
