/**
 * What a request gives and its Dockerfile takes no notice of: build arguments that no ARG declares, secrets that no RUN
 * mounts. Engines say nothing of either.
 */
import type { LintWarning } from '../model/dockerfile-lint.ts';
import { nearestFirst } from '../text/spelling.ts';
import { type Command, fieldsOf, readCommand } from './command.ts';
import { assignmentsOf, type Instruction, platformArgs, readDockerfile } from './stages.ts';

export interface Given {
  buildArgs?: Record<string, string> | undefined;
  /** Names of secrets by the id of their mount. */
  secrets?: Record<string, string> | undefined;
}

/** Taken without an ARG: BuildKit's own, proxies, and what `ADD` uses of a private address. */
const ownArgs = /^(?:BUILDKIT_.*|SOURCE_DATE_EPOCH|(?:HTTP|HTTPS|FTP|NO|ALL)_PROXY)$/i;
const ownSecrets = /^(?:GIT|HTTP)_AUTH_(?:TOKEN|HEADER)(?:\..*)?$/;

/** A name that the Dockerfile has, and where. */
interface Named {
  name: string;
  line: number;
}

/** Never throws. Says nothing of what another program reads than BuildKit's own, which may know more. */
export function unusedIn(dockerfile: string, { buildArgs = {}, secrets = {} }: Given): LintWarning[] {
  const { before, stages, syntaxes } = readDockerfile(dockerfile, buildArgs);
  if (syntaxes.some(({ value }) => !/^(?:docker\.io\/)?docker\/dockerfile(?:$|[:@])/.test(value))) return [];
  const commands = [...before, ...stages.flatMap(({ instructions }) => instructions)].map(putOff);
  const declared = commands.flatMap(argsOf);
  const mounted = commands.flatMap(secretsOf);
  // What a variable names is known only while it is built.
  const isOpen = mounted.some(({ name }) => name.includes('$'));
  return [
    ...Object.keys(buildArgs)
      .filter((name) => !ownArgs.test(name) && !Object.hasOwn(platformArgs, name))
      .filter((name) => !declared.some((one) => one.name === name))
      .map((name) => argUnknown(name, nearestFirst(name, declared, nameOf))),
    ...Object.keys(secrets)
      .filter((id) => !isOpen && !ownSecrets.test(id) && !mounted.some((one) => one.name === id))
      .map((id) => secretUnmounted(id, nearestFirst(id, mounted, nameOf))),
  ];
}

const argUnknown = (name: string, [nearest, ...others]: Named[]): LintWarning => ({
  code: 'build-arg-unknown',
  line: nearest?.line ?? 1,
  message: `The build argument ${name} has no effect: ${nearest ? `the Dockerfile only declares ${listed([nearest, ...others])}` : 'the Dockerfile declares no ARG'}`,
  remedy: `Correct the name, or declare it with ARG ${name}.`,
});

const secretUnmounted = (id: string, [nearest, ...others]: Named[]): LintWarning => ({
  code: 'secret-not-mounted',
  line: nearest?.line ?? 1,
  message: `No step mounts the secret ${id}: ${nearest ? `the Dockerfile only mounts ${listed([nearest, ...others])}` : 'the Dockerfile mounts no secret'}`,
  remedy: `Name it in \`secrets\` by the id of its mount, or mount it with RUN --mount=type=secret,id=${id}.`,
});

const nameOf = (one: Named) => one.name;
const shownAtMost = 5;
const shown = (text: string) => text.replace(/[\p{Cc}\p{Cf}]+/gu, ' ').slice(0, 80);

function listed(all: Named[]): string {
  const names = [...new Set(all.map(({ name }) => shown(name)))];
  const more = names.length - shownAtMost;
  return names.slice(0, shownAtMost).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

type Placed = Command & Pick<Instruction, 'line'>;

/** What ONBUILD puts off uses the same arguments and secrets, in a later build. */
function putOff(instruction: Instruction): Placed {
  const { keyword, args, line } = instruction;
  return keyword === 'ONBUILD' ? { ...readCommand(args, '\\'), line } : instruction;
}

const argsOf = ({ keyword, args, line }: Placed): Named[] =>
  keyword === 'ARG' ? assignmentsOf(args).map(({ name }) => ({ name, line })) : [];

function secretsOf({ keyword, flags, line }: Placed): Named[] {
  if (keyword !== 'RUN') return [];
  return flags.flatMap((flag) => {
    if (flag.name !== 'mount') return [];
    const options = new Map(
      fieldsOf(flag).map(({ value }) => {
        const [key = '', ...rest] = value.split('=');
        return [key.toLowerCase(), rest.join('=')];
      }),
    );
    if (options.get('type') !== 'secret') return [];
    const target = options.get('target') ?? options.get('dst') ?? options.get('destination') ?? '';
    const name =
      options.get('id') ?? options.get('source') ?? options.get('src') ?? target.replace(/^.*\//, '');
    return [{ name, line }];
  });
}
