#!/bin/sh
# A Ray head that was started with no setting at all asks for a token which a driver on the same machine does not give.
#
# Library   ray 2.60.0
# Input     `ray start --head`, then `ray.init(address=...)` by the same user on the same machine
# Seen      the head makes a token, keeps it in the user's ~/.ray/auth_token and asks for it. Who joins takes the mode
#           to be "disabled", sends none, and gives up with a ConnectionError that speaks of no token. With
#           RAY_AUTH_MODE=token the same driver reads that file and joins.
# Matters   the two commands of every older guide end in "Failed to connect to Ray cluster". `rimbench run
#           --ray-address` sets the mode where the file is there; `ray start --address` on other machines needs the
#           variable, and the file.
#
# Printed:
#   without a setting    ConnectionError: Failed to connect to Ray cluster
#   RAY_AUTH_MODE=token  joined
set -eu
folder=$(mktemp -d)
export HOME="$folder" RAY_USAGE_STATS_ENABLED=0
unset RAY_AUTH_MODE RAY_AUTH_TOKEN RAY_ADDRESS || true
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet ray==2.60.0
port=$("$folder/env/bin/python" -c "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); print(s.getsockname()[1])")
trap '"$folder/env/bin/ray" stop >/dev/null 2>&1; rm -rf "$folder"' EXIT
"$folder/env/bin/ray" start --head --port "$port" --num-cpus 1 --include-dashboard=false --temp-dir "$folder/ray" \
  >/dev/null 2>&1
test -s "$folder/.ray/auth_token"
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
echo "without a setting    $without"
echo "RAY_AUTH_MODE=token  $with"
test "$without" = "ConnectionError: Failed to connect to Ray cluster"
test "$with" = "joined"
