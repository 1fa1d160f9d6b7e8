"""What does each process of a job use, and what do all of them together?"""
