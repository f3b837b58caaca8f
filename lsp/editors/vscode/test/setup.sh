#!/usr/bin/env bash
# Installs code-server, a VS Code to be used in a browser, into the directory DIR for the tests: setup.sh DIR
# Its own install script downloads what a package index does not have, so no scripts are run, and the native modules
# that the workbench needs are built one by one: that takes a C++ compiler, make and Python.
set -euo pipefail
dir=$(mkdir -p "$1" && cd "$1" && pwd)
[ -f "$dir/ready" ] && exit 0
cd "$dir"
echo '{ "private": true }' >package.json
quietly="--ignore-scripts --no-audit --no-fund --loglevel=error"
npm install $quietly code-server@4.100.3
npm rebuild argon2
cd node_modules/code-server/lib/vscode
npm install --omit=dev $quietly
npm rebuild node-pty >/dev/null 2>&1 || true  # its binding is built before its script fails
test -f node_modules/node-pty/build/Release/pty.node
npm rebuild @vscode/spdlog native-watchdog @parcel/watcher
ln -sfn node_modules node_modules.asar
ln -sf code-linux.sh bin/remote-cli/code-server
ln -sf browser-linux.sh bin/helpers/browser.sh
(cd extensions && npm install --omit=dev $quietly)
touch "$dir/ready"
