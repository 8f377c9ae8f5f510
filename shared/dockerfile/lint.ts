/** B11: what is wrong with a Dockerfile, found without building it. Says where, why, and what to do instead. */
import { type LintWarning, lintLimit } from '../model/dockerfile-lint.ts';
import { isName, unclearBases } from './bases.ts';
import { isSecretName, secretIn } from './credentials.ts';
import { lowered } from './go-text.ts';
import { checkUsers } from './lint-users.ts';
import { shown, warning } from './lint-warning.ts';
import {
  assignmentsOf,
  type BuildStage,
  type Dockerfile,
  type Instruction,
  keywords,
  readDockerfile,
  variablesOf,
  wordsOf,
} from './stages.ts';

export interface LintOptions {
  buildArgs?: Record<string, string> | undefined;
  /** Whether it is to run as a notebook; left out, its base, port 8888 and `NB_PREFIX` tell. */
  notebook?: boolean | undefined;
}

/** In the order of lines; at most `lintLimit`. Never throws. */
export function lintDockerfile(text: string, { buildArgs = {}, notebook }: LintOptions = {}): LintWarning[] {
  const dockerfile = readDockerfile(text, buildArgs);
  const found: LintWarning[] = [
    ...checkShape(dockerfile),
    ...dockerfile.stages.flatMap(checkBase),
    ...checkStageNames(dockerfile),
    ...checkEngines(text, buildArgs),
    ...everyInstruction(dockerfile).flatMap((one) => [...checkSecrets(one, buildArgs), ...checkAdd(one)]),
    ...checkUsers(dockerfile, { buildArgs, notebook }),
  ];
  return found.sort((a, b) => a.line - b.line).slice(0, lintLimit);
}

const everyInstruction = ({ before, stages }: Dockerfile): Instruction[] => [
  ...before,
  ...stages.flatMap((stage) => stage.instructions),
];

function checkShape(dockerfile: Dockerfile): LintWarning[] {
  // Another program than Docker's own may know further instructions.
  const isOther = dockerfile.syntaxes.some(
    ({ value }) => !/^(?:docker\.io\/)?docker\/dockerfile\b/.test(value),
  );
  const unknown = (isOther ? [] : everyInstruction(dockerfile))
    .filter(({ keyword }) => !keywords.has(keyword))
    .map(({ line, keyword }) =>
      warning(
        'unknown-instruction',
        line,
        `${shown(keyword)} is not a Dockerfile instruction`,
        'Correct its spelling. If it continues the previous line, end that line with a backslash.',
      ),
    );
  const misplaced = dockerfile.before.filter(({ keyword }) => keywords.has(keyword) && keyword !== 'ARG');
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

function checkBase(stage: BuildStage): LintWarning[] {
  const { line, image, from, unset } = stage;
  // An argument without a default may be what a build is to be given.
  if (from || image === '' || image === 'scratch' || image.includes('@')) return [];
  if (unset.length > 0 && !isName(image))
    return [
      warning(
        'from-unset-argument',
        line,
        `${shown(wordsOf(stage.opening.args)[0] ?? '')} uses ${shown(unset.join(', '))}, which has no value`,
        'Give it a default with ARG before the first FROM, or a value in buildArgs.',
      ),
    ];
  const tag = /:([^:/]+)$/.exec(image)?.[1];
  const remedy = 'Name a version or a digest, so that later builds use the same base image.';
  if (tag === undefined)
    return [warning('from-without-tag', line, `${shown(image)} has no tag, so engines pull latest`, remedy)];
  if (tag === 'latest') return [warning('from-latest', line, `${shown(image)} changes over time`, remedy)];
  return [];
}

/** Engines keep the names of stages in small letters, and `FROM` looks for exactly those. */
function checkStageNames({ stages }: Dockerfile): LintWarning[] {
  const named = new Set<string>();
  return stages.flatMap((stage) => {
    const [image = '', , written = ''] = wordsOf(stage.opening.args);
    const meant = lowered(image);
    const isMissed = !stage.from && meant !== image && named.has(meant);
    const { name } = stage;
    if (name !== undefined) named.add(name);
    const found: LintWarning[] = [];
    if (isMissed)
      found.push(
        warning(
          'stage-name-case',
          stage.line,
          `FROM ${shown(image)} refers to an image, because engines store the name of the stage ${shown(meant)} in lowercase`,
          `Write FROM ${shown(meant)}.`,
        ),
      );
    if (name !== undefined && name !== written)
      found.push(
        warning(
          'stage-name-case',
          stage.line,
          `Engines store the stage name ${shown(written)} in lowercase, so FROM finds only ${shown(name)}`,
          `Name it ${shown(name)} here and wherever the Dockerfile refers to it.`,
        ),
      );
    return found;
  });
}

function checkEngines(text: string, buildArgs: Record<string, string>): LintWarning[] {
  const unclear = unclearBases(text, buildArgs);
  return unclear
    ? [
        warning(
          'engines-differ',
          unclear.line,
          `The line ${shown(unclear.why.split('. ')[0] ?? '')}`,
          'Begin the Dockerfile with "# syntax=docker/dockerfile:1", or write the line in another way: Slipway refuses to build it as it is.',
        ),
      ]
    : [];
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
      const harmless = value !== undefined && /^["']?(?:(?:true|false|yes|no)?["']?$|\/|\$)/i.test(value);
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

function checkAdd({ line, keyword, flags, args }: Instruction): LintWarning[] {
  if (keyword !== 'ADD' || flags.some(({ name }) => name === 'checksum')) return [];
  const sources = args
    .replace(/^\[|\]$/g, '')
    .split(/[\s,]+/)
    .slice(0, -1);
  // A commit of a Git repository is its own checksum.
  const remote = sources.find(
    (source) => /^["']?(?:https?:\/\/|git@|git:\/\/)/i.test(source) && !/#[0-9a-f]{40}\b/.test(source),
  );
  return remote !== undefined
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
