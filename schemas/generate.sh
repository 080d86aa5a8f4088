#!/bin/sh
# Writes the protobuf-c code of every schema in this folder into the C target that holds it.
#   schemas/generate.sh           writes Sources/<target>/<schema>.pb-c.c and include/<schema>.pb-c.h
#   schemas/generate.sh --check   writes nothing; fails when a committed file differs from its schema
set -eu

cd "$(dirname "$0")/.."
command -v protoc-c >/dev/null || {
  echo "protoc-c is missing: apt-get install protobuf-c-compiler, or brew install protobuf-c" >&2
  exit 69
}

target_of() {
  case "$1" in
    onnx) echo CONNXSchema ;;
    sepal) echo CSepalSchema ;;
    *) echo "schemas/$1.proto belongs to no target" >&2; exit 70 ;;
  esac
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
stale=0
for schema in schemas/*.proto; do
  name=$(basename "$schema" .proto)
  target=$(target_of "$name")
  protoc-c --proto_path=schemas --c_out="$scratch" "$schema"
  for file in "$name.pb-c.c" "include/$name.pb-c.h"; do
    if [ "${1:-}" = --check ]; then
      # The compiler's own version is written into the header; another one is no staleness.
      if ! diff -u -I 'PROTOBUF_C_MIN_COMPILER_VERSION' "Sources/$target/$file" "$scratch/$(basename "$file")"; then
        echo "Sources/$target/$file is older than $schema: run make generate and commit the result" >&2
        stale=1
      fi
    else
      mkdir -p "Sources/$target/include"
      cp "$scratch/$(basename "$file")" "Sources/$target/$file"
    fi
  done
done
exit $stale
