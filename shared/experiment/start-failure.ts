/** Why a container could not be made or started, from the words of the host's container engine. */
import type { ExperimentReason } from '../model/experiment.ts';
import { quoted } from './command-words.ts';
import type { Reason } from './record.ts';

type Rule = [pattern: RegExp, code: ExperimentReason, message: (match: string) => string];

const config = (pattern: RegExp, message: (match: string) => string): Rule => [
  pattern,
  'image-config-invalid',
  message,
];

/** Mostly the image's own configuration, which Docker doesn't check before it starts a container. The first that matches counts. */
const rules: Rule[] = [
  config(
    /unable to find user (.+?): /i,
    (name) =>
      `The image's USER ${quoted(name)} is not in its /etc/passwd. Create the user in the Dockerfile (\`RUN useradd ${name}\`), or give a number (\`USER 1000\`).`,
  ),
  config(
    /unable to find group (.+?): /i,
    (name) =>
      `The group ${quoted(name)} of the image's USER is not in its /etc/group. Create it in the Dockerfile (\`RUN groupadd ${name}\`), or give a number.`,
  ),
  config(
    /uids and gids must be in range ([\d-]+)/i,
    (range) => `The number of the image's USER is outside ${range}. Change it.`,
  ),
  config(
    /working directory '(.*?)' is invalid/i,
    (path) => `The image's WORKDIR ${quoted(path)} is relative. Make it absolute, such as \`WORKDIR /app\`.`,
  ),
  config(
    /Cwd must be an absolute path/i,
    () => "The image's WORKDIR is relative. Make it absolute, such as `WORKDIR /app`.",
  ),
  config(
    /Cannot mkdir: (.+?) is not a directory/i,
    (path) => `The image's WORKDIR ${quoted(path)} is a file. Name a directory.`,
  ),
  config(
    /chdir to cwd \("(.*?)"\) set in config\.json failed: permission denied/i,
    (path) =>
      `The image's USER has no permission to enter its WORKDIR ${quoted(path)}. Grant it in the Dockerfile (\`RUN chmod a+rx …\`), or name another directory.`,
  ),
  config(
    /(?:chdir to cwd \("|(?:mkdir|lstat|stat) \S*?\/merged|mkdir )(\/.*?)(?:"\).*)?: not a directory/i,
    (path) => `A part of the image's WORKDIR ${quoted(path)} is a file. Name a directory.`,
  ),
  config(
    /(?:invalid environment variable|environment variable name can't be empty): "?(.*?)"?(?:: unknown)?$/i,
    (entry) =>
      `The image's environment has an entry without a name: ${quoted(entry)}. Remove it from the image's configuration.`,
  ),
  config(
    /mount a directory onto a file|mount a file onto a directory|not a directory: unknown/i,
    () =>
      '/proc, /sys and /dev must be directories in the image, /etc/hosts and /etc/resolv.conf files. Remove the one that is not.',
  ),
  [
    /exec format error/i,
    'image-unsupported',
    () =>
      "The image's programs are built for another processor. Build the image for linux/amd64 (`docker build --platform linux/amd64`).",
  ],
  [
    /max depth exceeded/i,
    'image-unsupported',
    () =>
      'The image has more layers than the hosts can stack. Build it with fewer instructions or in several stages.',
  ],
  [
    /no command specified/i,
    'no-command',
    () => 'Neither the experiment nor its image names a command. Give a command.',
  ],
  [
    /exec: "\/bin\/sh": .*(?:no such file|not found)/i,
    'image-without-shell',
    () =>
      'The image has no /bin/sh. A command that replaces the ENTRYPOINT needs one. Choose another base image, or set `"entrypoint": "keep"`.',
  ],
  [
    /exec: "(.*?)": .*(?:no such file|not found)/i,
    'command-not-found',
    (program) => `The image has no program ${quoted(program)} on its PATH.`,
  ],
  [
    /exec: "(.*?)": (?:.*)permission denied/i,
    'command-not-executable',
    (program) => `${quoted(program)} is not a file that the image's user can execute.`,
  ],
];

/** `words` are the reason of the container, as its agent gives it; nothing for what is not the image's doing. */
export function startFailure(words: string): Reason | undefined {
  for (const [pattern, code, message] of rules) {
    const found = pattern.exec(words);
    if (found) return { code, message: message(found[1] ?? '') };
  }
  return undefined;
}

/** The container engine's own words in an agent's reason. */
export const engineWords = (reason: string) =>
  reason.replace(/^\w+Error: /, '').replace(/^Error response from daemon: /, '');
