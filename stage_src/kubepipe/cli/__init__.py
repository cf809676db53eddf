"""The `kubepipe` command."""
