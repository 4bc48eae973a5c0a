#!/usr/bin/env bash
# Sets everything up on first use, then starts the product. See ./run.sh --help
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

readonly ENVIRONMENT=".venv"
readonly PYTHON="$ENVIRONMENT/bin/python"

usage() {
    cat <<'TEXT'
Usage: ./run.sh [command]

  (none)             set up if needed, then start the backend and the approval server
  --verify [--live]  check this machine and the settings first, then start;
                     --live also asks Gemini, Elasticsearch and the approval server once
  test [options]     run the tests; options go to pytest
  check              format, lint, types, import rules, tests with coverage
  bench              measure, and print the figures
  --help             this text

Settings come from the environment and from .env; .env.example lists them all.
TEXT
}

fail() {
    printf '%s\n' "$*" >&2
    exit 1
}

is_recent() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
    local candidate
    for candidate in python3 python3.13 python3.12 python3.11 python3.14 python; do
        if command -v "$candidate" >/dev/null 2>&1 && is_recent "$candidate"; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    fail "Python 3.11 or newer is needed, and none was found. Install it (https://www.python.org/downloads/) and run this again."
}

create_environment() {
    local python
    python="$(find_python)"
    "$python" -c 'import venv, ensurepip' 2>/dev/null ||
        fail "Python's venv module is missing. On Debian and Ubuntu: apt-get install python3-venv"
    echo "Creating the virtual environment $ENVIRONMENT ..."
    "$python" -m venv --clear "$ENVIRONMENT"
}

show_progress() {
    local total="$1" seen=0 line
    while IFS= read -r line; do
        case "$line" in
            *"(from -r "*)
                seen=$((seen + 1))
                if [ -t 1 ]; then
                    printf '\r  %d of %d packages' "$seen" "$total"
                elif [ $((seen % 20)) -eq 0 ]; then
                    printf '  %d of %d packages\n' "$seen" "$total"
                fi
                ;;
            "Installing collected"*)
                if [ -t 1 ]; then printf '\r'; fi
                printf '  unpacking the packages ...\n'
                ;;
        esac
    done
}

# requirements-dev.txt holds everything of requirements.txt.
remember() {
    cp "$1" "$ENVIRONMENT/installed-$1.part"
    mv "$ENVIRONMENT/installed-$1.part" "$ENVIRONMENT/installed-$1"
}

# An interrupted installation is thrown away and done again. The lists are complete, so pip looks for
# nothing else: left to look, it takes the newest of what an extra names and refuses that as unpinned.
install() {
    local requirements="$1" installed="$ENVIRONMENT/installed-$1" total
    local log="$ENVIRONMENT/install.log" unfinished="$ENVIRONMENT/unfinished"
    [ ! -e "$unfinished" ] && is_recent "$PYTHON" || create_environment
    cmp -s "$requirements" "$installed" && return
    rm -f "$ENVIRONMENT"/installed-*
    "$PYTHON" -m pip --version >/dev/null 2>&1 || "$PYTHON" -m ensurepip >/dev/null
    total="$(grep -c '^[a-zA-Z0-9].*==' "$requirements")"
    echo "Installing $requirements, once; this takes about a minute ..."
    : >"$log"
    : >"$unfinished"
    "$PYTHON" -m pip install --no-input --disable-pip-version-check --require-hashes --no-deps \
        --requirement "$requirements" 2>>"$log" | tee -a "$log" | show_progress "$total" ||
        {
            grep -v '^Requirement already' "$log" | tail -n 5 | cut -c 1-300 >&2
            fail "The packages could not be installed (all of pip's output is in $log). Run this again when the cause is gone."
        }
    remember requirements.txt
    remember "$requirements"
    rm -f "$unfinished"
}

check() {
    "$PYTHON" -m ruff format --check .
    "$PYTHON" -m ruff check .
    "$PYTHON" -m mypy
    "$PYTHON" "$ENVIRONMENT/bin/lint-imports"
    "$PYTHON" -m pytest --numprocesses=auto --dist=loadfile --cov --cov-report=term "$@"
}

command="${1:-start}"
[ "$#" -eq 0 ] || shift
case "$command" in
    start)
        [ "$#" -eq 0 ] || fail "Nothing may follow: $*. See ./run.sh --help"
        install requirements.txt
        exec "$PYTHON" -m app serve
        ;;
    --verify)
        install requirements.txt
        "$PYTHON" verify_setup.py "$@"
        exec "$PYTHON" -m app serve
        ;;
    test)
        install requirements-dev.txt
        exec "$PYTHON" -m pytest --numprocesses=auto --dist=loadfile "$@"
        ;;
    check)
        install requirements-dev.txt
        check "$@"
        ;;
    bench)
        install requirements.txt
        exec "$PYTHON" -m bench "$@"
        ;;
    --help | -h | help)
        usage
        ;;
    *)
        usage >&2
        fail "There is no command $command."
        ;;
esac
