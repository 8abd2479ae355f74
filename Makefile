# Two commands do all the set-up on a fresh Debian 12:  make demo   and   make check
# FRAMEWORKS=1 also installs and runs what needs torch, scikit-learn, onnx, chromium.
SHELL := /bin/bash
PREFIX ?= /usr/local
JOBS ?= $(shell nproc)
FUZZ_SECONDS ?= 60
TUTELA := build/release/src/cmd/tutela

.PHONY: all deps demo check check-deep bench fuzz install uninstall dist sbom clean format

all:
	@tools/deps.sh packages.txt build
	@cmake --preset release >/dev/null
	@ninja -C build/release

deps:
	@tools/deps.sh packages.txt build check deep
	@if [ -n "$(FRAMEWORKS)" ]; then tools/deps.sh packages-frameworks.txt frameworks; fi

# The main job on a real example: prints where the report is and what it found.
demo: all
	@tools/demo.sh $(TUTELA)

check:
	@tools/deps.sh packages.txt build check
	@if [ -n "$(FRAMEWORKS)" ]; then tools/deps.sh packages-frameworks.txt frameworks; fi
	@tools/node.sh
	@cmake --preset dev >/dev/null
	@ninja -C build/dev
	@tools/skipped.sh
	@ctest --test-dir build/dev --output-on-failure -j $(JOBS)

# Both compilers, ASan and UBSan, valgrind, clang-tidy, cppcheck: at most 45 minutes.
check-deep:
	@tools/deps.sh packages.txt build check deep
	@tools/check-deep.sh

bench: all
	@bench/run.sh $(TUTELA)

fuzz:
	@tools/deps.sh packages.txt build check deep
	@tools/fuzz.sh $(FUZZ_SECONDS)

install: all
	@cmake --install build/release --prefix "$(PREFIX)"

uninstall:
	@xargs -r rm -fv < build/release/install_manifest.txt

dist:
	@tools/deps.sh packages.txt build
	@tools/dist.sh dist

sbom: all
	@tools/sbom.sh $(TUTELA)

format:
	@git ls-files '*.c' '*.h' | xargs clang-format-14 -i

clean:
	@rm -rf build dist
