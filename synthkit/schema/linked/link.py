"""A foreign key: the columns, the table it points to, and what a row of that table is to this one."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

LinkKind = Literal["owner", "implied", "earlier", "reference", "shared", "peer"]


class Link(BaseModel):
    """A foreign key of a table.

    - `owner`: the row this one belongs to; one a table, and only the table of the units has none.
    - `implied`: the key of an owner further up, repeated in the row (the patient beside the admission).
    - `earlier`: another row of the same unit that began before (the open admission of a lab; the previous transfer).
    - `reference`: a row of a public catalogue, which is the same for everybody.
    - `shared`: a row that several units have in common (a provider); such tables are not public.
    - `peer`: a row of another unit (the mother of a newborn).

    Args:
        columns: columns of this table that hold the key.
        to: the table it points to.
        kind: what a row there is to a row here.
        max_rows_per_owner: most rows of this table that one owner has; public.
        open: for `earlier`, whether the row pointed to is still going on when this one happens.
        public: for `peer`, whether who is linked to whom is public knowledge.
        observed: whether the link was found in the data rather than declared.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    columns: Annotated[tuple[str, ...], Field(min_length=1)]
    to: str
    kind: LinkKind
    max_rows_per_owner: Annotated[int, Field(ge=1)] | None = None
    open: bool = False
    public: bool = False
    observed: bool = False

    @model_validator(mode="after")
    def _keys_of_its_kind(self) -> Link:
        for key, kind in (("max_rows_per_owner", "owner"), ("open", "earlier"), ("public", "peer")):
            if getattr(self, key) and self.kind != kind:
                msg = f"`{key}` belongs to a link of kind {kind}; however: this one is {self.kind}. Take the key out"
                raise ValueError(msg)
        return self


class RowOrder(BaseModel):
    """When a row of a table happens.

    Args:
        start: (YAML: `from`) moment or number at which the row happens, or begins.
        until: moment or number at which it ends; rows of one owner then do not overlap, if `overlap` is not set.
        overlap: whether a row may begin before the one before it has ended.
        before_owner: whether a row may happen before the row it belongs or points to, as dates of orders do that are
            written before the admission.
        observed: whether the order was found in the data rather than declared.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    start: str = Field(alias="from")
    until: str | None = None
    overlap: bool = False
    before_owner: bool = False
    observed: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """The one or two columns."""
        return (self.start,) if self.until is None else (self.start, self.until)

    @model_validator(mode="after")
    def _two_columns(self) -> RowOrder:
        if self.until == self.start:
            msg = f"`until` must be another column than `from`; however: both are `{self.start}`. Take `until` out"
            raise ValueError(msg)
        if self.overlap and self.until is None:
            msg = "`overlap` is about rows that last; however: there is no `until`. Name it, or take `overlap` out"
            raise ValueError(msg)
        return self
