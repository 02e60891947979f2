#!/bin/sh
# The steps of a bundle's README.txt in a clean root: no network, no compiler; another machine's by
# qemu. No root either: all of it is in a user namespace of its own.
#
#     bench/install/bundle_trial.sh make ROOT arm64|amd64 [SUITE]     a root with Python and nothing more
#     bench/install/bundle_trial.sh try ROOT BUNDLE.tar [wn-run's arguments]
#
# make needs debootstrap and Debian's mirror; try needs unshare, and of another machine
# qemu-user-static and a kernel of 6.7 or newer (binfmt_misc in a namespace). OUT=FOLDER keeps what
# was heard. SKIP="bench parity" leaves steps out: an emulator takes a thousand times as long.
set -eu

make_root() {
    root=$1 arch=$2 suite=${3:-bookworm}
    mkdir "$root"
    debootstrap --arch="$arch" --variant=minbase --include=python3 --download-only \
        "$suite" "$root.part"
    for each in bin lib sbin; do
        mkdir -p "$root/usr/$each"
        ln -s "usr/$each" "$root/$each"
    done
    for each in "$root.part"/var/cache/apt/archives/*.deb; do
        dpkg-deb --fsys-tarfile "$each" | tar -x --keep-directory-symlink --no-same-owner -C "$root"
    done
    rm -r "$root.part"
}

# What an emulated processor can, which the kernel's /proc/cpuinfo would say.
arm_cpuinfo='processor : 0
Features : fp asimd aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm asimddp'

inside='
set -e
root=$1 cpuinfo=$2
mount -t proc proc /proc
if [ -e "$root/lib/ld-linux-aarch64.so.1" ] && [ "$(uname -m)" != aarch64 ]; then
    mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
    zeros="\x00\x00\x00\x00\x00\x00\x00\x00\x00"
    ones="\xff\xff\xff\xff\xff\xff\xff"
    magic="\x7fELF\x02\x01\x01$zeros\x02\x00\xb7\x00"
    mask="$ones\x00$ones\xff\xfe\xff\xff\xff"
    printf %s ":arm:M::$magic:$mask:/usr/bin/qemu-aarch64-static:F" >/proc/sys/fs/binfmt_misc/register
    mount -t proc proc "$root/proc"
    mount --bind "$cpuinfo" "$root/proc/cpuinfo"
else
    mount -t proc proc "$root/proc"
fi
mount -t tmpfs tmpfs "$root/dev"
for each in null zero urandom; do
    : >"$root/dev/$each"
    mount --bind "/dev/$each" "$root/dev/$each"
done
exec chroot "$root" /usr/bin/env -i HOME=/root PATH=/usr/bin:/bin SKIP="$3" /bin/sh /root/steps.sh'

try() {
    root=$1 bundle=$2
    shift 2
    folder=$(basename "$bundle" .tar)
    rm -rf "$root/root/$folder" "$root/root/.local" "$root/root/.cache"
    mkdir -p "$root/root"
    tar -x -f "$bundle" -C "$root/root" --no-same-owner
    words=
    for each; do words="$words '$each'"; done
    cat >"$root/root/steps.sh" <<END
cd /root/$folder
step() {
    echo "$ \$1"
    for each in \$SKIP; do
        case \$1 in *"wn-\$each "*) echo '(left out)'; echo; return ;; esac
    done
    sh -c "\$1"
    echo
}
echo "\$(uname -m), \$(python3 --version), glibc \$(ldd --version | sed -n '1s/.* //p')"
for each in cc gcc clang pip pip3; do ! command -v \$each || exit 1; done
python3 -c 'import ensurepip' 2>/dev/null && exit 1
python3 -c 'import socket; socket.create_connection(("1.1.1.1", 53), 1)' 2>/dev/null && exit 1
echo 'no compiler, no pip, no ensurepip, no network'
echo
set -e
step "sh install.sh"
step "sh install.sh --trust"
step "env/bin/wn-run model$words --precision fp32 -o fp32.wav"
step "env/bin/wn-run model$words -o out.wav"
step "env/bin/wn-parity model"
step "env/bin/wn-bench model --seconds 1"
step "sha256sum fp32.wav out.wav"
END
    cpuinfo=$(mktemp)
    printf '%s\n' "$arm_cpuinfo" >"$cpuinfo"
    status=0
    unshare --user --map-root-user --mount --net --pid --fork --kill-child \
        sh -c "$inside" sh "$root" "$cpuinfo" "${SKIP:-}" || status=$?
    rm "$cpuinfo"
    [ -z "${OUT:-}" ] || cp "$root/root/$folder"/*.wav "$OUT"
    return $status
}

case ${1:-} in
make) shift; make_root "$@" ;;
try) shift; try "$@" ;;
*) sed -n '2,/^set/s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
