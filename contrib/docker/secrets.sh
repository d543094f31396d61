#!/usr/bin/env bash
# Make the passwords of the compose file, each in a file that `docker inspect` does not show: contrib/docker/secrets.sh
# What is there stays, so it may be run again. REDIS_PASSWORD and POSTGRES_PASSWORD are taken from the environment, the former also
# from .env, and are random where they are not set.
set -euo pipefail
cd "$(dirname "$0")"
umask 077
mkdir -p secrets # which nobody else may enter: the files are open to the users that the containers have, and mounted one by one

random() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }

put() { # NAME TEXT
	if [ -e "secrets/$1" ]; then
		echo "secrets/$1 is there already, and stays"
		return
	fi
	printf '%s' "$2" >"secrets/.$1"
	chmod 0644 "secrets/.$1"
	mv "secrets/.$1" "secrets/$1"
	echo "made secrets/$1"
}

of_env() { if [ -e .env ]; then sed -n "s/^$1=//p" .env | tail -1; fi; }

plain() { # they become parts of a URL and of a line of Valkey's settings
	[[ $2 =~ ^[A-Za-z0-9._~-]+$ ]] || { echo "$1: expected letters, digits and . _ ~ - only" >&2; exit 2; }
}

redis=${REDIS_PASSWORD:-$(of_env REDIS_PASSWORD)}
redis=${redis:-$(random)}
database=${POSTGRES_PASSWORD:-$(random)}
plain REDIS_PASSWORD "$redis"
plain POSTGRES_PASSWORD "$database"

put redis_password "$redis"
put database_password "$database"
put database_url "postgresql://pointq:$(<secrets/database_password)@database:5432/points"
put grafana_password "$(random)"
put prometheus_token "" # docs/deploy.md says what fills it
