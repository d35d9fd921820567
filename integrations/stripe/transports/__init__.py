"""How a meter event leaves the building: into a JSONL file by default, to Stripe when told to go live."""

from integrations.stripe.transports.file import FileBilling
from integrations.stripe.transports.settings import billing_transport
from integrations.stripe.transports.stripe import StripeBilling
from integrations.stripe.transports.submission import BillingTransport, Submission, SubmissionState

__all__ = ["BillingTransport", "FileBilling", "StripeBilling", "Submission", "SubmissionState", "billing_transport"]
