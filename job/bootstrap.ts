/**
 * What runs before the command inside an experiment's container: POSIX sh, since nothing more is certain of an image,
 * and small, since it travels in every job definition. `"$@"` is the user's command, never text to be evaluated.
 *
 * It stays in the image's working directory and becomes the command by `exec`, so that signals and exit codes are
 * the command's own: 127 where there is no such program, 126 where it can't be executed. A shell says "not found" of a
 * script whose interpreter is missing, too, so the script's first line is printed then. `execfail` has bash, which would
 * forget the trap, go on after `exec`; and shells take a program named `-v` for an option of `exec`.
 */
const script = `export SLIPWAY_WORKDIR="$PWD"
shopt -s execfail 2>/dev/null
trap 'c=$? l=;f=$(command -v "$1" 2>&1)&&[ -f "$f" ]&&IFS= read -r l<"$f";case $l in "#!"*)printf "slipway: %s begins with %s\\n" "$1" "$l";esac;exit $c' EXIT
case $1 in -*)echo "slipway: exec: $1: not found";exit 127;esac
exec "$@"`;

/** What the shell calls itself in its own messages. */
const shellName = 'slipway';

/** The container's command that runs `command` by the bootstrap, in an image without ENTRYPOINT. */
export function bootstrapped(command: readonly string[]): string[] {
  return ['/bin/sh', '-c', script, shellName, ...command];
}
