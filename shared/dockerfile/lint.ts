/** B11: what is wrong with a Dockerfile, found without building it. Says where, why, and what to do instead. */
import { isCatalogueReference } from '../catalogue/kubeflow.ts';
import { type LintCode, type LintWarning, lintLimit } from '../model/dockerfile-lint.ts';
import { isSecretName, secretIn } from './credentials.ts';
import {
  assignmentsOf,
  type BuildStage,
  type Dockerfile,
  type Instruction,
  readDockerfile,
} from './stages.ts';

export interface LintOptions {
  buildArgs?: Record<string, string> | undefined;
  /** Whether it is to run as a notebook; left out, its base, port 8888 and `NB_PREFIX` tell. */
  notebook?: boolean | undefined;
}

const known = new Set([
  'FROM',
  'ARG',
  'RUN',
  'CMD',
  'LABEL',
  'MAINTAINER',
  'EXPOSE',
  'ENV',
  'ADD',
  'COPY',
  'ENTRYPOINT',
  'VOLUME',
  'USER',
  'WORKDIR',
  'ONBUILD',
  'STOPSIGNAL',
  'HEALTHCHECK',
  'SHELL',
]);

/** In the order of lines; at most `lintLimit`. Never throws. */
export function lintDockerfile(text: string, { buildArgs = {}, notebook }: LintOptions = {}): LintWarning[] {
  const dockerfile = readDockerfile(text, buildArgs);
  const found: LintWarning[] = [
    ...checkShape(dockerfile),
    ...dockerfile.stages.flatMap(checkBase),
    ...everyInstruction(dockerfile).flatMap((one) => [...checkSecrets(one, buildArgs), ...checkAdd(one)]),
    ...checkUsers(dockerfile, notebook ?? looksLikeNotebook(dockerfile)),
  ];
  return found.sort((a, b) => a.line - b.line).slice(0, lintLimit);
}

const everyInstruction = ({ before, stages }: Dockerfile): Instruction[] => [
  ...before,
  ...stages.flatMap((stage) => stage.instructions),
];

const warning = (code: LintCode, line: number, message: string, remedy: string): LintWarning => ({
  code,
  line,
  message,
  remedy,
});

/** User text goes into messages in one short line. */
const shown = (text: string) => text.replace(/[\p{Cc}\p{Cf}]+/gu, ' ').slice(0, 80);

function checkShape(dockerfile: Dockerfile): LintWarning[] {
  const unknown = everyInstruction(dockerfile)
    .filter(({ keyword }) => !known.has(keyword))
    .map(({ line, keyword }) =>
      warning(
        'unknown-instruction',
        line,
        `${shown(keyword)} is not a Dockerfile instruction`,
        'Correct its spelling. If it continues the previous line, end that line with a backslash.',
      ),
    );
  const misplaced = dockerfile.before.filter(({ keyword }) => known.has(keyword) && keyword !== 'ARG');
  const [first] = misplaced;
  if (first)
    unknown.push(
      warning(
        'from-missing',
        first.line,
        `${first.keyword} comes before the first FROM`,
        'Move it below FROM. Only ARG may come before FROM.',
      ),
    );
  else if (dockerfile.stages.length === 0)
    unknown.push(
      warning(
        'from-missing',
        1,
        'The Dockerfile has no FROM',
        'Begin with FROM and the name of a base image.',
      ),
    );
  return unknown;
}

function checkBase({ line, image, from }: BuildStage): LintWarning[] {
  // An argument without a value is the builder's to refuse.
  if (from || image === '' || image === 'scratch' || image.includes('@')) return [];
  const tag = /:([^:/]+)$/.exec(image)?.[1];
  const remedy = 'Name a version or a digest, so that later builds use the same base image.';
  if (tag === undefined)
    return [warning('from-without-tag', line, `${shown(image)} has no tag, so engines pull latest`, remedy)];
  if (tag === 'latest') return [warning('from-latest', line, `${shown(image)} changes over time`, remedy)];
  return [];
}

const useSecret = 'Store it as a secret of the organisation and read it in RUN --mount=type=secret,id=….';

function checkSecrets(
  { line, keyword, rest, body }: Instruction,
  buildArgs: Record<string, string>,
): LintWarning[] {
  let given = '';
  if (keyword === 'ARG' || keyword === 'ENV') {
    for (const { name, value: written } of keyword === 'ENV' ? variablesOf(rest) : assignmentsOf(rest)) {
      const value = keyword === 'ARG' && Object.hasOwn(buildArgs, name) ? buildArgs[name] : written;
      if (value !== written) given += `\n${value}`;
      // `ENV PASSWORD=` empties it, a path is where a secret is mounted, `$X` is looked at where X is set.
      const harmless = value !== undefined && /^["']?(?:["']?$|\/|\$)/.test(value);
      if (isSecretName(name) && !harmless)
        return [
          warning(
            'secret-name',
            line,
            `${shown(name)} looks like a credential. The image stores ${keyword === 'ARG' ? 'build arguments' : 'its environment'}, so anyone who pulls it can read the value`,
            useSecret,
          ),
        ];
    }
  }
  const what = secretIn(`${rest}${given}\n${body}`);
  return what
    ? [warning('secret-value', line, `${keyword} contains ${what}, which the image stores`, useSecret)]
    : [];
}

/** `ENV name value`, the old form, has one variable; the other as many as it has `=`. */
function variablesOf(rest: string): { name: string; value?: string }[] {
  const [, name, value] = /^([^\s=]+)\s+(.*)$/s.exec(rest) ?? [];
  return name !== undefined && value !== undefined ? [{ name, value }] : assignmentsOf(rest);
}

function checkAdd({ line, keyword, rest }: Instruction): LintWarning[] {
  if (keyword !== 'ADD' || /(?:^|\s)--checksum=/.test(rest)) return [];
  const remote = /(?:^|[\s"[])((?:https?:\/\/|git@|git:\/\/)[^\s"]+)/i.exec(rest)?.[1];
  return remote
    ? [
        warning(
          'add-remote',
          line,
          'ADD downloads a file without checking it, and the file may change',
          'Use ADD --checksum=sha256:…, check the file in RUN, or put it into the context.',
        ),
      ]
    : [];
}

function looksLikeNotebook(dockerfile: Dockerfile): boolean {
  const last = dockerfile.stages.at(-1);
  for (let stage = last; stage; stage = stage.from) {
    if (!stage.from && /jupyter|notebook|codeserver|code-server|rstudio/i.test(stage.image)) return true;
    if (
      stage.instructions.some(
        ({ keyword, rest, body }) =>
          (keyword === 'EXPOSE' && /\b8888\b/.test(rest)) || /\bNB_PREFIX\b/.test(`${rest}\n${body}`),
      )
    )
      return true;
  }
  return false;
}

const isRoot = (user: string) => /^(?:root|0)(?::.*)?$/.test(user);
const installsWithApt =
  /(?:^|[\s;&|(])(?:apt|apt-get|aptitude)\s+(?:-\S+\s+)*(?:update|install|upgrade|remove|purge)\b/;
const pipUser = /\bpip[0-9.]*\s+install\s(?:[^;&|\n]*\s)?--user\b/;

/** Follows who runs what. Nothing is known of a base's user but for the catalogue's. */
function checkUsers({ stages }: Dockerfile, notebook: boolean): LintWarning[] {
  const found: LintWarning[] = [];
  const endUsers = new Map<BuildStage, { user: string | undefined; line: number }>();
  for (const stage of stages) {
    const start = stage.from && endUsers.get(stage.from);
    let user = start ? start.user : isCatalogueReference(stage.image) ? 'jovyan' : undefined;
    let line = start?.line ?? stage.line;
    for (const one of stage.instructions) {
      if (one.keyword === 'USER') {
        user = one.rest.includes('$') ? undefined : one.rest;
        line = one.line;
      }
      const commands = `${one.rest}\n${one.body}`;
      if (one.keyword !== 'RUN') continue;
      if (user !== undefined && !isRoot(user) && installsWithApt.test(withoutSudo(commands)))
        found.push(
          warning(
            'apt-as-user',
            one.line,
            `apt runs as ${shown(user)}, who can't install packages`,
            `Add USER root before this step and USER ${shown(user)} after it.`,
          ),
        );
      if (notebook && pipUser.test(commands))
        found.push(
          warning(
            'notebook-pip-user',
            one.line,
            "pip install --user installs into the home directory, which the notebook's volume hides",
            'Omit --user.',
          ),
        );
    }
    endUsers.set(stage, { user, line });
  }
  const last = stages.at(-1);
  const end = last && endUsers.get(last);
  if (notebook && end?.user !== undefined && isRoot(end.user))
    found.push(
      warning(
        'notebook-user-root',
        end.line,
        'The notebook runs as root',
        'End with USER and an ordinary user of the image, such as jovyan in images of the catalogue.',
      ),
    );
  return found;
}

const withoutSudo = (commands: string) => commands.replace(/\bsudo\s+(?:-\S+\s+)*\S+/g, '');
