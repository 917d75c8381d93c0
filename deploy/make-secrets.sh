#!/bin/sh
# Makes the passwords of docker-compose.yml, once: sh deploy/make-secrets.sh
#
# The files are readable inside the containers, whose users are not this one; the folder that holds them is closed to
# everybody else on this machine.
set -eu
cd "$(dirname "$0")/.."
folder=.demo/secrets

if [ -f "$folder/pipeline-password" ]; then
  echo "$folder is there already"
  exit 0
fi

# immudb asks for a capital letter, a small one, a digit and a sign.
password() {
  printf '%s-aA1' "$(od -An -N18 -tx1 /dev/urandom | tr -d ' \n')"
}

mkdir -p "$folder"
chmod 700 "$folder"
admin=$(password)
printf '%s' "$admin" >"$folder/immudb-password"
printf 'admin-password = "%s"\n' "$admin" >"$folder/immudb.toml"
printf '%s' "$(password)" >"$folder/pipeline-password"
chmod 644 "$folder/immudb-password" "$folder/immudb.toml" "$folder/pipeline-password"
echo "made the passwords in $folder"
