"""The columns beyond context, question and answers as a table of people, and its risk."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from kubepipe.privacy.assess.columns import Column, Role
from kubepipe.privacy.assess.table import TableRisk, table_risk
from kubepipe.settings.privacy import PrivacySettings

_CODE: Final = "I"


@dataclass(slots=True)
class PeopleTable:
    """Values of the further columns, a row a question; four bytes a value, for the columns keep what the codes mean.

    Attributes:
        policy: Says which columns are quasi-identifiers and which are sensitive; what it leaves open is detected.
        columns: By name.
    """

    policy: PrivacySettings
    columns: dict[str, Column] = field(default_factory=dict)
    _rows: dict[str, array[int]] = field(default_factory=dict)
    _passages: array[int] = field(default_factory=lambda: array(_CODE))

    def add(self, passage: int, values: Mapping[str, tuple[str, frozenset[Any]]]) -> None:
        """Take in the further columns of a question.

        Args:
            passage: Number of its passage.
            values: Value and classes of the entities in it, by column.
        """
        for name, (value, classes) in values.items():
            column = self.columns.setdefault(name, Column(name, self._declared(name)))
            code = column.add(value, classes)
            codes = self._rows.setdefault(name, array(_CODE))
            _fill(codes, len(self._passages))
            codes.append(code)
        self._passages.append(passage)

    def risk(self) -> TableRisk | None:
        """Risk of the table, or None without quasi-identifiers.

        A record is what is different within a passage: five questions on one person's file are one record, not five
        people who look alike.
        """
        quasi = self._chosen(self.policy.quasi_identifiers, "quasi")
        sensitive = self._chosen(self.policy.sensitive_columns, "sensitive")
        if not quasi:
            return None
        columns = [self._filled(name) for name in (*quasi, *sensitive)]
        records = list(dict.fromkeys(zip(self._passages, *columns, strict=True)))
        by_column = list(zip(*records, strict=True))[1:]
        values: dict[str, Sequence[Any]] = dict(zip((*quasi, *sensitive), by_column, strict=True))
        for name in sensitive:
            values[name] = self._ordered(self.columns[name], values[name])
        return table_risk(values, quasi, sensitive)

    def with_role(self, role: Role) -> list[str]:
        """Names of the columns of a role that hold anything."""
        return sorted(name for name, column in self.columns.items() if column.rows and column.role() == role)

    def absent(self) -> list[str]:
        """Columns that the policy declares and the data does not have."""
        declared = (*self.policy.quasi_identifiers, *self.policy.sensitive_columns)
        return sorted(name for name in set(declared) if name not in self.columns or not self.columns[name].rows)

    def document(self, found: TableRisk | None) -> dict[str, Any] | None:
        """The risk as JSON values (part of schema `risk-report`); None without quasi-identifiers.

        Args:
            found: What `risk` found.
        """
        if found is None:
            return None
        declared = "declared" if self.policy.quasi_identifiers else "detected"
        return {"chosen": declared, "absent": self.absent(), **found.document()}

    def _chosen(self, declared: Sequence[str], role: Role) -> list[str]:
        """Columns that the policy declares; those that look so when it declares none."""
        return [name for name in self.with_role(role) if not declared or name in declared]

    def _declared(self, name: str) -> Role | None:
        if name in self.policy.quasi_identifiers:
            return "quasi"
        if name in self.policy.sensitive_columns:
            return "sensitive"
        return None

    def _filled(self, name: str) -> array[int]:
        _fill(self._rows[name], len(self._passages))
        return self._rows[name]

    @staticmethod
    def _ordered(column: Column, codes: Sequence[int]) -> Sequence[Any]:
        """Numbers where all values are numbers, since closeness then has an order; else the codes as words."""
        figures = column.figures
        if 0 in codes or any(figure is None for figure in figures):
            return [str(code) for code in codes]
        return [figures[code - 1] for code in codes]


def _fill(codes: array[int], length: int) -> None:
    """Rows that had no value of the column have the code 0."""
    codes.extend([0] * (length - len(codes)))
