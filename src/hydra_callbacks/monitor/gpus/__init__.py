"""What do the GPUs tell?"""
