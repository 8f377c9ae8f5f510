/** B11: who runs what in a Dockerfile, and as whom its image would run. */
import { isCatalogueReference } from '../catalogue/kubeflow.ts';
import type { LintWarning } from '../model/dockerfile-lint.ts';
import { shown, warning } from './lint-warning.ts';
import { commandsOf } from './shell-commands.ts';
import { assignmentsOf, type BuildStage, type Dockerfile, type Instruction, variablesOf } from './stages.ts';
import { UnclearWordError, WordError } from './word-errors.ts';
import { expandWord } from './words.ts';

interface Options {
  buildArgs: Record<string, string>;
  notebook: boolean | undefined;
}

/** What is known at the end of a stage. */
interface Known {
  /** Undefined: whoever the base says, or a variable of it. */
  user: string | undefined;
  /** Of the `USER` that says so. */
  line: number;
  environment: ReadonlyMap<string, string>;
}

/** Nothing is known of a base's user but for the catalogue's. */
export function checkUsers(dockerfile: Dockerfile, { buildArgs, notebook: given }: Options): LintWarning[] {
  const { stages, escapeMark } = dockerfile;
  const notebook = given ?? looksLikeNotebook(dockerfile);
  const found: LintWarning[] = [];
  const ends = new Map<BuildStage, Known>();
  for (const stage of stages) {
    const start = stage.from && ends.get(stage.from);
    let user = start ? start.user : isCatalogueReference(stage.image) ? 'jovyan' : undefined;
    let line = start?.line ?? stage.line;
    const environment = new Map(start?.environment);
    /** Arguments end with their stage. */
    const variables = new Map(environment);
    for (const one of stage.instructions) {
      if (one.keyword === 'USER') {
        user = knownValue(one.args, variables, escapeMark);
        line = one.line;
      } else if (one.keyword === 'ENV') {
        for (const { name, value = '' } of variablesOf(one.args, escapeMark)) {
          const known = knownValue(value, variables, escapeMark);
          for (const map of [variables, environment])
            if (known === undefined) map.delete(name);
            else map.set(name, known);
        }
      } else if (one.keyword === 'ARG') {
        for (const { name, value } of assignmentsOf(one.args, escapeMark)) {
          const known = Object.hasOwn(buildArgs, name)
            ? buildArgs[name]
            : value && knownValue(value, variables, escapeMark);
          if (known !== undefined && !environment.has(name)) variables.set(name, known);
        }
      } else if (one.keyword === 'RUN') found.push(...checkRun(one, { user, escapeMark, notebook }));
    }
    ends.set(stage, { user, line, environment });
  }
  const last = stages.at(-1);
  const end = last && ends.get(last);
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

function checkRun(
  one: Instruction,
  { user, escapeMark, notebook }: { user: string | undefined; escapeMark: string; notebook: boolean },
): LintWarning[] {
  const commands = commandsOf(one, escapeMark);
  const found: LintWarning[] = [];
  const byOther = commands.find((command) => {
    const by = command.user ?? user;
    // Who a variable names is not known.
    return by !== undefined && !by.includes('$') && !isRoot(by) && installsWithApt(command.words);
  });
  if (byOther) {
    const by = shown(byOther.user ?? user ?? '');
    found.push(
      warning(
        'apt-as-user',
        one.line,
        `apt runs as ${by}, who can't install packages`,
        `Add USER root before this step and USER ${shown(user ?? by)} after it.`,
      ),
    );
  }
  if (notebook && commands.some(({ words }) => installsForUser(words)))
    found.push(
      warning(
        'notebook-pip-user',
        one.line,
        "pip install --user installs into the home directory, which the notebook's volume hides",
        'Omit --user.',
      ),
    );
  return found;
}

/** `root`, `0`, each with a group or without; engines read numbers with zeros in front. */
const isRoot = (user: string) => /^(?:root|0+)(?::|$)/.test(user);

const changesPackages = new Set(
  'update install reinstall upgrade dist-upgrade full-upgrade remove purge autoremove autopurge build-dep'.split(
    ' ',
  ),
);

function installsWithApt([name = '', ...rest]: string[]): boolean {
  if (!['apt', 'apt-get', 'aptitude'].includes(name)) return false;
  if (rest.some((word) => /^(?:-\w*s|--simulate|--dry-run|--just-print|--print-uris|-h|--help)$/.test(word)))
    return false;
  // Options that take a value, which is no command.
  const others = rest.filter(
    (word, index) => !word.startsWith('-') && !/^-(?:\w*[oct])$/.test(rest[index - 1] ?? ''),
  );
  return changesPackages.has(others[0] ?? '');
}

function installsForUser([name = '', ...rest]: string[]): boolean {
  const pip = /^pip[0-9.]*$/.test(name)
    ? rest
    : /^python[0-9.]*$/.test(name) && rest[rest.indexOf('-m') + 1] === 'pip' && rest.includes('-m')
      ? rest.slice(rest.indexOf('pip') + 1)
      : [];
  const install = pip.indexOf('install');
  return install >= 0 && pip.includes('--user', install);
}

/** With variables put in; undefined where one of them isn't known. */
function knownValue(
  text: string,
  variables: ReadonlyMap<string, string>,
  escapeMark: string,
): string | undefined {
  for (const [, name = ''] of text.matchAll(/\$\{?(\w+)/g)) if (!variables.has(name)) return undefined;
  try {
    return expandWord(text, variables, escapeMark);
  } catch (error) {
    if (error instanceof WordError || error instanceof UnclearWordError) return undefined;
    throw error;
  }
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
