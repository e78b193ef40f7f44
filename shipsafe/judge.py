"""(Policy, outcomes, today) -> Verdict: the only place that decides."""
