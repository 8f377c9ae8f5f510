/** What `docker` is called with to check an image. */

/** What a container may use. */
export const limits = ['--memory', '2g', '--pids-limit', '4096', '--log-opt', 'max-size=10m'];

/** Runs a script in the image's own shell, without a network. */
export const inShell = (
  name: string,
  image: string,
  script: string,
  environment: Record<string, string> = {},
): string[] => [
  'run',
  '--name',
  name,
  ...limits,
  '--network',
  'none',
  ...Object.entries(environment).flatMap(([variable, value]) => ['--env', `${variable}=${value}`]),
  '--entrypoint',
  '/bin/sh',
  image,
  '-c',
  script,
];
