"""Tables of contracts on credits; private to options."""
