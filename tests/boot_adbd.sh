#!/bin/sh
# boot_adbd.sh PACKAGES FOLDER PORT SPACE [QEMU]: become Debian's adbd, in a root of our own over FOLDER.
#
# For fresh user, network, pid and mount namespaces: what is mounted here nobody else sees, and adbd,
# which listens on all interfaces, has none but this namespace's loopback. The packages are read only;
# all else is in memory. QEMU, a static one of version 8 or later, runs the programs of an arm64 device:
# binfmt_misc belongs to a user namespace since Linux 6.7.
set -eu
packages=$1 root=$2 port=$3 space=$4 qemu=${5:-}
mount -t tmpfs -o "size=$space" tmpfs "$root"
cd "$root"
mkdir -p usr proc dev sys tmp etc bin data/local/tmp data/adb data/misc/adb
mount --bind "$packages/usr" usr
mount -o remount,bind,ro usr
for name in lib lib64 sbin; do [ ! -e "usr/$name" ] || ln -s "usr/$name" "$name"; done
mount -t proc proc proc
mount --rbind /dev dev
mount --rbind /sys sys
if [ -n "$qemu" ]; then
  mount -t binfmt_misc binfmt_misc proc/sys/fs/binfmt_misc
  magic='\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00'
  mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
  # F: opened now, so that it is found below the new root; P: argv[0] stays the program's. Devices of
  # one network share a user namespace.
  [ -e proc/sys/fs/binfmt_misc/aarch64 ] || printf '%s' ":aarch64:M::$magic:$mask:$qemu:FP" > proc/sys/fs/binfmt_misc/register
fi
for applet in $(chroot . /usr/bin/busybox --list); do ln -s /usr/bin/busybox "bin/$applet"; done
exec chroot . /bin/env -i PATH=/bin HOME=/data/local/tmp ADBD_PORT="$port" \
  QEMU_CPU="${QEMU_CPU:-cortex-a76}" /usr/lib/android-sdk/platform-tools/adbd
