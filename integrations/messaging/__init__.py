"""Mails to companies: planned under keys made of facts, rendered without a clock, sent through a chosen transport."""
