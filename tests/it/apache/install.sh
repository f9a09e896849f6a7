#!/bin/sh
# Installs Apache for the test of HTTP Digest, on a machine of a continuous integration that is root and says CI=true.
# Nothing is installed anywhere else.
set -eu
[ "${CI:-}" = true ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || exit 1
export DEBIAN_FRONTEND=noninteractive
timeout 60 apt-get update -qq
timeout 120 apt-get install -y -qq --no-install-recommends apache2
