"""Every error of the product.

    AppError
    ├── BadInput                the caller's data cannot be used             400
    │   ├── InputTooLarge                                                    413
    │   ├── InvalidField        one field of a well-formed body              422
    │   │   └── KeyReused       an idempotency key that has another body
    │   └── Unauthorized        a signature or token is wrong                401
    ├── NotFound                no such thing                                404
    │   └── ReportKept          a report came before its proposal
    ├── Conflict                it is in another state                       409
    │   ├── Fenced              the workflow belongs to another process
    │   └── ObjectBusy          another command runs on the same object
    ├── TooBusy                 a queue is full; come back later               429
    ├── ExternalFailed          something we depend on failed                502
    │   ├── ReasonerFailed      the model gave no usable answer
    │   │   └── ReasonerRefusedKey
    │   ├── LogSourceFailed
    │   ├── LogSourceTimedOut                                                504
    │   ├── ApprovalGateFailed
    │   │   └── ProposalRefused  it answers, and does not take this one
    │   │       └── ProposalDeclined  and never will
    │   ├── ClusterFailed       the cluster cannot be asked now                503
    │   └── WebhookFailed       a decision could not be reported yet
    │       └── WebhookRefused
    ├── StorageFailed           nothing was acknowledged                     503
    │   ├── FeedbackRewritten   between two looks at it
    │   └── StorageFull                                                      507
    └── StartupFailed           one line on the console, exit code 1

Messages are for users: one sentence, what to do, never a secret.
"""


class AppError(Exception):
    """Something went wrong that we can name."""


class BadInput(AppError):
    """The caller's data cannot be used."""


class InputTooLarge(BadInput):
    """The caller's data is over a limit."""


class InvalidField(BadInput):
    """One field of an otherwise well-formed request cannot be used."""

    kind = "value_error"
    """For programs; the message is for people."""

    def __init__(self, field: str, message: str) -> None:
        """Name the field by its path in the body."""
        super().__init__(message)
        self.field = field


class KeyReused(InvalidField):
    """An idempotency key came again with another body."""

    def __init__(self, first: str) -> None:
        """Name the request that the key belongs to."""
        super().__init__(
            "header.idempotency-key",
            "This Idempotency-Key came before with another body: send what is new under a new key.",
        )
        self.first = first


class Unauthorized(BadInput):
    """A signature or token is missing or wrong."""


class NotFound(AppError):
    """There is no such thing."""


class ReportKept(NotFound):
    """Nobody here knows what was reported on; the report is kept, and counts once somebody does."""


class Conflict(AppError):
    """The thing is in a state that does not allow this."""


class Fenced(Conflict):
    """The workflow belongs to another process now; whoever meets this stops quietly."""


class ObjectBusy(Conflict):
    """Another command is changing the same object; come back when it has ended."""


class TooBusy(AppError):
    """A bounded queue is full."""


class ExternalFailed(AppError):
    """Something that we depend on failed."""


class ReasonerFailed(ExternalFailed):
    """The reasoner gave no usable answer."""


class ReasonerRefusedKey(ReasonerFailed):
    """The model's provider refused the API key."""


class LogSourceFailed(ExternalFailed):
    """The log store refused or broke off."""


class LogSourceTimedOut(ExternalFailed):
    """The log store did not answer in time."""


class ApprovalGateFailed(ExternalFailed):
    """The approval server could not take a proposal; it will be tried again."""


class ProposalRefused(ApprovalGateFailed):
    """The approval server works, but did not take this proposal; others may pass."""


class ProposalDeclined(ProposalRefused):
    """The approval server will never take this proposal; trying again is useless."""


class ClusterFailed(ExternalFailed):
    """The cluster cannot be looked at now, so nothing about it can be decided."""


class WebhookFailed(ExternalFailed):
    """A decision could not be reported; it will be tried again."""


class WebhookRefused(WebhookFailed):
    """The receiver will never take this report; trying again is useless."""


class StorageFailed(AppError):
    """Nothing was written, so nothing was acknowledged."""


class FeedbackRewritten(StorageFailed):
    """The feedback was written anew between two looks at it; the next try finds its way."""


class StorageFull(StorageFailed):
    """The disk has no room; what was acknowledged is safe, nothing new is taken."""


class StartupFailed(AppError):
    """The product cannot start; the message says what to change."""
