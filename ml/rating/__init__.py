"""The one place that knows prices: quote, forecast, recommendation and bill all call it.

In: price terms (`catalogue`, `plan`, and `contract` for what one company agreed) and usage per meter. Out: lines in
money (`rate` for a period, `rerate` for the difference to what was booked), or float costs for simulation (`twin`).
Beside them: parts of periods (`spans`, `proration`), limits and features (`limits`), credits (`credits`,
`credit_terms`), and what is odd about a price list (`lint`). It reads nothing, stores nothing and knows no taxes. A new
charge model is one file in `charges` and its entry there.
"""
