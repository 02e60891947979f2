#!/bin/sh
# Installs wavestep beside the model of this bundle: no root, no compiler, no network.
#
#     sh install.sh             check every file, then install into env/
#     sh install.sh --trust     and trust the machine code in model/ (README.txt)
#     sh install.sh --to DIR    into another folder than env/
#     sh install.sh --online    let pip fetch the packages that are not in wheels/, by their SHA-256
#     PYTHON=python3.12 sh install.sh          by this Python

set -eu
unset CDPATH

machine='@MACHINE@'
pythons='@PYTHONS@'
glibc='@GLIBC@'
sums='@SUMS@' # SHA-256 of SHA256SUMS, which has that of every other file
say=@SAY@     # what wn-run is given after the model

here=$(dirname "$0")
making=

fail() {
    printf 'error: %s\n' "$*" >&2
    exit 2
}

# What a run has begun that fails or is interrupted is gone again.
leave() {
    status=$?
    trap - EXIT
    [ -z "$making" ] || rm -rf "$making"
    exit "$status"
}

options() {
    to='' trusting='' online=''
    while [ $# -gt 0 ]; do
        case $1 in
        --trust) trusting=yes ;;
        --online) online=yes ;;
        --to)
            [ -n "${2:-}" ] || fail "--to needs a folder"
            to=$2
            shift
            ;;
        -h | --help)
            sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
            exit 0
            ;;
        *) fail "$1 is not an option; sh install.sh --help lists them" ;;
        esac
        shift
    done
    case $to in
    '') to='env' ;;
    /*) ;;
    *) to=$PWD/$to ;;
    esac
}

# Every file is here, and as it was exported.
verify() {
    again='copy the whole bundle again'
    command -v sha256sum >/dev/null || fail "there is no sha256sum here; install coreutils"
    [ -f SHA256SUMS ] || fail "SHA256SUMS is missing; $again"
    found=$(sha256sum <SHA256SUMS)
    [ "${found%% *}" = "$sums" ] || fail "SHA256SUMS is not the one of this install.sh; $again"
    bad=$(LC_ALL=C sha256sum -c SHA256SUMS 2>/dev/null | sed -n 's/: FAILED.*//p')
    [ -z "$bad" ] || fail "missing or not as exported: $(echo "$bad" | paste -s -d ' ' -); $again"
}

# A Python in one line: version, bits, machine, glibc. In words that Python 2 knows, too.
about='
import os, struct, sys
try:
    libc = os.confstr("CS_GNU_LIBC_VERSION") or ""
except (AttributeError, ValueError):
    libc = ""
libc = libc.split()[-1] if libc.startswith("glibc ") else "none"
version = "%d.%d" % sys.version_info[:2]
print("%s %d %s %s" % (version, 8 * struct.calcsize("P"), os.uname()[4], libc))
'

# Sets `python` and `version`.
find_python() {
    if [ -n "${PYTHON:-}" ]; then
        set -- "$PYTHON"
    else
        set -- python3
        for each in $pythons; do set -- "$@" "python$each"; done
    fi
    met='' python=''
    for each; do
        words=$("$each" -c "$about" 2>/dev/null) || continue
        version=${words%% *}
        case " $pythons " in
        *" $version "*)
            python=$each
            break
            ;;
        esac
        met="$met$each is $version; "
    done
    [ -n "$python" ] ||
        fail "this bundle is for Python $(echo "$pythons" | sed 's/ / or /g'):" \
            "${met:-$1 is not here; }name one with PYTHON=…, or export again with --python"
    # shellcheck disable=SC2086
    set -- $words
    [ "$2" = 64 ] || fail "$python has $2 bits; the bundle is for a 64-bit system ($machine)"
    [ "$3" = "$machine" ] ||
        fail "this machine is $3, the bundle for $machine; export it for a --target that this is"
    [ "$4" != none ] || fail "this system has no glibc, which the packages in wheels/ need"
    older=$(printf '%s\n%s\n' "$glibc" "$4" | sort -t . -k 1,1n -k 2,2n | head -n 1)
    [ "$older" = "$glibc" ] || fail "glibc is $4 here; the packages in wheels/ need $glibc"
}

# Whether this very bundle is installed there already, and has not been moved since.
installed() {
    mark="$sums $(cd "$to" 2>/dev/null && pwd)" || mark=
    [ -n "$mark" ] && [ "$(cat "$to/.wavestep-bundle" 2>/dev/null)" = "$mark" ]
}

make_room() {
    if [ -e "$to" ] || [ -L "$to" ]; then
        [ -f "$to/.wavestep-bundle" ] ||
            fail "$to is there, and not by install.sh; move it away, or name another with --to"
        making=$to
        rm -rf "$to"
    fi
    { mkdir -p "$(dirname "$to")" && mkdir "$to"; } || fail "$to cannot be made"
    making=$to
    : >"$to/.wavestep-bundle"
}

install() {
    "$python" -c 'import venv' 2>/dev/null ||
        fail "$python has no module venv; sudo apt install python3-venv"
    make_room
    printf 'install  Python %s, %s\n' "$version" "$to"
    pip=
    for each in wheels/pip-*.whl; do
        [ ! -f "$each" ] || pip=$each/pip # runs as it is, from the wheel
    done
    if [ -n "$pip" ]; then
        "$python" -m venv --without-pip "$to" || fail "$python could make no environment in $to"
    else # its own pip, which Debian keeps in a package of its own
        "$python" -m venv "$to" >/dev/null ||
            fail "$python makes no environment with pip; sudo apt install python3-venv"
        pip=$("$to/bin/python" -I -c 'import pip; print(pip.__path__[0])')
    fi
    if [ -n "$online" ]; then
        set -- # the index and whatever else pip is configured with here
        more=''
    else
        set -- --isolated --no-index
        more='; with a network, sh install.sh --online fetches what is not in wheels/'
        PIP_CONFIG_FILE=/dev/null
        export PIP_CONFIG_FILE
    fi
    "$to/bin/python" -I "$pip" install "$@" --find-links wheels \
        --requirement "requirements/$version.txt" --require-hashes --no-deps \
        --only-binary :all: --no-cache-dir --disable-pip-version-check \
        --no-warn-script-location --quiet ||
        fail "pip could not install requirements/$version.txt$more"
    printf '%s %s\n' "$sums" "$(cd "$to" && pwd)" >"$to/.wavestep-bundle"
    making=
}

# Says what is machine code in the model and whether it is trusted; or trusts it.
code='
import sys
from pathlib import Path

from wn_runtime.engines import trust
from wn_runtime.engines.code import code_artifacts, trust_code
from wn_runtime.errors import WavestepError
from wn_runtime.model import manifest as manifests

model = Path(sys.argv[1])
try:
    if sys.argv[2]:
        trust_code(model)
    manifest, known = manifests.read(model), trust.trusted()
    for each in code_artifacts(manifest):
        digest = manifest.files[each.file].sha256
        word = "trusted" if digest in known else "not trusted"
        print("code     %s  %s here, SHA-256 %s" % (each.file, word, digest))
    if sys.argv[2]:
        print("         by %s" % trust.store())
except WavestepError as error:
    sys.exit("error: %s" % error)
'

main() {
    options "$@"
    cd "$here" || exit 2
    trap leave EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
    verify
    find_python
    installed || install
    "$to/bin/python" -I -c "$code" model "$trusting" || exit 2
    [ -n "$trusting" ] || printf 'trust    sh %s --trust, if you know who made it\n' "$0"
    [ "$here" = . ] || say="$say    (in $here)"
    printf 'next     %s/bin/wn-run model%s\n' "$to" "${say:+ $say}"
}

main "$@"
