#!/bin/bash
# Checks the image where no container can be run, as root on Linux with podman:
#   deploy/check.sh IMAGE PICTURE
# Its file system is mounted read-only, /tmp is a tmpfs, one folder is the volume, and the user and
# the environment are those of the image, without HOME. pulmo has to refuse to start without a
# token, then to start, to be healthy, to classify the picture and to stop.
set -euo pipefail

if [ "${1:-}" != inside ]; then
    image=$1 picture=$2
    root=$(podman image mount "$image")
    trap 'podman image unmount "$image" >/dev/null' EXIT
    mapfile -t environment < <(
        podman image inspect --format '{{range .Config.Env}}{{println .}}{{end}}' "$image" | grep .
    )
    user=$(podman image inspect --format '{{.Config.User}}' "$image")
    unshare --mount --pid --fork --kill-child \
        "$0" inside "$root" "$picture" "$user" "${environment[@]}"
    exit
fi

root=$2 picture=$3 user=$4
environment=("${@:5}")
work=$(mktemp -d)
trap 'rm -rf "$work/volume" "$work/said"' EXIT
mkdir "$work/view"
install -d -o "$user" -m 0700 "$work/volume"
view=$work/view
mount --bind "$root" "$view"
mount -o remount,bind,ro "$view"
mount -t tmpfs -o size=256m,mode=1777 tmpfs "$view/tmp"
mount --bind "$work/volume" "$view/var/lib/pulmo"
mount -t proc proc "$view/proc"
mount --rbind /dev "$view/dev"

inside=(env --ignore-environment "${environment[@]}"
    setpriv --no-new-privs chroot --userspec="$user:$user" "$view")

"${inside[@]}" python -c "
import os
assert os.getuid() == $user and 'HOME' not in os.environ
for folder in ('/', '/opt/pulmo', '/var/lib', '/root'):
    assert not os.access(folder, os.W_OK), folder"

status=0
"${inside[@]}" pulmo serve --host 0.0.0.0 --behind-proxy || status=$?
[ "$status" = 5 ]
token=$("${inside[@]}" pulmo serve token create check)

"${inside[@]}" pulmo serve --host 0.0.0.0 --behind-proxy >"$work/said" &
server=$!
for _ in $(seq 120); do
    grep -q http "$work/said" && break
    sleep 1
done
"${inside[@]}" python /opt/pulmo/healthcheck.py
"${inside[@]}" python -c "
import json, sys, urllib.request
headers = {'Authorization': 'Bearer ' + sys.argv[1]}
address = 'http://127.0.0.1:8000/v1/predictions'
request = urllib.request.Request(address, sys.stdin.buffer.read(), headers)
answer = json.load(urllib.request.urlopen(request))
print(answer['status'], answer['decision'], answer['model']['name'])
for view in ('heatmap', 'report.pdf'):
    request = urllib.request.Request(f\"{address}/{answer['id']}/{view}\", headers=headers)
    print(view, len(urllib.request.urlopen(request).read()), 'bytes')" "$token" <"$picture"
kill "$server"
wait "$server"
status=0
"${inside[@]}" python /opt/pulmo/healthcheck.py || status=$?
[ "$status" = 1 ]
find "$work/volume" -type f -printf 'kept: %f, mode %m\n'
