"""Sends one file many times with the Python package mesh-client:  mesh.py FILE COUNT

The other side of `cargo xtask race mesh`; the sandbox's settings come from the environment.
"""

import json
import os
import sys

from mesh_client import MeshClient

path, count = sys.argv[1], int(sys.argv[2])
with open(path, "rb") as file:
    letter = file.read()

with MeshClient(
    os.environ["MESH_URL"],
    os.environ["MESH_MAILBOX"],
    os.environ["MESH_PASSWORD"],
    shared_key=os.environ["MESH_SHARED_KEY"].encode(),
    cert=(os.environ["MESH_CLIENT_CERT"], os.environ["MESH_CLIENT_KEY"]),
    verify=os.environ["MESH_CA"],
    max_retries=0,
) as client:
    ids = {
        client.send_message("X26ABC2", letter, workflow_id="TEST_WORKFLOW", local_id=f"P{number:020}")
        for number in range(count)
    }

assert len(ids) == count, f"{len(ids)} ids for {count} letters"
with open("/proc/self/status", encoding="ascii") as status:
    peak = next(line for line in status if line.startswith("VmHWM:"))
print(json.dumps({"peak_kb": int(peak.split()[1])}))
