"""Science: numpy in, numpy out; imports nothing of ours."""
