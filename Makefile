# Gatehouse: every command that a person or a pipeline needs. `make` alone lists them.
#
# Nothing but Python 3.11-3.13 has to be on the machine: the rest is installed into .venv from the locked,
# hashed requirements. Stamp files make an up-to-date .venv cost nothing.

# Variables of these names in the environment are somebody else's (WSL has NAME): they count on make's command line alone.
$(foreach name,NAME DB ARGS FROM MEMBERS PRODUCTS FOREGROUND VENV PYTHON DOCKER_TESTS JOBS ROUNDS FENCE DOWN FORCE REPLICAS,\
	$(if $(filter environment%,$(origin $(name))),$(eval $(name) :=)$(eval unexport $(name))))
# What a shell means for other programs: the stack, the tests and the tools of this checkout bring their own.
unexport PYTHONPATH PYTHONHOME PYTHONSTARTUP PYTHONSAFEPATH PYTHONINSPECT PYTHONOPTIMIZE CDPATH LD_PRELOAD
unexport PIP_TARGET PIP_PREFIX PIP_ROOT
export PIP_USER := 0

VENV   := $(or $(VENV),.venv)
PYTHON := $(or $(PYTHON),$(shell sh devstack/interpreter.sh))
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check -qq
STAMPS := $(VENV)/.stamps

LOCKS      := service catalog payment plugins proxy sandbox stand-in devstack dev
UV_VERSION := 0.13.9
SUBJECTS_SINCE := 96dea47
SHELL_FILES = $(shell git ls-files '*.sh' .ci/run)
DOCKERFILES = deploy/Dockerfile

# An upgrade of the machine's Python leaves a .venv whose stamps say that all is well.
$(shell test -x $(BIN)/python || rm -rf $(STAMPS))

# Arguments that the commands below take: make logs NAME=auth, make test ARGS="-k login"
DOCKER_TESTS := $(or $(DOCKER_TESTS),tests/e2e)
JOBS := $(or $(JOBS),2)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

##@ Run

.PHONY: up
up: $(STAMPS)/devstack ## Start everything as local processes, without Docker (FOREGROUND=1: stay attached)
	@$(BIN)/python -m devstack up $(if $(FOREGROUND),,--detach) $(ARGS)

.PHONY: fresh
fresh: $(STAMPS)/devstack ## Start with empty databases: forgets what earlier runs stored
	@$(BIN)/python -m devstack up --fresh $(if $(FOREGROUND),,--detach) $(ARGS)

.PHONY: down
down: $(STAMPS)/devstack ## Stop everything; the data is kept
	@$(BIN)/python -m devstack down $(ARGS)

.PHONY: status
status: $(STAMPS)/devstack ## What is running, and how it is
	@$(BIN)/python -m devstack status $(ARGS)

.PHONY: logs
logs: $(STAMPS)/devstack ## The logs (NAME=auth: of one process)
	@$(BIN)/python -m devstack logs $(NAME) $(ARGS)

.PHONY: restart
restart: $(STAMPS)/devstack ## Restart one process (NAME=kong takes the edited kong.yml.template over, without a gap)
	@test -n "$(NAME)" || { echo "make restart NAME=kong   (make status lists the names)" >&2; exit 2; }
	@$(BIN)/python -m devstack restart $(NAME) $(ARGS)

.PHONY: reload
reload: ## Let the running gateway take over an edited kong.yml.template, without a gap (local processes or compose)
	@deploy/reload.sh

.PHONY: observe
observe: $(STAMPS)/devstack ## Prometheus and Alertmanager beside the running stack, until Ctrl-C (Debian's, where they are installed)
	@$(BIN)/python -m devstack observe

.PHONY: migrate
migrate: $(STAMPS)/devstack ## Bring the databases of the running stack to this checkout's tables (each start does it too)
	@$(BIN)/python -m devstack migrate

.PHONY: seed-load
seed-load: $(STAMPS)/devstack ## Add 100,000 members to the running stack, to measure with (MEMBERS=1000: so many; PRODUCTS=50000: products instead)
	@$(BIN)/python -m devstack run $(if $(PRODUCTS),catalog seed-load $(PRODUCTS),member seed-load $(or $(MEMBERS),100000))

##@ Test

.PHONY: test
test: $(STAMPS)/dev browser ## Every test that this machine can run; each skip says why (ARGS="-k login" narrows)
	@$(BIN)/python -m pytest --numprocesses=$(JOBS) --dist=loadfile --no-loadscope-reorder --durations=10 $(ARGS)

.PHONY: coverage
coverage: $(STAMPS)/dev browser ## The tests with line coverage of every process; fails below the floor in pyproject.toml
	@rm -f test-results/coverage*
	@$(BIN)/python -m coverage run -m pytest --numprocesses=$(JOBS) --dist=loadfile --no-loadscope-reorder $(ARGS)
	@$(BIN)/python -m coverage combine --quiet
	@$(BIN)/python -m coverage report --skip-covered --sort=cover

.PHONY: unit
unit: $(STAMPS)/dev ## The tests that need no server: seconds
	@$(BIN)/python -m pytest tests/unit $(ARGS)

.PHONY: test-docker
test-docker: $(STAMPS)/dev ## The journeys on compose.yaml, and what only containers can show (with the stand-in where Kong's image cannot be had)
	@$(BIN)/python -m pytest $(DOCKER_TESTS) --stack=docker $(ARGS)

.PHONY: storm
storm: storm-keys storm-money storm-cache storm-catalog storm-framing ## All of the storms below

.PHONY: storm-keys
storm-keys: $(STAMPS)/dev ## 2,000 operations under 50 faults: every accepted key takes effect exactly once (minutes)
	@STORM_OPERATIONS=$${STORM_OPERATIONS:-2000} STORM_FAULTS=$${STORM_FAULTS:-50} \
		$(BIN)/python -m pytest tests/e2e/test_storm.py --timeout=3600 -s $(ARGS)

.PHONY: storm-money
storm-money: $(STAMPS)/dev ## 2,000 orders under 50 faults: orders, stock and money agree with the provider's books (minutes)
	@MONEY_STORM_ORDERS=$${MONEY_STORM_ORDERS:-2000} MONEY_STORM_FAULTS=$${MONEY_STORM_FAULTS:-50} \
		$(BIN)/python -m pytest tests/e2e/test_money_storm.py --timeout=3600 -s $(ARGS)

.PHONY: storm-cache
storm-cache: $(STAMPS)/dev ## 1,000 changes of a price under 30 faults: what a change has overtaken is never shown (minutes)
	@CACHE_STORM_CHANGES=$${CACHE_STORM_CHANGES:-1000} CACHE_STORM_FAULTS=$${CACHE_STORM_FAULTS:-30} \
		$(BIN)/python -m pytest tests/e2e/test_cache_storm.py --timeout=3600 -s $(ARGS)

.PHONY: storm-catalog
storm-catalog: $(STAMPS)/dev ## 500 buyers for 300 units over two replicas, one of them killed in the middle: twenty times, 300 sold each
	@CATALOG_STORM_RUNS=$${CATALOG_STORM_RUNS:-20} $(BIN)/python -m pytest tests/stores/catalog/test_stock_storm.py -s $(ARGS)

.PHONY: storm-framing
storm-framing: $(STAMPS)/dev ## 10,000 odd framings on each path through front, gateway and service: no answer goes astray (minutes)
	@FRAMING_ATTACKS=$${FRAMING_ATTACKS:-10000} $(BIN)/python -m pytest tests/framing/test_paths.py -s $(ARGS)

.PHONY: durability
durability: $(STAMPS)/dev ## Sign-outs, changes, refreshes, registrations, then kill -9: nothing answered is undone (ROUNDS=200)
	@DURABILITY_ROUNDS=$(or $(ROUNDS),200) $(BIN)/python -m pytest tests/e2e/test_durability.py --timeout=7200 -s $(ARGS)

.PHONY: drill
drill: $(STAMPS)/dev ## Kill the primary PostgreSQL under load, fail over, restore to a moment; fails over its budgets (minutes)
	@for synchronous in 1 0; do DRILL_SYNCHRONOUS=$$synchronous DRILL_ORDERS=$${DRILL_ORDERS:-60} \
		$(BIN)/python -m pytest tests/recovery/test_drill.py -s $(ARGS) || exit 1; done
	@DRILL_REGIONS=1 $(BIN)/python -m pytest tests/recovery/test_regions.py -s $(ARGS)

.PHONY: drill-docker
drill-docker: $(STAMPS)/dev ## The drill on compose.yaml with deploy/compose.standby.yaml: containers, failed over by deploy/standby.sh (minutes)
	@for synchronous in 1 0; do DRILL_STACK=docker DRILL_SYNCHRONOUS=$$synchronous DRILL_ORDERS=$${DRILL_ORDERS:-60} \
		$(BIN)/python -m pytest tests/recovery/test_drill.py -s $(ARGS) || exit 1; done

.PHONY: rolling
rolling: $(STAMPS)/dev ## Two of every part, restarted one after the other under load: no keyed request fails (minutes; ROLLING_PARTS="order")
	@ROLLING_PARTS="$${ROLLING_PARTS:-all}" $(BIN)/python -m pytest tests/recovery/test_rolling_restart.py -s $(ARGS)

.PHONY: stores-matrix
stores-matrix: $(STAMPS)/dev ## The store tiers on Redis over TLS, Sentinel and Cluster, and on PgBouncer in each mode and with TLS (minutes)
	@BIN=$(BIN) tests/stores/matrix.sh $(ARGS)

.PHONY: bench
bench: $(STAMPS)/dev browser ## Every bench on a stack of its own: a table, and what is slower than the committed run (ten minutes)
	@$(BIN)/python -m bench $(ARGS)

.PHONY: browser
browser: # A Chromium for the browser journeys, where it can be had without asking
	@for name in chromium-headless-shell chromium chromium-browser google-chrome; do \
		if command -v $$name >/dev/null 2>&1; then exit 0; fi; done; \
	if command -v apt-get >/dev/null 2>&1 && [ "$$(id -u)" = 0 ]; then \
		echo "installing chromium for the browser tests"; apt-get update -qq >/dev/null; \
		for package in chromium-headless-shell chromium; do DEBIAN_FRONTEND=noninteractive apt-get install \
			-y -qq --no-install-recommends $$package fonts-noto-cjk >/dev/null && exit 0; done; \
		echo "chromium could not be installed: browser tests are skipped"; \
	else echo "no chromium on this machine: browser tests are skipped (install it to run them)"; fi

##@ Check

.PHONY: check
check: format-check lint types imports dead-code subjects shell docker chart gateway generated ## Format, lint, types, layers, dead code, scripts, compose, gateway, generated files

.PHONY: format
format: $(STAMPS)/dev ## Write the code in the project's format
	@$(BIN)/python -m ruff format .
	@$(BIN)/python -m ruff check --fix-only --quiet .

.PHONY: format-check
format-check: $(STAMPS)/dev # The format, unchanged
	@$(BIN)/python -m ruff format --check --quiet . || { echo "not formatted: run make format" >&2; exit 1; }

.PHONY: lint
lint: $(STAMPS)/dev # ruff's rules
	@$(BIN)/python -m ruff check --quiet .

.PHONY: types
types: $(STAMPS)/dev ## mypy --strict
	@$(BIN)/python -m mypy

.PHONY: imports
imports: $(STAMPS)/dev ## The layers: who may import whom (.importlinter)
	@$(BIN)/python -c 'from importlinter.cli import lint_imports_command; lint_imports_command()' --no-logo

.PHONY: dead-code
dead-code: $(STAMPS)/dev # Functions, classes and methods that nothing uses (the plugins' PDK is complete whether or not we use all of it)
	@unused=$$($(BIN)/python -m vulture | grep -E 'unused (function|class|method|property)' | grep -v '/runtime/pdk/'); \
		test -z "$$unused" || { echo "$$unused" >&2; exit 1; }

.PHONY: subjects
subjects: # Commit subjects of 72 characters at most, since the rule holds
	@git rev-parse --quiet --verify $(SUBJECTS_SINCE)^{commit} >/dev/null 2>&1 || { \
		echo "the history does not reach back to $(SUBJECTS_SINCE): commit subjects not checked"; exit 0; }; \
		git log --format='%h %s' $(SUBJECTS_SINCE)..HEAD | awk 'length($$0) - length($$1) - 1 > 72 \
			{print "longer than 72 characters: " $$0; bad = 1} END {exit bad}' >&2

.PHONY: shell
shell: $(STAMPS)/dev # The shell scripts
	@$(BIN)/shellcheck $(SHELL_FILES)

.PHONY: docker
docker: $(STAMPS)/dev # The Dockerfiles, and the compose files where Docker is
	@$(BIN)/hadolint --config deploy/hadolint.yaml $(DOCKERFILES)
	@if docker compose version >/dev/null 2>&1; then for f in compose.yaml compose.prod.yaml \
		"compose.yaml -f compose.small.yaml" "compose.prod.yaml -f deploy/compose.s3.yaml" "compose.yaml -f deploy/compose.stand-in.yaml" \
		"compose.yaml -f deploy/compose.standby.yaml" "compose.prod.yaml -f deploy/compose.standby.yaml"; do \
		POSTGRES_OF=$${f%% *} PUBLIC_ORIGIN=https://shop.example MEDIA_URL=s3://media docker compose -f $$f --profile "*" config --quiet || exit 1; done; \
	else echo "no docker compose on this machine: compose files not checked"; fi

.PHONY: chart
chart: # The Helm chart, with each Helm that is here
	@helms=$$(ls $(VENV)/tools/helm3 $(VENV)/tools/helm4 2>/dev/null || command -v helm || true); \
	if [ -z "$$helms" ]; then echo "no helm on this machine: the chart is not linted (make chart-tools)"; fi; \
	for helm in $$helms; do said=$$($$helm lint --strict deploy/helm/gatehouse 2>&1) || { echo "$$said" >&2; exit 1; }; done

.PHONY: chart-tools
chart-tools: | $(STAMPS)/base ## Helm 3, Helm 4 and Trivy into .venv/tools, for the chart's tests
	@deploy/helm/tools.sh $(VENV)/tools

.PHONY: generate
generate: $(STAMPS)/dev ## Write what follows from gatehouse.toml: compose files, .env.example, docs/configuration.md and others
	@$(BIN)/python -m devstack.generate

.PHONY: new-service
new-service: $(STAMPS)/dev ## A service with its route and tests: make new-service NAME=wishlist (DB=1: with a database)
	@test -n "$(NAME)" || { echo "make new-service NAME=wishlist DB=1" >&2; exit 2; }
	@$(BIN)/python -m devstack.scaffold $(NAME) $(if $(DB),--database)
	@$(BIN)/python -m ruff format --quiet services/$(NAME) tests/*/$(NAME)
	@$(BIN)/python -m ruff check --quiet --fix services/$(NAME) tests/*/$(NAME)

.PHONY: generated
generated: $(STAMPS)/dev # What follows from gatehouse.toml is what the files say
	@$(BIN)/python -m devstack.generate --check

.PHONY: gateway
gateway: $(STAMPS)/dev # kong.yml.template, rendered and held against the plugins' schemas and gatehouse.toml
	@$(BIN)/python -m devstack check

##@ Operate (under Docker, if nothing else is said)

.PHONY: secrets
secrets: $(STAMPS)/base ## Random secrets for compose.prod.yaml into secrets/, never over what is there
	@$(BIN)/python deploy/make_secrets.py secrets

.PHONY: docker-versions
docker-versions: # The oldest Docker and Compose that this was tried on, or newer
	@deploy/docker-versions.sh

.PHONY: images
images: docker-versions ## Build every image of the compose project, and remove those that this leaves without a name
	@docker compose build $(NAME)
	@docker image prune --force --filter label=org.opencontainers.image.vendor=gatehouse

.PHONY: deploy
deploy: docker-versions ## Replace what changed by the images and files of now, without a failed request (NAME=member: one part)
	@$(or $(PYTHON),python3) deploy/rollout.py deploy $(if $(FORCE),--force) $(NAME)

.PHONY: scale
scale: docker-versions ## Run so many of one part, without a failed request: make scale NAME=member REPLICAS=3
	@test -n "$(NAME)" -a -n "$(REPLICAS)" || { echo "make scale NAME=member REPLICAS=3" >&2; exit 2; }
	@$(or $(PYTHON),python3) deploy/rollout.py scale $(NAME) $(REPLICAS)

.PHONY: failover
failover: $(STAMPS)/devstack ## Let this standby region (DEVSTACK_FOLLOWS) take over (FENCE=directory of the other one, or DOWN=1)
	@$(BIN)/python -m devstack failover $(if $(FENCE),--fence "$(FENCE)") $(if $(DOWN),--it-is-down)

.PHONY: backup
backup: ## Save databases, Redis and files of what runs here to backups/ (BACKUP_PASSPHRASE_FILE=file: sealed)
	@case "$$(deploy/where.sh)" in local) $(BIN)/python -m devstack backup ;; compose) deploy/backup.sh ;; *) exit 1 ;; esac

.PHONY: restore
restore: ## Put a backup back: make restore FROM=backups/20260101T000000Z (after make down, where it is make up's)
	@test -n "$(FROM)" || { echo "make restore FROM=backups/..." >&2; exit 2; }
	@case "$$(deploy/where.sh)" in local) $(BIN)/python -m devstack restore "$(FROM)" ;; compose) deploy/restore.sh "$(FROM)" ;; \
		*) exit 1 ;; esac

##@ Documents

.PHONY: screens
screens: $(STAMPS)/dev browser ## Take the README's screenshots anew (docs/screens)
	@UPDATE_SCREENS=1 $(BIN)/python -m pytest tests/e2e/browser/test_screens.py $(ARGS)

##@ Maintain

.PHONY: install
install: $(STAMPS)/dev ## Everything for development into .venv

.PHONY: lock
lock: $(STAMPS)/base ## Lock the newest allowed dependencies, with hashes (requirements/*.txt)
	@$(PIP) install uv==$(UV_VERSION)
	@for extra in $(LOCKS); do $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header \
		--extra $$extra pyproject.toml -o requirements/$$extra.txt || exit 1; done

.PHONY: clean
clean: ## Remove .venv, caches and the local databases
	@if [ -x $(BIN)/python ] && [ -d .devstack ]; then $(BIN)/python -m devstack down; fi
	@rm -rf $(VENV) .devstack .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis test-results

.PHONY: help
help: ## This list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
		/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

# ----- The virtual environment ---------------------------------------------------------------------------------

$(STAMPS)/base:
	@test -n '$(PYTHON)' || { echo "Python 3.11, 3.12 or 3.13 is needed (with its venv module: python3-venv on Debian)" >&2; exit 1; }
	@# What pip writes last is there: a start that was broken off has left a .venv without it.
	@$(BIN)/python -c 'from importlib.metadata import files; assert files("pip")' 2> /dev/null || { echo "creating $(VENV) with $$("$(PYTHON)" --version)"; "$(PYTHON)" -m venv --clear $(VENV); }
	@mkdir -p $(STAMPS) && touch $@

# dev contains devstack; a machine that only runs the stack never installs the test tools.
$(STAMPS)/devstack: requirements/devstack.txt | $(STAMPS)/base
	@echo "installing requirements/devstack.txt into $(VENV)"
	@$(PIP) install --no-deps --require-hashes --only-binary :all: -r requirements/devstack.txt
	@touch $@

$(STAMPS)/dev: requirements/dev.txt | $(STAMPS)/base
	@echo "installing requirements/dev.txt into $(VENV)"
	@$(PIP) install --no-deps --require-hashes -r requirements/dev.txt
	@touch $@ $(STAMPS)/devstack
