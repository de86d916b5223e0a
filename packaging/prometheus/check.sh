#!/bin/sh
# Checks with promtool, which comes with Prometheus, what a real daemon serves, the
# rules with their unit tests, and the queries of the dashboard and the docs. It also needs
# Go. It installs nothing, and only runs tests.
set -eu
cd "$(dirname "$0")/../.."

command -v promtool >/dev/null || {
	echo "check.sh: promtool is missing: apt-get install --no-install-recommends prometheus" >&2
	exit 1
}
promtool check rules packaging/prometheus/providerd.rules.yml
promtool test rules packaging/prometheus/providerd.rules.test.yml
PROMTOOL_REQUIRED=1 go test -count=1 -run '^(TestPromtool|TestMetrics|TestDashboard|TestScrape)' ./daemon ./daemon/metrics
