"""How a mail leaves the building: into a folder by default, by SMTP or SendGrid when told to go live."""

from integrations.messaging.transports.file import FileTransport, write_index
from integrations.messaging.transports.mail import Delivery, DeliveryState, MailTransport, OutgoingMail
from integrations.messaging.transports.sendgrid import SendGridTransport
from integrations.messaging.transports.settings import mail_sender, mail_transport
from integrations.messaging.transports.smtp import SmtpTransport

__all__ = [
    "Delivery",
    "DeliveryState",
    "FileTransport",
    "MailTransport",
    "OutgoingMail",
    "SendGridTransport",
    "SmtpTransport",
    "mail_sender",
    "mail_transport",
    "write_index",
]
