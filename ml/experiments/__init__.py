"""Experiments on prices: companies are assigned by chance, and what ends a test is declared before it begins."""
