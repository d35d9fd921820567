"""Backtests: how good the analysis and the recommendations were on data that they had not seen."""
