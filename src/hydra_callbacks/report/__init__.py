"""What is to be seen of a run, a sweep or a register, on one page that opens from disk? Reads what is written only."""
