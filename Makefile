# make run    build the broker and run it here, with its data in ./data
# make test   everything, real clients included
# make help   the rest

GO ?= go
TESTFLAGS ?=

.DEFAULT_GOAL := build

.PHONY: build
build: ## build the program, as bin/warren
	@$(GO) build -buildvcs=false -o bin/warren ./cmd/warren

PREFIX ?= /usr/local
TOOLS = rabbitmq-server rabbitmqctl rabbitmq-plugins rabbitmq-diagnostics rabbitmq-queues rabbitmq-streams rabbitmq-upgrade

.PHONY: install
install: ## install it, and RabbitMQ's names for it, below PREFIX (/usr/local)
	@CGO_ENABLED=0 $(GO) build -buildvcs=false -trimpath -o bin/warren ./cmd/warren
	@install -D -m 755 bin/warren $(DESTDIR)$(PREFIX)/bin/warren
	@for name in $(TOOLS); do ln -sf warren $(DESTDIR)$(PREFIX)/bin/$$name; done
	@install -D -m 644 packaging/systemd/warren.service $(DESTDIR)$(PREFIX)/lib/systemd/system/warren.service
	@install -D -m 644 packaging/systemd/warren.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/warren.conf

.PHONY: run
run: build ## run it with its data in ./data; ARGS="--set key=value" for more
	@exec bin/warren server --data-dir ./data $(ARGS)

.PHONY: test
test: build clients vet allocs ## all tests, with the clients that people use
	@$(GO) test -timeout 15m $(TESTFLAGS) ./...

.PHONY: quick
quick: ## tests without other people's clients
	@$(GO) test -timeout 5m $(TESTFLAGS) $$($(GO) list ./... | grep -v /test/interop)

.PHONY: race
race: ## the tests under the race detector (wants a C compiler)
	@$(GO) test -race -timeout 30m $(TESTFLAGS) ./...

.PHONY: vet
vet: ## formatting, and what go vet finds
	@unformatted=$$(git ls-files -z --cached --others --exclude-standard '*.go' 2>/dev/null | xargs -0 -r gofmt -l); \
	if [ -n "$$unformatted" ]; then echo "not formatted with gofmt:"; echo "$$unformatted"; exit 1; fi
	@$(GO) vet ./...

.PHONY: allocs
allocs: ## the benchmarks of what happens to every message: they must not allocate
	@GO="$(GO)" tools/allocs

.PHONY: bench
bench: build ## what a message costs: this broker, the floor, and RabbitMQ if installed
	@bin/warren perf compare --rounds 2 --duration 2s --backlog 100000 --backlog-time 10s $(ARGS)

.PHONY: pgo
pgo: ## make the profile that the compiler optimises by anew (cmd/warren/default.pgo)
	@GO="$(GO)" tools/pgo

.PHONY: clients
clients: ## install the clients that tests use, or say what will be left out
	@tools/clients

.PHONY: clean
clean: ## remove what was built (not ./data)
	@rm -rf bin

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1|\2/p' Makefile | column -t -s '|'
