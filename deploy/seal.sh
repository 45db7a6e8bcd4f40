#!/bin/sh
# seal.sh seal DIRECTORY        each file in it becomes FILE.gpg, for whoever knows the passphrase in the file $BACKUP_PASSPHRASE_FILE
# seal.sh open DIRECTORY INTO   the other way round, into a directory that is there already
#
# OpenPGP (RFC 4880): AES-256 with an integrity check, so that a changed file does not open. gpg --decrypt reads it anywhere.
set -eu
action=${1:?usage: seal.sh seal DIRECTORY, or open DIRECTORY INTO}
directory=${2:?}
passphrase=${BACKUP_PASSPHRASE_FILE:?names the file with the passphrase}
[ -s "$passphrase" ] || { echo "$passphrase is missing or empty: without a passphrase nothing is sealed or opened" >&2; exit 1; }
command -v gpg > /dev/null || { echo "gpg is not installed (gnupg on Debian): nothing was sealed or opened" >&2; exit 1; }

umask 077
home=$(mktemp -d) # no key ring and no agent of the user's
trap 'gpgconf --homedir "$home" --kill all 2> /dev/null || true; rm -rf "$home"' EXIT
trap 'exit 1' HUP INT TERM # a shell that a signal ends leaves out its EXIT trap
with_passphrase() {
	gpg --homedir "$home" --batch --quiet --no-tty --pinentry-mode loopback --no-symkey-cache --passphrase-file "$passphrase" "$@"
}

case $action in
seal)
	for file in "$directory"/*; do
		with_passphrase --symmetric --cipher-algo AES256 --s2k-digest-algo SHA512 --s2k-count 65011712 --compress-algo none \
			--output "$file.gpg" "$file"
		rm "$file"
	done
	;;
open)
	into=${3:?open DIRECTORY INTO}
	for file in "$directory"/*.gpg; do
		with_passphrase --output "$into/$(basename "$file" .gpg)" --decrypt "$file"
	done
	;;
*)
	echo "seal.sh seal DIRECTORY, or open DIRECTORY INTO" >&2
	exit 2
	;;
esac
