"""What handlers ask for by name is worked out in turn.

Litestar starts a task for each of several dependencies, in a task group: three times the work of the rest of its call.
Ours are at hand, or are statements of one transaction, which would have to wait for each other in any case.
"""

from typing import Any

from litestar._kwargs.cleanup import DependencyCleanupGroup
from litestar._kwargs.dependencies import resolve_dependency
from litestar._kwargs.kwargs_model import KwargsModel
from litestar.connection import ASGIConnection


def resolve_in_turn() -> None:
    """Have every application of this process do so; before its first request."""
    KwargsModel.resolve_dependencies = _resolve  # type: ignore[method-assign, assignment]


async def _resolve(
    model: KwargsModel, connection: ASGIConnection[Any, Any, Any, Any], kwargs: dict[str, Any]
) -> DependencyCleanupGroup:
    cleanup = DependencyCleanupGroup()
    for batch in model.dependency_batches:
        for dependency in batch:
            await resolve_dependency(dependency, connection, kwargs, cleanup)
    return cleanup
