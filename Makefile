# A thin face: every target is one call of the xtask crate, which does the work and says what to do when it cannot.
# Variables on make's command line (`make dev PORT=9000`) reach it as environment variables.
# Cargo shows what it compiles the first time and stays silent afterwards.
QUIET := $(if $(wildcard $(or $(CARGO_TARGET_DIR),target)/debug/xtask),--quiet)
XTASK := cargo run $(QUIET) --package xtask --

.DEFAULT_GOAL := help
.PHONY: help setup build dev test lint size api-key import secrets

help:
	@$(XTASK) help
setup:
	@$(XTASK) setup
build:
	@$(XTASK) build
dev:
	@$(XTASK) dev
test:
	@$(XTASK) test
lint:
	@$(XTASK) lint
size:
	@$(XTASK) size
api-key:
	@$(XTASK) api-key
import:
	@$(XTASK) import
secrets:
	@$(XTASK) secrets
