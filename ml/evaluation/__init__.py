"""Backtests: how good forecasts and advice have been on usage that they did not know."""
