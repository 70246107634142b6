# The front door. Each target first sets up what it needs; `make help` lists them.
#
# BONAFIDE_CACHE_DIR  where networks, ONNX Runtime and sample photos are kept (default: .cache)
# FUZZ_SECONDS        how long `make fuzz` runs each fuzz target (default: 60)
# SOAK_SECONDS        how long `make soak` loads a server (default: 3600), SOAK_KILLS how often it kills one (200)
# CC                  the compiler (default: cc); clang and gcc both serve

FUZZ_SECONDS ?= 60
CACHE := $(or $(BONAFIDE_CACHE_DIR),.cache)
# Debian's own Python, which is the one that Debian's Python packages belong to.
PYTHON ?= $(firstword $(wildcard /usr/bin/python3) python3)
# Warnings are errors where a machine builds, not on the machine of somebody with a newer compiler; and not where gcc
# sanitizes, because then it warns of what its own checks brought in.
STRICT := $(if $(CI),-Dwerror=true)

.DEFAULT_GOAL := help
.PHONY: help run build test bench soak fuzz lint format docs install clean
# One job at a time: the programs called here use all cores themselves.
.NOTPARALLEL:

help:
	@echo "make run      build bonafide, judge the sample photos, and answer requests on 127.0.0.1:8080"
	@echo "make build    build the library and the program (build/bonafide)"
	@echo "make test     build and run all tests"
	@echo "make bench    measure speed and memory"
	@echo "make soak     kill a server 200 times with each store, then load it for SOAK_SECONDS (3600)"
	@echo "make fuzz     run every fuzz target for FUZZ_SECONDS (60) seconds"
	@echo "make lint     check format, style and the analyser's findings"
	@echo "make format   lay out the C code by .clang-format"
	@echo "make docs     write the generated reference pages anew"
	@echo "make install  install under PREFIX (/usr/local)"
	@echo "make clean    remove what was built (the fetched files in .cache stay)"

run: build
	@tools/judge_samples build/bonafide $(CACHE)/samples
	@echo
	@exec build/bonafide serve --development $(CACHE)/development --sample $(CACHE)/samples/person-1.jpg

build:
	@tools/setup build
	@tools/build build
	@build/bonafide models optimise

test:
	@tools/setup test
	@tools/build build -Dtests=enabled $(STRICT)
	@build/bonafide models optimise
	@tools/build build-asan -Dtests=enabled -Dbuildtype=debugoptimized -Db_sanitize=address,undefined
	@tools/build build-tsan -Dtests=enabled -Dbuildtype=debugoptimized -Db_sanitize=thread threads
	@$(PYTHON) tools/run_tests.py build build-asan:unit build-asan:sanitized build-tsan:threads

bench:
	@tools/setup bench
	@tools/build build
	@tools/build build meson-benchmark-prereq
	@build/bonafide models optimise
	@$(PYTHON) tools/run_bench.py build

soak:
	@tools/setup test
	@tools/build build
	@build/bonafide models optimise
	@PYTHON=$(PYTHON) tools/soak build

fuzz:
	@tools/setup fuzz
	@CC=clang tools/build build-fuzz -Dfuzzers=true -Dtests=enabled -Dbuildtype=debugoptimized \
	    -Db_sanitize=address,undefined -Db_lundef=false $(STRICT) fuzzers
	@$(PYTHON) tools/run_fuzzers.py build-fuzz $(FUZZ_SECONDS)

lint:
	@tools/setup lint
	@tools/build build -Dtests=enabled $(STRICT)
	@$(PYTHON) tools/run_tests.py build:style
	@$(PYTHON) tools/lint.py build

format:
	@tools/setup format
	@git ls-files '*.c' '*.h' | xargs clang-format -i

docs:
	@tools/setup docs
	@$(PYTHON) api/generate.py

install: build
	@[ -z "$(PREFIX)" ] || meson configure build -Dprefix=$(PREFIX)
	@meson install -C build --quiet

clean:
	rm -rf build build-asan build-tsan build-fuzz
