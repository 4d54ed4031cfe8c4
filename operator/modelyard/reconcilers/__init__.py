"""One package a kind. A pass is a straight line: observe, desired (pure), apply, assess (pure), report."""
