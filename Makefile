.PHONY: generate check-generated

# The protobuf-c code of schemas/*.proto is committed, so that a build needs no protoc-c.
generate:
	@schemas/generate.sh

check-generated:
	@schemas/generate.sh --check
