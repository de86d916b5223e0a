# The steps of .ci/run by name: make test, make race. "make" alone runs all of them.
steps := $(shell sed -n 's/^step_\([a-z]*\)() {.*/\1/p' .ci/run)

.PHONY: all programs clean $(steps)

all:
	.ci/run

$(steps):
	.ci/run $@

# All programs, into this folder.
programs:
	go build -o ./ ./cmd/...

clean:
	rm -rf dist $(notdir $(patsubst %/main.go,%,$(wildcard cmd/*/main.go)))
