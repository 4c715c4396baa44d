#!/bin/sh
# Builds the standard library for wasm32-unknown-unknown from Debian's Rust, for machines that cannot reach the Rust release server.
# Run by `cargo xtask build` only after `rustup target add` has failed, and only as root on Debian.
set -eu
lib=/usr/lib/rustlib
wasm=wasm32-unknown-unknown
host=$(rustc -vV | sed -n 's/^host: //p')
lld=$(rustc --print sysroot)/lib/rustlib/$host/bin/rust-lld

apt-get update -qq
apt-get install -qqy --no-install-recommends rustc-web cargo-web rust-web-src
mkdir -p "$lib/$host/bin" "$lib/$wasm/lib"
ln -sf "$lld" "$lib/$host/bin/" # Debian's own lld is too old
RUSTC_BOOTSTRAP=1 RUSTC=/usr/bin/rustc RUSTFLAGS=-Zforce-unstable-if-unmarked /usr/bin/cargo build -q --locked --profile dist \
  --manifest-path "$lib/src/rust/library/sysroot/Cargo.toml" --target "$wasm" --target-dir target/std
cp target/std/"$wasm"/dist/deps/*.rlib "$lib/$wasm/lib/"
rustup toolchain link debian /usr
