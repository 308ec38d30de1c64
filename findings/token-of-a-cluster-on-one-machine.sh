#!/bin/sh
# Once a script has started Ray on a machine, a head there asks for a token that who joins it does not give.
#
# Library   ray 2.60.0
# Input     `ray.init()` once, as any script does; then `ray start --head`, and `ray.init(address=...)` by the same
#           user on the same machine. No setting is given anywhere
# Seen      the script leaves a token in the user's ~/.ray/auth_token. A head that finds one asks for it. Who joins
#           takes the mode to be "disabled", sends none, and gives up with a ConnectionError that speaks of no token.
#           With RAY_AUTH_MODE=token the same driver reads that file and joins.
# Matters   the same two commands work on a fresh account and end in "Failed to connect to Ray cluster" later.
#           What rimbench says of a cluster that it cannot join names the variable.
#
# Printed:
#   a token after ray.init()  yes
#   without a setting         ConnectionError: Failed to connect to Ray cluster
#   RAY_AUTH_MODE=token       joined
set -eu
folder=$(mktemp -d)
export RAY_USAGE_STATS_ENABLED=0
unset RAY_AUTH_MODE RAY_AUTH_TOKEN RAY_ADDRESS || true
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet ray==2.60.0
export HOME="$folder"  # where the head keeps its token
port=$("$folder/env/bin/python" -c "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); print(s.getsockname()[1])")
trap '"$folder/env/bin/ray" stop >/dev/null 2>&1; rm -rf "$folder"' EXIT
"$folder/env/bin/python" -c "import ray; ray.init(num_cpus=1, include_dashboard=False)" >/dev/null 2>&1
test -s "$folder/.ray/auth_token"
echo "a token after ray.init()  yes"
"$folder/env/bin/ray" start --head --port "$port" --num-cpus 1 --include-dashboard=false --temp-dir "$folder/ray" \
  >/dev/null 2>&1
cat > "$folder/join.py" <<'END'
import sys

import ray

try:
    ray.init(address=f"127.0.0.1:{sys.argv[1]}", log_to_driver=False, logging_level="ERROR")
    print("joined")
except ConnectionError as error:
    print("ConnectionError:", str(error).split(" at ")[0])
END
without=$("$folder/env/bin/python" "$folder/join.py" "$port" 2>/dev/null)
with=$(RAY_AUTH_MODE=token "$folder/env/bin/python" "$folder/join.py" "$port" 2>/dev/null)
echo "without a setting         $without"
echo "RAY_AUTH_MODE=token       $with"
test "$without" = "ConnectionError: Failed to connect to Ray cluster"
test "$with" = "joined"
