# Anteroom. Everything a person does here is one of these:
#   make run     install what is missing, build, start Redis, gateway, releaser and a demo shop; Ctrl-C ends all of it
#   make test    install what is missing, check the style, build, run all tests
#   make soak    the long form of the tests of faults and abuse, and ten minutes of traffic after which nothing is larger (SOAK_SECONDS)
#   make build   build everything, tests included, in debug
#   make lint    check formatting and scripts
#   make format  format the Swift sources
#   make fuzz    feed what reads bytes from outside with millions of inputs (SECONDS=600 for each kind)
#   make bench   compare with waiting rooms written by hand (15 minutes and a release build); BENCH=--quick is short, --save keeps the tables
#   make crowd   20,000 visitors at once, and what they saw; CROWD=--help tells what else
#   make instructions   count the instructions of a poll, a join and a gate check, and compare with those kept
#   make deps    install what the build and the tests need (Debian packages)
#   make clean   remove what was built (data of `make run` stays in .run)
#   make help    this list

.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eo pipefail -c
VENV := .build/venv
BIN = $(shell swift build --show-bin-path)

.PHONY: help
help:
	@sed -n 's/^#   //p' Makefile

.PHONY: deps
deps:
	@dev/install

.PHONY: run
run: deps
	@python3 dev/run

.PHONY: build
build: deps
	swift build --build-tests --explicit-target-dependency-import-check error

.PHONY: test
test: deps lint build $(VENV)/ready
	@dev/test
	@echo "Tests of faults, abuse, callbacks, of what is kept, of operation, and of the pages in a browser"
	@dev/test-service $(VENV)/bin/pytest $(BIN)
	Tests/Fuzz/run 5

.PHONY: soak
soak: deps build $(VENV)/ready
	SOAK=1 ANTEROOM_BIN=$(BIN) $(VENV)/bin/pytest -q -p no:cacheprovider Tests/Faults Tests/Abuse Tests/Soak/test_soak.py Tests/Soak/test_long_queue.py
	SOAK=1 dev/test --filter LongQueueTests
	Tests/Fuzz/run 300

.PHONY: lint
lint:
	swift format lint --strict --recursive Sources Tests Benchmarks/Sources Benchmarks/Package.swift Package.swift
	bash -n dev/install dev/test dev/test-service .ci/run Tests/Fuzz/run
	python3 dev/compiles dev/run Benchmarks/run Benchmarks/queues Benchmarks/crowd Benchmarks/instructions Benchmarks/streams Benchmarks/*.py \
	    demo/*.py Tests/*/*.py
	@if command -v docker-compose >/dev/null; then docker-compose --env-file .env.example config -q; fi

.PHONY: format
format:
	swift format --in-place --recursive Sources Tests Benchmarks/Sources Benchmarks/Package.swift Package.swift

.PHONY: fuzz
fuzz: build
	Tests/Fuzz/run $(or $(SECONDS),60)

.PHONY: bench
bench: deps
	@dev/install bench
	@python3 Benchmarks/run $(BENCH)

.PHONY: crowd
crowd: deps
	@python3 Benchmarks/crowd $(CROWD)

.PHONY: instructions
instructions: deps
	@dev/install bench
	@python3 Benchmarks/instructions $(INSTRUCTIONS)

.PHONY: clean
clean:
	rm -rf .build

$(VENV)/ready: Tests/Service/requirements.txt
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r Tests/Service/requirements.txt
	touch $@
