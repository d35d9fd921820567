"""Events in: from files of any origin to rows that count once."""
