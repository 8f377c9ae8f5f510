/**
 * What runs before the command inside an experiment's container: POSIX sh, since nothing more is certain of an image,
 * and small, since it travels in every job definition. `"$@"` is the user's command, never text to be evaluated.
 *
 * It stays in the image's working directory and becomes the command by `exec`, so that signals and exit codes are
 * the command's own: 127 where there is no such program, 126 where it can't be executed.
 */
const script = `export SLIPWAY_WORKDIR="$PWD"
exec "$@"`;

/** What the shell calls itself in its own messages. */
const shellName = 'slipway';

/** The container's command that runs `command` by the bootstrap, in an image without ENTRYPOINT. */
export function bootstrapped(command: readonly string[]): string[] {
  return ['/bin/sh', '-c', script, shellName, ...command];
}
