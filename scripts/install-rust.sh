#!/bin/sh
# Installs Rust by rustup: its minimal profile with the wasm target, and no change to any shell's profile or PATH.
# Run by scripts/setup.mjs, only where cargo is missing and WORKERS_CI or CI is set. CARGO_HOME,
# RUSTUP_HOME, RUSTUP_UPDATE_ROOT and RUSTUP_DIST_SERVER mean what they mean to rustup.
#
# One downloaded program is run, rustup's installer of a fixed version, and only if its SHA-256 is the
# one written here. What rustup downloads then, it checks against the release server's manifest.
set -eu

# What the Worker was built and tested with; a later one is no gain on a machine that is thrown away.
version=1.95.0
# For another version, download each file, and compare its checksum with the rustup-init.sha256
# beside it and with that of the official Rust images for Docker.
rustup=1.28.2
case "$(uname -s) $(uname -m)" in
  "Linux x86_64")
    host=x86_64-unknown-linux-gnu
    sha256=20a06e644b0d9bd2fbdbfd52d42540bdde820ea7df86e92e533c073da0cdd43c
    ;;
  "Linux aarch64")
    host=aarch64-unknown-linux-gnu
    sha256=e3853c5a252fca15252d07cb23a1bdd9377a8c6f3efa01531109281ae47f841c
    ;;
  *)
    echo "Rust is installed on Linux only, on x86_64 and aarch64; this is $(uname -s) $(uname -m)." >&2
    exit 1
    ;;
esac
url=${RUSTUP_UPDATE_ROOT:-https://static.rust-lang.org/rustup}/archive/$rustup/$host/rustup-init

echo "Installing Rust $version, since this machine has none ($url)"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
if command -v curl >/dev/null; then
  case $url in https:*) only="--proto =https --tlsv1.2" ;; *) only= ;; esac
  # shellcheck disable=SC2086 # several words, or none
  curl $only --silent --show-error --fail --location --retry 3 "$url" --output "$folder/rustup-init"
else
  wget --quiet --output-document="$folder/rustup-init" "$url"
fi
if ! echo "$sha256  $folder/rustup-init" | sha256sum -c - >/dev/null; then
  echo "What came is not rustup $rustup, whose SHA-256 is $sha256. It was not run." >&2
  exit 1
fi
chmod +x "$folder/rustup-init"
"$folder/rustup-init" -y --quiet --profile minimal --default-toolchain "$version" --target wasm32-unknown-unknown --no-modify-path
