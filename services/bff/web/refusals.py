"""The one refusal of the screens and its status over HTTP."""

from services.bff.application.gathering import CallerRefused
from services.chassis.errors import Unauthenticated
from services.chassis.problems import Refusals

REFUSALS: Refusals = {
    CallerRefused: lambda _: Unauthenticated("the session of this access token has ended"),
}
