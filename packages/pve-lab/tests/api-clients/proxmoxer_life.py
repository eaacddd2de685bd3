"""Takes a container through its life with proxmoxer; prints what the node answered as one JSON object.

Called with the lab's node.json and who to be: `token` (the lab's least-privilege token) or `root`.
"""

import json
import sys
import time

import urllib3
from proxmoxer import ProxmoxAPI
from proxmoxer.core import ResourceException

urllib3.disable_warnings()
TEMPLATE = "debian-12-standard_12_amd64.tar.zst"
URL = "http://127.0.0.1:8099/template/" + TEMPLATE
seen = {}


def connect(facts, who):
    if who == "root":
        login = facts["login"]
        return ProxmoxAPI(facts["address"], user=login["user"], password=login["password"], verify_ssl=False)
    name, secret = facts["apiToken"].split("=", 1)
    user, token = name.split("!")
    return ProxmoxAPI(facts["address"], user=user, token_name=token, token_value=secret, verify_ssl=False)


def main(facts, who):
    api = connect(facts, who)
    node = api.nodes("pve")
    first = 700 if who == "root" else 800

    def finish(upid):
        until = time.time() + 120
        while time.time() < until:
            status = node.tasks(upid).status.get()
            if status["status"] != "running":
                return status["exitstatus"]
            time.sleep(0.2)
        return "still running"

    def refused(call):
        try:
            call()
        except ResourceException as error:
            return [error.status_code, error.content]
        return None

    seen["version"] = api.version.get()["release"]
    if not any(one["storage"] == "guests" for one in api.storage.get()):
        api.storage.post(storage="guests", type="zfspool", pool="tank/guests", content="rootdir")
        api.storage.post(storage="files", type="dir", path="/tank/files", content="vztmpl,iso", shared=0)
    if not node.storage("files").content.get(content="vztmpl"):
        upid = node.storage("files")("download-url").post(content="vztmpl", filename=TEMPLATE, url=URL)
        seen["download"] = finish(upid)
    seen["volid"] = node.storage("files").content.get(content="vztmpl")[0]["volid"]

    net = f"name=eth0,bridge=vmbr0,ip=10.0.0.{first // 10}/24,gw=10.0.0.13"
    create = dict(vmid=first, ostemplate=seen["volid"], storage="guests", hostname="first", memory=128, unprivileged=1, net0=net)
    seen["create"] = finish(node.lxc.post(**create))
    guest = node.lxc(first)
    seen["config"] = guest.config.get()
    seen["occupied"] = refused(lambda: node.lxc.post(**create))
    seen["wrong"] = refused(lambda: node.lxc.post(**{**create, "vmid": first + 9, "memory": "much"}))
    guest.config.put(memory=160, description="changed", delete="searchdomain")
    seen["changed"] = guest.config.get()
    seen["start"] = finish(guest.status.start.post())
    seen["running"] = guest.status.current.get()["status"]
    time.sleep(1)
    seen["interfaces"] = sorted(one["name"] for one in guest.interfaces.get())
    seen["snapshot refused"] = refused(lambda: guest.snapshot.post(snapname="one")) if who == "token" else None
    if who == "root":
        seen["snapshot"] = finish(guest.snapshot.post(snapname="one"))
        seen["snapshots"] = [one["name"] for one in guest.snapshot.get()]
    seen["shutdown"] = finish(guest.status.shutdown.post(timeout=30, forceStop=1))
    if who == "root":
        seen["with snapshots"] = refused(guest.template.post)
        seen["rollback"] = finish(guest.snapshot("one").rollback.post())
        seen["unsnapshot"] = finish(guest.snapshot("one").delete())
    seen["not a base"] = refused(lambda: guest.clone.post(newid=first + 1, full=0))
    guest.template.post()
    until = time.time() + 30
    while not guest.config.get()["rootfs"].startswith("guests:basevol-") and time.time() < until:
        time.sleep(0.2)
    seen["template"] = guest.config.get()
    seen["linked"] = finish(guest.clone.post(newid=first + 1, full=0, hostname="linked"))
    seen["linked rootfs"] = node.lxc(first + 1).config.get()["rootfs"]
    seen["full"] = finish(guest.clone.post(newid=first + 2, full=1, hostname="full"))
    seen["in use"] = finish(guest.delete())
    seen["resize"] = finish(node.lxc(first + 2).resize.put(disk="rootfs", size="+1G"))
    seen["resized"] = node.lxc(first + 2).config.get()["rootfs"]
    seen["deleted"] = [finish(node.lxc(vmid).delete()) for vmid in (first + 2, first + 1, first)]
    seen["gone"] = refused(guest.config.get)
    seen["volumes"] = node.storage("guests").content.get()
    seen["root only"] = refused(lambda: api.access.users.post(userid=f"made-by-{who}@pve"))


with open(sys.argv[1], encoding="utf-8") as file:
    main(json.load(file), sys.argv[2])
print(json.dumps(seen))
