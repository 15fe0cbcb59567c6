"""``/projects/…/items`` and ``…/account``: what counts against a project, and its account."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from sqlalchemy.orm import Session

from registry import project_accounts, project_items
from registry.errors import InvalidValueError, NotFoundError, NotPermittedError
from registry.people import ActorView
from registry.project_accounts import AccountView
from registry.project_items import ItemReplacedError, ItemView
from registry.reads import projects as reads
from registry.unit_errors import RunNotUsableError
from web.api.endpoints import Act, Noun, Read


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemQuery:
    """Rows of a project; with ``history`` also those replaced or withdrawn."""

    project_id: UUID
    history: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Items:
    """Rows by year."""

    items: list[ItemView]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountQuery:
    """A project's account: forecast before, or monitored after, over the years of a run."""

    project_id: UUID
    kind: Literal["forecast", "monitored"] = "forecast"
    run_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawProjectItem(project_items.WithdrawItem):
    """Take back a row of one project."""

    project_id: UUID


def items(session: Session, who: ActorView, query: ItemQuery) -> Items:
    """Return what counts against a project in sight."""
    reads.project(session, who, reads.ProjectById(project_id=query.project_id))
    found = project_items.listing(session, query.project_id, history=query.history)
    return Items(items=found)


def account(session: Session, who: ActorView, query: AccountQuery) -> AccountView:
    """Return the account of a project in sight.

    Raises
    ------
    NotFoundError : there is no such project in sight, or it has no run of the kind.
    """
    reads.project(session, who, reads.ProjectById(project_id=query.project_id))
    found = project_accounts.account(
        session, query.project_id, kind=query.kind, run_id=query.run_id
    )
    if found is None:
        raise NotFoundError(what="assessment_run", id=query.kind)
    return found


def guard_item(session: Session, who: ActorView, command: project_items.RecordItem) -> None:
    """Refuse rows of another county's project."""
    reads.require_writer(session, who, command.project_id)


def guard_withdraw(session: Session, who: ActorView, command: WithdrawProjectItem) -> None:
    """Refuse to take back what belongs to another project."""
    reads.require_writer(session, who, command.project_id)
    known = {one.id for one in project_items.listing(session, command.project_id, history=True)}
    if command.item_id not in known:
        raise NotFoundError(what="project_item", id=command.item_id)


_WRITES = (InvalidValueError, NotFoundError, NotPermittedError, ItemReplacedError)

NOUN = Noun(
    name="project_accounts",
    title=("项目核算", "Accounts of projects"),
    endpoints=(
        Act(
            name="record_project_item",
            rule="/projects/<uuid:project_id>/items",
            permission="period:open",
            command=project_items.RecordItem,
            verb=project_items.record,
            summary=("登记基线、排放、泄漏", "Enter what counts against a project, with evidence"),
            raises=_WRITES,
            status=201,
            guard=guard_item,
        ),
        Act(
            name="withdraw_project_item",
            rule="/projects/<uuid:project_id>/items/<uuid:item_id>/withdrawal",
            permission="period:open",
            command=WithdrawProjectItem,
            verb=project_items.withdraw,
            summary=("撤回一条明细", "Take a row back; the record keeps it"),
            raises=_WRITES,
            guard=guard_withdraw,
        ),
        Read(
            name="list_project_items",
            rule="/projects/<uuid:project_id>/items",
            permission="period:read",
            query=ItemQuery,
            read=items,
            summary=("项目明细", "What counts against a project, by year"),
            raises=(NotFoundError,),
        ),
        Read(
            name="get_project_account",
            rule="/projects/<uuid:project_id>/account",
            permission="period:read",
            query=AccountQuery,
            read=account,
            summary=("项目核算", "A project's account by year, line by line"),
            raises=(NotFoundError, RunNotUsableError),
        ),
    ),
)
