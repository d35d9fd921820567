"""Forecasts of daily usage: experts that earlier windows weigh, and errors that were really made."""
