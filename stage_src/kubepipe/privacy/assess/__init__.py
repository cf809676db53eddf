"""Privacy risk of a data set: how much personal data, whom it could single out, and in which columns."""

from kubepipe.privacy.assess.report import RiskReport, assess

__all__ = ["RiskReport", "assess"]
