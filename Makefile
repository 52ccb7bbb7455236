# Paths are relative, so that a checkout in a folder with blanks in its name works.
PYTHON := .venv/bin/python
# Debian keeps bearerbox and smsbox where an ordinary user's PATH does not look.
export PATH := $(PATH):/usr/local/sbin:/usr/sbin:/sbin
# More arguments for the program behind the target: make demo ARGS="--seconds 30", make test ARGS="-k spec".
ARGS ?=
# Tests with a real Kannel mostly wait for it, and run beside those that compute: three workers for each processor.
WORKERS ?= $$(($$(nproc) * 3 < 12 ? $$(nproc) * 3 : 12))

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test lint bench clean

help: ## say what can be made
	@printf 'make TARGET [ARGS="arguments for the program behind it"]\n\n'
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/  \1 \2/p' Makefile | while read -r target text; do printf '  %-6s %s\n' "$$target" "$$text"; done
	@printf '\nEach does its own set-up: Kannel from Debian, a virtual environment in .venv, kannelkit.\n'

demo: ## show a real Kannel alone, then with kannelkit, against a pretend SMSC
	@bash .ci/setup demo
	@$(PYTHON) -m kannelkit demo $(ARGS)

test: lint ## lint, then every test (make test ARGS="-k spec" for some)
	@# an empty PYTHONDONTWRITEBYTECODE is none: what hundreds of interpreters would compile anew is kept
	@PYTHONDONTWRITEBYTECODE= $(PYTHON) -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

lint: ## ruff and mypy
	@bash .ci/setup test
	@$(PYTHON) -m ruff check --quiet .
	@$(PYTHON) -m ruff format --check --quiet .
	@$(PYTHON) -m mypy --no-error-summary

bench: ## measure beside peers, one after the other; takes hours (make bench ARGS="--list", ARGS="conf" for one)
	@bash .ci/setup bench
	@$(PYTHON) -m tests.benchmarks $(ARGS)

clean: ## remove what make made here: .venv, caches, builds (Debian's packages stay)
	@rm -rf .venv build dist kannelkit.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find kannelkit tests -name __pycache__ -type d -prune -exec rm -rf {} +
