# Anteroom. Everything a person does here is one of these:
#   make run     install what is missing, build, start Redis, gateway, releaser and a demo shop; Ctrl-C ends all of it
#   make test    install what is missing, check the style, build, run all tests
#   make build   build everything, tests included, in debug
#   make lint    check formatting and scripts
#   make format  format the Swift sources
#   make bench   compare with waiting rooms written by hand (5 minutes and a release build); BENCH=--save keeps the tables
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
	@echo "Tests of operation, and of the pages in a browser"
	ANTEROOM_BIN=$(BIN) $(VENV)/bin/pytest -q -p no:cacheprovider Tests/Operations Tests/Browser

.PHONY: lint
lint:
	swift format lint --strict --recursive Sources Tests Package.swift
	bash -n dev/install dev/test .ci/run
	python3 dev/compiles dev/run Benchmarks/run demo/*.py Tests/*/*.py
	@if command -v docker-compose >/dev/null; then docker-compose --env-file .env.example config -q; fi

.PHONY: format
format:
	swift format --in-place --recursive Sources Tests Package.swift

.PHONY: bench
bench: deps
	@dev/install bench
	@python3 Benchmarks/run $(BENCH)

.PHONY: clean
clean:
	rm -rf .build

$(VENV)/ready: Tests/Service/requirements.txt
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r Tests/Service/requirements.txt
	touch $@
