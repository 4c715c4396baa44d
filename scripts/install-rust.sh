#!/bin/sh
# Installs Rust by rustup: its minimal profile with the wasm target, and no change to any shell's profile or PATH.
# Run by scripts/setup.mjs, only where cargo is missing and WORKERS_CI or CI is set. CARGO_HOME, RUSTUP_HOME, RUSTUP_UPDATE_ROOT and
# RUSTUP_DIST_SERVER mean what they mean to rustup.
set -eu

# What the Worker was built and tested with; a later one is no gain on a machine that is thrown away.
version=1.95.0
# The host that https://sh.rustup.rs itself downloads rustup from.
url=${RUSTUP_UPDATE_ROOT:-https://static.rust-lang.org/rustup}/rustup-init.sh

echo "Installing Rust $version, since this machine has none ($url)"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# To a file first: half a script must not run.
if command -v curl >/dev/null; then
  case $url in https:*) only="--proto =https --tlsv1.2" ;; *) only= ;; esac
  # shellcheck disable=SC2086 # several words, or none
  curl $only --silent --show-error --fail --location --retry 3 "$url" --output "$folder/rustup-init.sh"
else
  wget --quiet --output-document="$folder/rustup-init.sh" "$url"
fi
sh "$folder/rustup-init.sh" -y --quiet --profile minimal --default-toolchain "$version" --target wasm32-unknown-unknown --no-modify-path
