# Every target works on a fresh machine with Node.js (any), Go, Python 3 and make: `setup` brings the rest.
SHELL := /bin/bash
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)

AGENT := runtime-images/agent/bin/agent
AGENT_SOURCES := $(shell find runtime-images/agent -name '*.go' -o -name go.mod)

.DEFAULT_GOAL := help
.PHONY: help setup languages dev test test-tools unit processes contract local-e2e e2e smoke agent-test python-test images-test lint chart generate verify bench bench-cluster kubectl clean

help: ## Show the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: node_modules/.package-lock.json $(AGENT) kubectl languages ## Install what the project needs, under this folder only (Ruby: Debian's, as root)

languages: node_modules/.package-lock.json ## Provide Ruby, AWS's runtime client for Java, and .NET, where this machine can have them
	@node runtime-images/setup.ts

node_modules/.package-lock.json: package-lock.json package.json $(wildcard */package.json)
	@# not `npm ci`: it refuses a lock file without the optional packages of other systems, which not every registry has
	npm install --no-save --no-audit --no-fund --loglevel=error
	@touch $@

$(AGENT): $(AGENT_SOURCES)
	cd runtime-images/agent && CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o bin/agent .

kubectl: node_modules/.package-lock.json ## Provide kubectl under .cache/ and print its path
	@node local/src/kubectl.ts

dev: setup ## Run the whole platform here, with the examples applied (Ctrl-C ends it)
	@node --disable-warning=ExperimentalWarning local/src/dev/main.ts

test: setup unit processes agent-test python-test contract local-e2e ## Set up and pass all the tests that need no cluster

test-tools: setup ## Bring what only tests need: Amazon's clients, an S3 server
	@node --disable-warning=ExperimentalWarning e2e/src/provide.ts

unit: setup test-tools
	node .ci/jest.ts unit

processes: setup test-tools ## Tests of parts with real servers, agents and runtimes
	node .ci/jest.ts processes

contract: setup ## The contract of the Kubernetes API, against the embedded one (KAPPA_CONTRACT_KUBECONFIG: another)
	node .ci/jest.ts contract

local-e2e: setup test-tools ## End to end in local mode: real kubectl, plain HTTP
	node .ci/jest.ts e2e

e2e: setup ## End to end on a real three-zone Kubernetes that this builds, starts and removes (Linux, root)
	node --disable-warning=ExperimentalWarning e2e/src/on-cluster.ts

smoke: setup ## The install on that Kubernetes, without faults
	node --disable-warning=ExperimentalWarning e2e/src/on-cluster.ts --testPathPatterns 'cluster-specs/[12]'

agent-test: setup
	cd runtime-images/agent && go vet ./... && go test ./...
	cd e2e/cluster/netpol && go vet ./... && go test ./...

python-test: setup
	python3 -m unittest discover -s runtime-images/python -p 'test_*.py'

lint: setup ## Format, lint, types, import direction
	biome check .
	tsc --noEmit
	@test -z "$$(gofmt -l runtime-images bench/go e2e/cluster e2e/go-sdk)" || { gofmt -l runtime-images bench/go e2e/cluster e2e/go-sdk; echo 'run gofmt on these'; exit 1; }
	cd bench/go && go vet ./...
	cd e2e/go-sdk && go vet ./...

images-test: setup ## Every case of every language in its image (Linux, root)
	node .ci/jest.ts images

chart: setup ## Lint the Helm chart
	node .ci/chart.ts

generate: setup ## Regenerate types, frame tables and the table of the Lambda API from their sources
	node crds/src/generate.ts
	node runtime-images/link/generate.ts
	node gateway/src/lambda-api/model/generate.ts
	node gateway/src/lambda-api/write-compatibility.ts

verify: generate ## Fail when generated files differ from their sources
	git diff --exit-code -- crds/src/generated gateway/src/link/generated gateway/src/lambda-api/generated docs/lambda-compatibility.md runtime-images/agent/link/frames_generated.go

bench: setup ## Measure, with floors beside (docs/benchmarks.md)
	node bench/src/main.ts

bench-cluster: setup ## Measure on a real three-zone Kubernetes (Linux, root; docs/benchmarks.md)
	node --disable-warning=ExperimentalWarning bench/src/cluster/main.ts

clean: ## Remove everything that was installed, built or stored here
	rm -rf node_modules */node_modules .cache .kappa coverage isolate-*.log runtime-images/agent/bin runtime-images/java/build
	find runtime-images -name __pycache__ -type d -prune -exec rm -rf {} +
