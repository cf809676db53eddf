"""KubePipe: privacy-first fine-tuning of question-answering models."""

__version__ = "0.1.0"
