# "make run" and "make test" are all you need to start with.

export GOTOOLCHAIN ?= local
# Without cgo, as in the released binary: "make build" and "make test" share the compiler's cache.
export CGO_ENABLED = 0
tool = go tool -modfile=tools/go.mod
sources = $(wildcard *.go) internal bench clients

# The race detector does not instrument SQLite, which is translated from C, shares no memory with
# our code and would take most of the time. "make check" runs the packages with goroutines of their
# own; CI runs the rest without the race detector, and so each test once.
race = CGO_ENABLED=1 go test -race -gcflags='modernc.org/...=-race=false'
concurrent = ./internal/access ./internal/contract ./internal/customer ./internal/store/... ./internal/web
rest = $$(go list ./... | grep -vxF "$$(go list $(concurrent))" | tr '\n' ' ')
packages = ./...

# Vite, which builds the API reference, needs this version of Node.js.
node = 20.19
new_enough = node --version 2>/dev/null | awk -F '[v.]' -v need=$(node) \
	'{ split(need, n, "."); ok = $$2 > n[1] || $$2 == n[1] && $$3 >= n[2] } END { exit !ok }'
# quietly runs a command and prints its output only if it fails.
quietly = quietly() { out=$$("$$@" 2>&1) || { echo "$$out"; return 1; }; }; quietly

.PHONY: run build ui ui-test test test-clients test-rest test-cost test-samples test-race check format bench bench-smoke

run: ## build and start the demo; the API reference needs Node.js, all else only Go
	@if ! command -v npm >/dev/null; then \
		echo "without the API reference: it needs Node.js $(node) or newer, and npm"; \
	elif ! $(new_enough); then \
		echo "without the API reference: it needs Node.js $(node) or newer, this is $$(node --version)"; \
	else \
		$(MAKE) --no-print-directory ui || echo "without the API reference: its build failed"; \
	fi
	@$(MAKE) --no-print-directory build
	@echo "starting the demo"
	@./kartotek demo

build: ## one static binary
	@echo "building the server; the first time takes a few minutes"
	@$(quietly) go build -o kartotek .

ui: internal/portal/dist/reference/manifest.json ## the API reference, if its sources have changed
	@:

internal/portal/dist/reference/manifest.json: ui/node_modules/.package-lock.json $(wildcard ui/*.js* ui/src/*)
	@echo "building the API reference"
	@cd ui && $(quietly) npm run build
	@touch $@

ui/node_modules/.package-lock.json: ui/package-lock.json
	@$(new_enough) || { echo "the API reference needs Node.js $(node) or newer" >&2; exit 1; }
	@echo "installing the npm packages of the API reference"
	@cd ui && $(quietly) npm ci --no-audit --no-fund
	@touch $@

ui-test: ## open every page in a browser and send requests from it; needs Node.js and Debian's chromium
	@if command -v npm >/dev/null && command -v chromium >/dev/null; then \
		$(MAKE) --no-print-directory ui build && cd ui && npm run check && npm test; \
	else \
		echo "skipped: the browser tests, which need apt-get install nodejs npm chromium"; \
		test -z "$$KARTOTEK_TEST_ALL"; \
	fi

test: ## all tests; those on PostgreSQL where it is installed
	go test $(packages)
	@if command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then \
		echo "the contracts on PostgreSQL:"; \
		KARTOTEK_TEST_STORE=postgres go test ./internal/contract/...; \
	else \
		echo "skipped: the tests on PostgreSQL, which need apt-get install postgresql"; \
	fi
	@go test -v -run TestToolsAreInstalled ./internal/portal/samples | sed -n 's/.*\(skipped: \)/\1/p' | sort

test-rest: ## "make test" without the packages that "make check" tests; for CI
	@$(MAKE) --no-print-directory test packages="$(rest)"

test-cost: ## what one caller costs the others, measured; needs PostgreSQL and a quiet machine
	KARTOTEK_TEST_COST=1 go test -run 'RightLogin|Flood' ./internal/cli

test-samples: ## every code sample, also those in rare languages; docs/samples.md lists the tools
	KARTOTEK_TEST_SAMPLES=all go test -run 'TestSamplesRun|TestToolsAreInstalled' ./internal/portal/samples

test-clients: ## generated clients of the OpenAPI documents against a demo; clients/README.md lists the tools
	KARTOTEK_TEST_CLIENTS=all go test -count=1 -timeout 90m ./clients

check: ## what a change must pass: format, vet, staticcheck, concurrent code under the race detector
	@unformatted=$$($(tool) gofumpt -l $(sources)); if [ -n "$$unformatted" ]; then echo "run make format:"; echo "$$unformatted"; exit 1; fi
	go vet ./...
	$(tool) staticcheck ./...
	$(race) $(concurrent)
	$(race) -run Kill ./internal/cli

test-race: ## all tests under the race detector
	$(race) ./...

format: ## format all sources
	$(tool) gofumpt -w $(sources)

bench: ## measure every goal and write bench/results.md (an hour or two; BENCH=-h lists the flags)
	cd bench && go run . run $(BENCH)

bench-smoke: ## measure for a minute and fail when a row is far below its goal
	cd bench && go run . smoke
