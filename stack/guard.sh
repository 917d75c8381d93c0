# Ends a stack whose supervisor is gone, however it went: guard.sh <process group> <data folder>.
#
# Standard input is a pipe that only the supervisor holds, and nothing is ever written to it: `read` returns when the
# supervisor is dead. All servers live in the supervisor's process group, so there is no server it does not know of,
# and the number cannot be taken by anybody else while one of them lives.
trap '' HUP INT TERM # who ends everything politely at once must find one that stays to clean up
while read -r _; do :; done
kill -s KILL -- "-$1" 2>/dev/null
tries=0
while kill -s 0 -- "-$1" 2>/dev/null && [ "$tries" -lt 50 ]; do
  sleep 0.1
  tries=$((tries + 1))
done
rm -rf -- "$2"
