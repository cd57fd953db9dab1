# The two commands of every day are "make run" and "make test".

export GOTOOLCHAIN ?= local
tool = go tool -modfile=tools/go.mod

.PHONY: run build test check format bench

run: build ## build and start the demo
	./kartotek demo

build: ## one static binary, also where there is a C compiler
	CGO_ENABLED=0 go build -o kartotek .

test: ## run all tests
	go test ./...

check: ## what a change must pass: format, vet, staticcheck, tests under the race detector
	@unformatted=$$($(tool) gofumpt -l .); if [ -n "$$unformatted" ]; then echo "run make format:"; echo "$$unformatted"; exit 1; fi
	go vet ./...
	$(tool) staticcheck ./...
	go test -race ./...

format: ## format all sources
	$(tool) gofumpt -w .

bench: ## PATCHes a second through the whole server, searches, and writes and reads of the store alone
	go test ./internal/cli ./internal/store/sqlite -run '^$$' -bench . -benchtime 5s
