# Every target prints what it does. `make run` needs the Swift toolchain only; the rest says what it lacks.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

SWIFT ?= swift
# The same words for building and testing, or everything would be built twice.
RELEASE := -c release
TESTING := -c release -Xswiftc -enable-testing
# A target may import only what it declares.
CHECKED := --explicit-target-dependency-import-check error

.PHONY: help run demo-control build test soak sanitize bench format lint reference system-packages

help: ## Lists the targets.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

run: system-packages ## Builds and runs the demonstration: three pipelines on ports 8888 to 8890.
	@echo "Building Phoenix (the first time takes some minutes) ..."
	$(SWIFT) build $(RELEASE) --product phoenix
	SWIFT_BACKTRACE="$${SWIFT_BACKTRACE:-enable=no}" exec "$$($(SWIFT) build $(RELEASE) --show-bin-path)/phoenix" run graphs/demo.yaml

demo-control: build ## Shows the control loop in two minutes: the load goes up and down, the mode follows (DEMO_SECONDS).
	@tools/demo-control.sh "$$($(SWIFT) build $(RELEASE) --show-bin-path)/phoenix" "$${DEMO_SECONDS:-120}"

build: system-packages ## Builds the program for release.
	$(SWIFT) build $(RELEASE) --product phoenix $(CHECKED)

test: system-packages ## Runs all tests: Swift's, golden graphs, and those against the peers' own clients.
	@tools/test.sh "$(SWIFT)" "$(TESTING)" "$(CHECKED)"

soak: system-packages ## Long tests, for hours: threads, pauses, a million reloads, fuzz, kills, the demonstration (SOAK_STEPS, SOAK_SCALE, SOAK_SECONDS).
	@tools/soak.sh "$(SWIFT)" "$(TESTING)" "$(CHECKED)"

sanitize: system-packages ## Runs the tests of concurrency under ThreadSanitizer, in a build of its own.
	@tools/sanitize.sh "$(SWIFT)"

bench: build ## Runs the micro benchmarks, and the whole program under load; some minutes, on a quiet machine with two cores.
	cd Benchmarks && $(SWIFT) build $(RELEASE)
	"$$(cd Benchmarks && $(SWIFT) build $(RELEASE) --show-bin-path)/micro"
	"$$(cd Benchmarks && $(SWIFT) build $(RELEASE) --show-bin-path)/load" "$$($(SWIFT) build $(RELEASE) --show-bin-path)/phoenix" Benchmarks/graphs

format: ## Formats all Swift sources.
	$(SWIFT) format -i -r Sources Tests Benchmarks/Sources Package.swift

lint: ## Says what the formatter would change.
	$(SWIFT) format lint -r Sources Tests Package.swift

reference: system-packages ## Writes docs/nodes and docs/schema out of the node types themselves.
	$(SWIFT) run phoenix reference docs

system-packages:
	@tools/system-packages.sh
