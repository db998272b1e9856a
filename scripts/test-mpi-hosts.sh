#!/usr/bin/env bash
# Jobs of MPI over several hosts, which are network namespaces of this one: over TCP, over slow links, and over a network that breaks
# in the middle. Needs root, iproute2, an MPI (npm run test:mpi installs it), what npm run build:mpi makes, and Python for links
# with a delay where the kernel has no netem. Prints what it measures; fails where a job has another result than on one host, or hangs.
set -euo pipefail
cd "$(dirname "$0")/.."

[ "$(id -u)" -eq 0 ] || { echo "mpi hosts: network namespaces need root" >&2; exit 1; }
hosts=3
bridge=focalbr
folder=$(mktemp -d)

clean_up() {
  [ -z "${slow_wires:-}" ] || kill $slow_wires 2>/dev/null || true
  for h in $(seq $hosts); do
    ip netns pids "focal$h" 2>/dev/null | xargs -r kill -9 2>/dev/null || true
    ip netns del "focal$h" 2>/dev/null || true
    ip link del "focalv$h" 2>/dev/null || true
  done
  ip link del $bridge 2>/dev/null || true
  rm -rf "$folder"
}
trap clean_up EXIT
clean_up
mkdir -p "$folder"

ip link add $bridge type bridge
ip addr add 10.77.0.254/24 dev $bridge
ip link set $bridge up
# connect DEVICE HOST: the device becomes the host's, and focalvHOST is its other end, at the switch
connect() {
  ip link set "$1" netns "focal$2" name eth0
  ip link set "focalv$2" master $bridge up
  ip -n "focal$2" addr add "10.77.0.$2/24" dev eth0
  ip -n "focal$2" link set eth0 up
}
cable() {
  ip link add "focalv$1" type veth peer name "focalt$1"
  connect "focalt$1" "$1"
}
for h in $(seq $hosts); do
  ip netns add "focal$h"
  cable "$h"
  ip -n "focal$h" link set lo up
  echo "10.77.0.$h slots=1" >>"$folder/hosts"
done

# What mpirun starts its daemons with, in place of ssh: agent ADDRESS COMMAND...
cat >"$folder/agent" <<'AGENT'
#!/bin/sh
while [ "${1#-}" != "$1" ]; do shift; done
host=${1##*.}
shift
mkdir -p "$(dirname "$0")/focal$host"
exec ip netns exec "focal$host" unshare --uts sh -c "hostname focal$host; TMPDIR=$(dirname "$0")/focal$host; export TMPDIR; $*"
AGENT
chmod +x "$folder/agent"

# job RANKS COMMAND...: over TCP alone, as hosts have no memory in common, and not bound to cores, as each would take the first. The launcher notices a host that is gone by keep-alive
# messages, which by default begin after five minutes.
job() {
  local ranks=$1
  shift
  timeout 120 mpirun --allow-run-as-root --hostfile "$folder/hosts" -n "$ranks" --map-by node --bind-to none \
    --mca plm_rsh_agent "$folder/agent" --mca plm_rsh_no_tree_spawn 1 --mca routed direct \
    --mca oob_tcp_keepalive_time 5 --mca oob_tcp_keepalive_intvl 2 --mca oob_tcp_keepalive_probes 3 --mca btl tcp,self --mca btl_tcp_if_include 10.77.0.0/24 --mca oob_tcp_if_include 10.77.0.0/24 \
    node "$@"
}

for ranks in 2 3; do
  echo "loss on $ranks hosts: $(job $ranks test/mpi/rank.mjs loss)"
  job $ranks test/mpi/rank.mjs loss | node -e '
    const { float32, float64 } = JSON.parse(require("fs").readFileSync(0, "utf8"))
    if (!(float32 < 1e-6 && float64 < 1e-12)) { console.error("another loss than on one host"); process.exit(1) }'
done

echo "all-reduce of 15 doubles (us) and of a million floats (ms) on 2 hosts: $(job 2 test/mpi/rank.mjs speed 200 5)"
# Slow links: by netem where the kernel has it, else by wires of our own in place of the hosts' cables
slow_wires=
delay_links() {
  local h names=()
  for h in $(seq $hosts); do tc -n "focal$h" qdisc replace dev eth0 root netem delay "$1ms" 2>/dev/null || break; done
  [ "$h" -ne $hosts ] || return 0
  for h in $(seq $hosts); do ip link del "focalv$h"; names+=("focalt$h:focalv$h"); done
  python3 scripts/slow_wires.py "$1" "${names[@]}" &
  slow_wires=$!
  for _ in $(seq 100); do ip link show "focalv$hosts" >/dev/null 2>&1 && break; sleep 0.1; done
  for h in $(seq $hosts); do connect "focalt$h" "$h"; done
}
for delay in 1 10; do
  delay_links $delay
  echo "  with $delay ms on every link: $(job 2 test/mpi/rank.mjs speed 20 3)"
  [ -z "$slow_wires" ] || { kill $slow_wires; wait $slow_wires 2>/dev/null || true; for h in $(seq $hosts); do cable "$h"; done; }
done
for rate in 1gbit 100mbit; do
  for h in $(seq $hosts); do
    tc -n "focal$h" qdisc del dev eth0 root 2>/dev/null || true
    tc -n "focal$h" qdisc replace dev eth0 root tbf rate $rate burst 256k latency 50ms 2>/dev/null || { echo "slow links: this kernel has no tbf; not run"; break 2; }
  done
  echo "  with $rate on every link: $(job 2 test/mpi/rank.mjs speed 50 3)"
done
for h in $(seq $hosts); do tc -n "focal$h" qdisc del dev eth0 root 2>/dev/null || true; done

# A partition: the last host's link goes down in the middle
begin=$(date +%s)
(sleep 4; ip link set "focalv$hosts" down) &
if job $hosts test/mpi/rank.mjs partition >"$folder/partition" 2>&1; then
  echo "a partition: the job ended as if all was well" >&2
  exit 1
else
  status=$?
fi
wait
seconds=$(($(date +%s) - begin))
echo "a partition after 4 s: the job ended with status $status after $seconds s: $(grep -h -m1 -E 'ends the job|lost|unreachable|timed out|daemon' "$folder/partition" || tail -1 "$folder/partition")"
[ $status -ne 124 ] || { echo "a partition: the job hung" >&2; exit 1; }
