#!/usr/bin/env bash
# Makes .venv with earproof in it:  ./setup.sh        to train and convert
#                                  ./setup.sh test   the same, and what the tests need
#                                  ./setup.sh device only what a device needs
#                                  ./setup.sh listen the same, and what its microphone needs
#                                  ./setup.sh web    to train and convert, and the page of earproof web
# PYTHON=... chooses the interpreter: 3.10 to 3.13. A second run does nothing if nothing changed.
set -euo pipefail
cd "$(dirname "$0")"

case "${1:-train}" in
  train) extras="[train]" ;;
  test) extras="[train,test]" ;;
  device) extras="" ;;
  listen) extras="[listen]" ;;
  web) extras="[train,web]" ;;
  *) echo "usage: $0 [train|test|device|listen|web]" >&2; exit 2 ;;
esac

say() { echo "setup: $*" >&2; }

apt_install() {
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    say "installing $* with apt-get"
    apt-get update -qq >&2 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >&2
  else
    say "this machine lacks $*; install it (Debian: apt-get install $*) and run this again"
    exit 2
  fi
}

find_python() {
  for candidate in "${PYTHON:-}" python3.11 python3.12 python3.13 python3.10 python3; do
    if [ -n "$candidate" ] && command -v "$candidate" >/dev/null &&
      "$candidate" -c "import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))" 2>/dev/null; then
      command -v "$candidate"
      return
    fi
  done
}

python=$(find_python)
if [ -z "$python" ]; then
  apt_install python3 python3-venv
  python=$(find_python)
  [ -n "$python" ] || { say "no Python 3.10 to 3.13 found; set PYTHON to one"; exit 2; }
fi
# Debian ships Python without what venv needs.
"$python" -c 'import ensurepip' 2>/dev/null || apt_install python3-venv
if [ "${1:-train}" = test ]; then
  # espeak-ng speaks the clips of data_short; the two libraries are what tflite-support loads; --host is tested on an sshd;
  # Kotlin's compiler comes from npm and runs on Java.
  missing=()
  command -v espeak-ng >/dev/null || missing+=(espeak-ng)
  [ -n "$(PATH="$PATH:/usr/sbin:/sbin" command -v sshd)" ] || missing+=(openssh-server)
  command -v ssh >/dev/null || missing+=(openssh-client)
  command -v java >/dev/null || missing+=(default-jre-headless)
  command -v npm >/dev/null || missing+=(npm)
  ldconfig -p | grep -q libusb-1.0.so.0 || missing+=(libusb-1.0-0)
  ldconfig -p | grep -q libportaudio.so.2 || missing+=(libportaudio2)
  [ ${#missing[@]} = 0 ] || apt_install "${missing[@]}"
  # The front end for microcontrollers is compiled; without a compiler those tests are skipped.
  if ! command -v gcc >/dev/null; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
      apt_install gcc libc6-dev
    else
      say "the tests of the C front end will be skipped; they need gcc (Debian: apt-get install gcc libc6-dev)"
    fi
  fi
  # A browser and what drives it; without it the tests of the loaders in a browser are skipped.
  browser=()
  command -v chromium >/dev/null || browser+=(chromium)
  command -v node >/dev/null || browser+=(nodejs)
  command -v npm >/dev/null || browser+=(npm)
  if [ ${#browser[@]} != 0 ]; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
      apt_install "${browser[@]}"
    else
      say "the tests of loaders in a browser will be skipped; they need ${browser[*]} (Debian: apt-get install ${browser[*]})"
    fi
  fi
  # Emulation of ARM64; without it those tests are skipped.
  if [ "$(uname -m)" = x86_64 ] && ! command -v qemu-aarch64-static >/dev/null; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
      apt_install qemu-user-static
    else
      say "the tests on emulated ARM64 will be skipped; they need qemu-user-static (Debian: apt-get install qemu-user-static)"
    fi
  fi
fi

if [ "${1:-train}" = listen ]; then
  ldconfig -p | grep -q libportaudio.so.2 || apt_install libportaudio2
fi

[ -x .venv/bin/python ] || "$python" -m venv .venv
# The exact versions that CI ran are those of one Python; others choose within the bounds of pyproject.toml.
constraints=()
if [ "${1:-train}" = device ]; then
  constraints=(--constraint constraints-device.txt)
elif .venv/bin/python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))'; then
  constraints=(--constraint constraints.txt)
fi
stamp=$(cat setup.sh pyproject.toml constraints.txt constraints-device.txt | sha256sum | cut -d' ' -f1)$extras
if [ "$(cat .venv/earproof-setup 2>/dev/null)" != "$stamp" ]; then
  say "installing earproof$extras into .venv; the first time this takes some minutes"
  .venv/bin/python -m pip install --quiet --disable-pip-version-check "${constraints[@]}" --editable ".$extras"
  echo "$stamp" >.venv/earproof-setup
fi
# The page: packages of npm into web/node_modules, what a browser gets into web/build. Neither is kept in the repository.
build_page() {
  local stamp
  stamp=$(cd web && cat package.json tsconfig.json build.mjs $(find src -type f | LC_ALL=C sort) | sha256sum | cut -d' ' -f1)
  [ "$(cat web/build/stamp 2>/dev/null)" = "$stamp" ] && return
  say "building the page of earproof web"
  (cd web && npm install --no-package-lock --no-audit --no-fund --ignore-scripts --silent && npm run --silent build) >&2
  echo "$stamp" >web/build/stamp
}
case "${1:-train}" in
  web)
    page=()
    command -v node >/dev/null || page+=(nodejs)
    command -v npm >/dev/null || page+=(npm)
    [ ${#page[@]} = 0 ] || apt_install "${page[@]}"
    build_page
    ;;
  test) if command -v npm >/dev/null && command -v node >/dev/null; then build_page; fi ;;
esac
say "ready: .venv/bin/earproof --help"
