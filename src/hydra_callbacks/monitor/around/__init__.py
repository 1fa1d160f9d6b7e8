"""What surrounds the processes of a job: network, control group, energy?"""
