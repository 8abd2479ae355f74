# Two commands do all the set-up on a fresh Debian 12:  make demo   and   make check
# FRAMEWORKS=1 also installs and runs what needs torch, scikit-learn, onnx, chromium.
SHELL := /bin/bash
PREFIX ?= /usr/local
# One more than there are processors: many tests wait for clocks and disks.
JOBS ?= $(shell echo $$(($$(nproc) + 1)))
FUZZ_SECONDS ?= 60
SOAK ?= 200000
TUTELA := build/release/src/cmd/tutela

.DEFAULT_GOAL := all

help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' Makefile | expand -t 14

.PHONY: help all deps demo check check-deep bench bench-scan bench-data bench-guard bench-probe fuzz install uninstall dist sbom clean format

all: ## build the program into build/release
	@tools/deps.sh packages.txt build
	@cmake --preset release >/dev/null
	@ninja -C build/release

deps: ## install every package that any target needs
	@tools/deps.sh packages.txt build check deep
	@if [ -n "$(FRAMEWORKS)" ]; then tools/deps.sh packages-frameworks.txt frameworks; fi

# The main job on a real example: prints where the report is and what it found.
demo: all ## assess an example and say where the report is
	@tools/demo.sh $(TUTELA)

check: ## build and run every test (FRAMEWORKS=1: with the real frameworks)
	@tools/deps.sh packages.txt build check
	@if [ -n "$(FRAMEWORKS)" ]; then tools/deps.sh packages-frameworks.txt frameworks; fi
	@tools/node.sh
	@cmake --preset dev >/dev/null
	@ninja -C build/dev
	@tools/skipped.sh
	@ctest --test-dir build/dev --output-on-failure -j $(JOBS)

# Both compilers, ASan and UBSan, valgrind, clang-tidy, cppcheck: at most 45 minutes.
check-deep: ## second compiler, sanitizers, valgrind, static analysers
	@tools/deps.sh packages.txt build check deep
	@tools/check-deep.sh

bench-scan: all ## what the scanner finds, how fast, beside its peers
	@tools/deps.sh packages-frameworks.txt frameworks
	@ninja -C build/release bench >/dev/null
	@bench/scan.sh $(TUTELA)

bench-probe: all ## attacks on models, beside numpy, torch and a server
	@tools/deps.sh packages-frameworks.txt frameworks
	@ninja -C build/release bench >/dev/null
	@/usr/bin/python3 bench/probe_member.py build/release/bench/bench_probe_member
	@/usr/bin/python3 bench/probe_evade.py build/release
	@/usr/bin/python3 bench/probe_http.py build/release

bench-data: all ## datasets read, vetted and watched, beside pandas and scikit-learn
	@tools/deps.sh packages-frameworks.txt frameworks
	@ninja -C build/release bench >/dev/null
	@/usr/bin/python3 bench/data.py build/release/bench/bench_data build/release/bench/bench_chunks
	@/usr/bin/python3 bench/poison.py build/release
	@build/release/bench/bench_watch 20
	@build/release/bench/bench_watch_online
	@build/release/bench/bench_parquet

bench: all ## figures beside peers and floors
	@ninja -C build/release bench >/dev/null
	@bench/run.sh $(TUTELA)

bench-guard: all ## what the guard costs beside bare nginx (SOAK=10000000: and that its memory stays flat)
	@tools/deps.sh packages.txt build bench
	@bench/guard_proxy.py $(TUTELA)
	@bench/guard_stream.py $(TUTELA)
	@bench/guard_soak.py $(TUTELA) --requests $(SOAK)

fuzz: ## every fuzz target for FUZZ_SECONDS each
	@tools/deps.sh packages.txt build check deep
	@tools/fuzz.sh $(FUZZ_SECONDS)

install: all ## under DESTDIR and PREFIX
	@DESTDIR="$(DESTDIR)" cmake --install build/release --prefix "$(PREFIX)"

uninstall: ## remove what install put there, with the same DESTDIR
	@tools/uninstall.sh build/release/install_manifest.txt "$(DESTDIR)"

dist: ## source archive and program, made twice and compared
	@tools/deps.sh packages.txt build
	@tools/dist.sh dist

sbom: all ## what the program is linked with, as CycloneDX
	@mkdir -p dist
	@tools/sbom.sh $(TUTELA) > dist/tutela.cdx.json
	@grep -o '"name":"[^"]*","version":"[^"]*"' dist/tutela.cdx.json | tr -d '"' | sed 's/name:/  /; s/,version:/ /'
	@echo "CycloneDX 1.6: dist/tutela.cdx.json"

format: ## clang-format over the tree
	@tools/deps.sh packages.txt deep
	@git ls-files '*.c' '*.h' | xargs clang-format-14 -i

clean: ## remove build and dist
	@rm -rf build dist
