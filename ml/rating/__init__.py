"""The one place that knows prices: quote, forecast, recommendation and bill all call it.

In: price terms (`catalogue`) and usage per meter. Out: lines in money (`rate`, `rerate`) or float costs for simulation
(`twin`). It reads no usage, stores nothing, knows no taxes, and prorates nothing. A new charge model is one file beside
`per_unit.py` and its entry in `charges.py`.
"""
