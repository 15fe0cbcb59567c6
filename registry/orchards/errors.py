"""Reasons for which an orchard account says no: one class a reason."""

from registry.errors import RegistryError


class OrchardExistsError(RegistryError):
    """The operator already has an account for this crop in this county."""

    code = "ORCHARD_EXISTS"


class PlotsInvalidError(RegistryError):
    """A boundary without plots, or with one parcel twice."""

    code = "ORCHARD_PLOTS_INVALID"


class PlotNotOrchardError(RegistryError):
    """The parcel is no orchard parcel, or not submitted or approved."""

    code = "ORCHARD_PLOT_NOT_ORCHARD"


class PlotTakenError(RegistryError):
    """The parcel stands in another orchard's account."""

    code = "ORCHARD_PLOT_TAKEN"


class PlantedTooLargeError(RegistryError):
    """More planted than the parcel measures."""

    code = "ORCHARD_PLANTED_TOO_LARGE"


class BoundaryDateError(RegistryError):
    """A boundary does not begin after the one before, or the year is before the first."""

    code = "ORCHARD_BOUNDARY_DATE"


class LineInvalidError(RegistryError):
    """A line lacks what its kind needs, or has an impossible value."""

    code = "ORCHARD_LINE_INVALID"


class LineReusedError(RegistryError):
    """A phone's line number came back with another content."""

    code = "ORCHARD_LINE_REUSED"


class LineReversedError(RegistryError):
    """The line was reversed before, or is itself a reversal."""

    code = "ORCHARD_LINE_REVERSED"


class BookClosedError(RegistryError):
    """The book of that year is submitted or approved: no line may be added."""

    code = "ORCHARD_BOOK_CLOSED"


class BookEmptyError(RegistryError):
    """There is nothing to submit."""

    code = "ORCHARD_BOOK_EMPTY"


class BenchmarkSourceError(RegistryError):
    """A county's value needs a source."""

    code = "ORCHARD_BENCHMARK_SOURCE"


class AppealTooLateError(RegistryError):
    """The verdict was replaced; the newest one is appealed."""

    code = "LABEL_REPLACED"


class VetoLiftedError(RegistryError):
    """The reason to withhold was lifted before."""

    code = "ORCHARD_VETO_LIFTED"


class RewardTwiceError(RegistryError):
    """The orchard-year has its voucher."""

    code = "REWARD_TWICE"


class RewardNotEarnedError(RegistryError):
    """The year earns nothing, for the reasons given."""

    code = "REWARD_NOT_EARNED"


class RewardSoldError(RegistryError):
    """The same ground and year are claimed under a crediting scheme."""

    code = "REWARD_SOLD"


class VoucherShortError(RegistryError):
    """The voucher holds less than is asked."""

    code = "VOUCHER_SHORT"


class VoucherExpiredError(RegistryError):
    """The voucher's last day is over, or not yet."""

    code = "VOUCHER_EXPIRED"
