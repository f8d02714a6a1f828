"""What one device and one source may ask for, and what may be sent; each number stands in the settings."""

from collections.abc import Callable
from typing import NamedTuple

from firstbell.gate.body import Pace
from firstbell.gate.source import Sources
from firstbell.gate.strangers import Strangers
from firstbell.kernel.budgets import Budgets
from firstbell.settings import Settings


class Limits(NamedTuple):
    """The limits of one worker, in the order in which a request meets them."""

    devices: Budgets
    sources: Sources
    strangers: Strangers
    pace: Pace
    form_bytes_max: int
    answer_stall_s: float


def limits_of(settings: Settings, size_of: Callable[[bytes], float], names_missed: Callable[[bytes], int]) -> Limits:
    """The limits as the settings have them; the functions are those of `Strangers`."""
    return Limits(
        devices=Budgets(
            per_s=settings.device_requests_per_second,
            burst=settings.device_requests_max,
            keys_max=settings.devices_max,
        ),
        sources=Sources(settings.trusted_proxies),
        strangers=Strangers(
            size_of=size_of,
            names_missed=names_missed,
            per_person_s=settings.strangers_per_second,
            least_per_s=settings.strangers_per_second_min,
            guessed_share=settings.sprayed_share,
            guessed_min=settings.sprayed_names_min,
            sources_max=settings.stranger_sources_max,
        ),
        pace=Pace(settings.body_grace_ms / 1_000, settings.body_bytes_per_second_min),
        form_bytes_max=settings.form_bytes_max,
        answer_stall_s=settings.answer_stall_seconds,
    )
