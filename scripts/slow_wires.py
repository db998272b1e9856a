"""Wires that take their time, for a kernel without netem: slow_wires.py MILLISECONDS HOST:SWITCH...

Makes a pair of network devices (taps) for each argument, and carries frames between the two: from the first to the second after so
many milliseconds, back at once. Runs until it is ended; the devices go with it.
"""

import collections
import fcntl
import os
import select
import struct
import sys
import time

TUNSETIFF = 0x400454CA
TAP_WITHOUT_HEADER = 0x0002 | 0x1000
LONGEST_FRAME = 65536


def tap(name):
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH", name.encode(), TAP_WITHOUT_HEADER))
    return device


def deliver(device, frame):
    try:
        os.write(device, frame)
    except OSError:
        pass  # The device is down: the frame is lost, as on a wire


delay = float(sys.argv[1]) / 1000
wires = [[tap(name) for name in pair.split(":")] for pair in sys.argv[2:]]
back = {switch: host for host, switch in wires}
forth = dict(wires)
under_way = collections.deque()  # (when it arrives, where, frame), the earliest first as all take as long

while True:
    wait = max(0, under_way[0][0] - time.monotonic()) if under_way else None
    for device in select.select([*forth, *back], [], [], wait)[0]:
        try:
            frame = os.read(device, LONGEST_FRAME)
        except OSError:
            continue
        if device in back:
            deliver(back[device], frame)
        else:
            under_way.append((time.monotonic() + delay, forth[device], frame))
    while under_way and under_way[0][0] <= time.monotonic():
        deliver(*under_way.popleft()[1:])
