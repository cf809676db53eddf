"""The parts of the page, one module each; every part copes with a run that did not get there."""
