# The two commands of every day are "make run" and "make test".

export GOTOOLCHAIN ?= local
tool = go tool -modfile=tools/go.mod

.PHONY: run build ui ui-test test check format bench bench-smoke

run: ## build and start the demo, with the API reference where there is Node
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory ui || echo "the API reference could not be built; all else works without it"; fi
	@$(MAKE) --no-print-directory build
	./kartotek demo

build: ## one static binary, also where there is a C compiler
	CGO_ENABLED=0 go build -o kartotek .

ui: internal/portal/dist/reference/manifest.json ## what a browser runs, when its sources are newer; needs Node 20 or newer
	@:

internal/portal/dist/reference/manifest.json: ui/node_modules/.package-lock.json $(wildcard ui/*.js* ui/src/*)
	cd ui && npm run build
	@touch $@

ui/node_modules/.package-lock.json: ui/package-lock.json
	cd ui && npm ci
	@touch $@

ui-test: ## open every page in a browser, and try requests there: needs Node 20 or newer, and Debian's chromium
	@if command -v npm >/dev/null && command -v chromium >/dev/null; then \
		$(MAKE) --no-print-directory ui build && cd ui && npm run check && npm test; \
	else \
		echo "skipped: the tests in a browser, which run after apt-get install nodejs npm chromium"; \
		test -z "$$KARTOTEK_TEST_ALL"; \
	fi

test: ## run all tests: those on PostgreSQL where it is installed
	go test ./...
	@if command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then \
		echo "the contracts once more, on PostgreSQL:"; \
		KARTOTEK_TEST_STORE=postgres go test ./internal/contract/...; \
	else \
		echo "skipped: the tests on PostgreSQL, which run after apt-get install postgresql"; \
	fi
	@go test -v -run TestToolsAreInstalled ./internal/portal/samples | sed -n 's/.*\(skipped: \)/\1/p' | sort

check: ## what a change must pass: format, vet, staticcheck, tests under the race detector
	@unformatted=$$($(tool) gofumpt -l .); if [ -n "$$unformatted" ]; then echo "run make format:"; echo "$$unformatted"; exit 1; fi
	go vet ./...
	$(tool) staticcheck ./...
	go test -race ./...

format: ## format all sources
	$(tool) gofumpt -w .

bench: ## measure every goal and write bench/results.md (an hour or two; BENCH=-h lists the flags)
	cd bench && go run . run $(BENCH)

bench-smoke: ## measure for a minute and fail when a row is far below its goal
	cd bench && go run . smoke
