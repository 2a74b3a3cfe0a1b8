set -u
here=$(cd -- "$(dirname -- "$0")" && pwd)
scratch=$(mktemp -d) server=
say() { printf 'bisect: %s\n' "$*" >&2; }
cannot_tell() { say "$*"; exit 125; }
run_test() { say "test: $*"; "$@"; }
leave() { [ -z "$server" ] || kill -KILL -- "-$server" 2>/dev/null; rm -rf -- "$scratch"; }
trap leave EXIT

free_port_py='import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
answers_py='import sys, urllib.request; urllib.request.urlopen(sys.argv[1], timeout=5)'
python=$(command -v python3 || command -v python) || cannot_tell 'Python is missing'
PORT=$("$python" -c "$free_port_py")
export PORT
settings
say "commit $(git rev-parse --short HEAD 2>/dev/null || echo unknown), PORT=$PORT"
say "install: $install"
bash -c "$install" >"$scratch/install.log" 2>&1 || { tail -n 20 "$scratch/install.log" >&2; cannot_tell 'install failed'; }
say "serve: $serve"
setsid bash -c "$serve" >"$scratch/server.log" 2>&1 &
server=$!
for _ in $(seq 240); do
  "$python" -c "$answers_py" "$ready" 2>/dev/null && up=yes && break
  kill -0 "$server" 2>/dev/null || break
  sleep 0.5
done
[ -n "${up:-}" ] || { tail -n 20 "$scratch/server.log" >&2; cannot_tell 'the application does not get ready'; }

case $framework in
  pytest)
    run_test "$python" -m pytest -q -c /dev/null --rootdir="$scratch" --confcutdir="$scratch" -p no:cacheprovider \
      --base-url="$base_url" --junitxml="$scratch/junit.xml" "$here/$test"
    code=$?
    # Not every failure is the bug: only an assertion's is.
    if [ $code = 1 ] && ! grep -q '<error' "$scratch/junit.xml" &&
      ! grep -o '<failure message="[^"]*' "$scratch/junit.xml" | grep -qvE '"(AssertionError|assert )'; then exit 1; fi
    ;;
  playwright_test)
    cp -- "$here/$test" "$scratch/"
    ln -s -- "$PWD/node_modules" "$scratch/node_modules"
    export base_url scratch
    echo 'module.exports = { testDir: __dirname, use: { baseURL: process.env.base_url } };' >"$scratch/config.cjs"
    run_test node node_modules/@playwright/test/cli.js test --config "$scratch/config.cjs" --reporter=json >"$scratch/run.json"
    code=$?
    judge='const run = require(process.env.scratch + "/run.json");
      const results = (suite) => [...(suite.suites ?? []).flatMap(results),
        ...(suite.specs ?? []).flatMap((one) => one.tests).flatMap((one) => one.results)];
      const failed = run.suites.flatMap(results).filter((one) => one.status !== "passed");
      const plain = (text) => (text ?? "").replace(/\u001b\[[0-9;]*m/g, "");
      const asserted = (one) => one.status === "failed" && /^(Error: expect|AssertionError)/.test(plain(one.error?.message));
      process.exit(!run.errors.length && failed.length && failed.every(asserted) ? 1 : 125);'
    if [ $code = 1 ]; then node -e "$judge"; code=$?; fi
    [ $code = 1 ] && exit 1
    ;;
esac
[ $code = 0 ] && exit 0
cannot_tell "the test ended with $code, and not by an assertion; see what it says above"
