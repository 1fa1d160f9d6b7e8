import time

kept = bytearray(100 * 10**6)
print("simulating")
time.sleep(1)
